package io.margay.model.k8s;

import io.margay.model.resource.Protocol;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// One rule of an [AdminPolicy], of either direction and of any kind.
///
/// @param name shown with the rule
/// @param action in the kind's own words
/// @param from ingress: ORed
/// @param to egress: ORed
/// @param protocols ClusterNetworkPolicy: ORed; null = any
/// @param ports the older kinds: ORed; null = any
public record AdminRule(
    @Nullable String name,
    String action,
    @Nullable List<Peer> from,
    @Nullable List<Peer> to,
    @Nullable List<ProtocolMatch> protocols,
    @Nullable List<PortMatch> ports) {

  public AdminRule {
    action = Given.required(action, "action");
    from = Given.orNull(from);
    to = Given.orNull(to);
    protocols = Given.orNull(protocols);
    ports = Given.orNull(ports);
  }

  /// Who may or may not talk; exactly one field is given.
  ///
  /// @param namespaces all their pods
  /// @param pods some of them
  /// @param networks egress only: CIDRs
  /// @param nodes egress only, by the labels of nodes
  /// @param domainNames egress only
  public record Peer(
      @Nullable LabelSelector namespaces,
      @Nullable NamespacedPods pods,
      @Nullable List<String> networks,
      @Nullable LabelSelector nodes,
      @Nullable List<String> domainNames) {

    public Peer {
      networks = Given.orNull(networks);
      domainNames = Given.orNull(domainNames);
    }

    /// Whether it says nothing that is known here.
    boolean isUnknown() {
      return namespaces == null
          && pods == null
          && networks == null
          && nodes == null
          && domainNames == null;
    }
  }

  /// How a ClusterNetworkPolicy names ports; exactly one field is given.
  ///
  /// @param destinationNamedPort what pods call a port of theirs, of whatever protocol
  public record ProtocolMatch(
      @Nullable Destination tcp,
      @Nullable Destination udp,
      @Nullable Destination sctp,
      @Nullable String destinationNamedPort) {}

  /// Where packets of a protocol go to.
  public record Destination(@Nullable NumberOrRange destinationPort) {}

  /// Exactly one field is given.
  public record NumberOrRange(@Nullable Integer number, @Nullable Range range) {}

  /// Ports from `start` to `end`, both included.
  public record Range(@Nullable Integer start, @Nullable Integer end) {}

  /// How the older kinds name ports; exactly one field is given.
  ///
  /// @param namedPort what pods call a port of theirs, of whatever protocol
  public record PortMatch(
      @Nullable PortNumber portNumber, @Nullable PortRange portRange, @Nullable String namedPort) {}

  /// One port.
  ///
  /// @param protocol null = TCP
  public record PortNumber(@Nullable Protocol protocol, @Nullable Integer port) {}

  /// Ports from `start` to `end`, both included.
  ///
  /// @param protocol null = TCP
  public record PortRange(
      @Nullable Protocol protocol, @Nullable Integer start, @Nullable Integer end) {}
}
