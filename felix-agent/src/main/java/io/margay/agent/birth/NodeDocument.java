package io.margay.agent.birth;

import io.margay.agent.settings.AddressChoice;
import io.margay.agent.settings.AgentSettings;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.resource.AddressOnLink;
import io.margay.model.resource.Metadata;
import io.margay.model.resource.Node;
import io.margay.model.resource.NodeBgp;
import io.margay.model.resource.NodeSpec;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// What the Node of an agent has to say. Of a Node that is there only addresses change, and only
/// those that the agent's settings give or have detected: all else is somebody else's. Pure, but
/// for the identity of a new one.
final class NodeDocument {

  private NodeDocument() {}

  /// Which way the address of a family has to be found: what nothing is said of is looked for only
  /// while the Node has no address at all.
  static AddressChoice effective(AddressChoice choice, IpFamily family, Optional<Node> stored) {
    if (!(choice instanceof AddressChoice.Unsaid)) {
      return choice;
    }
    NodeBgp bgp = stored.map(node -> node.spec().bgp()).orElse(NodeBgp.EMPTY);
    boolean isKnown = bgp.ipv4Address() != null || bgp.ipv6Address() != null;
    return family == IpFamily.IPV4 && !isKnown
        ? new AddressChoice.FirstFound()
        : new AddressChoice.None();
  }

  /// @param found the addresses that are given or detected; a family that is missing stays as it is
  /// @return empty when the stored one says it all
  static Optional<Node> wanted(
      AgentSettings settings,
      Optional<Node> stored,
      Map<IpFamily, AddressOnLink> found,
      Instant now) {
    if (stored.isEmpty()) {
      return Optional.of(born(settings, found, now));
    }
    Node node = stored.get();
    NodeBgp bgp = node.spec().bgp() == null ? NodeBgp.EMPTY : node.spec().bgp();
    @Nullable AddressOnLink ipv4 = chosen(bgp.ipv4Address(), found.get(IpFamily.IPV4));
    @Nullable AddressOnLink ipv6 = chosen(bgp.ipv6Address(), found.get(IpFamily.IPV6));
    NodeBgp newBgp =
        new NodeBgp(
            bgp.asNumber(),
            ipv4,
            ipv6,
            bgp.ipv4IPIPTunnelAddr(),
            bgp.routeReflectorClusterID(),
            bgp.unknown());
    return newBgp.equals(bgp)
        ? Optional.empty()
        : Optional.of(node.withSpec(with(node.spec(), newBgp)));
  }

  /// The same address is left with the length it has: an operator may know the subnet better than a
  /// link that only has a host prefix.
  private static @Nullable AddressOnLink chosen(
      @Nullable AddressOnLink stored, @Nullable AddressOnLink found) {
    return found == null || (stored != null && stored.address().equals(found.address()))
        ? stored
        : found;
  }

  private static Node born(
      AgentSettings settings, Map<IpFamily, AddressOnLink> found, Instant now) {
    NodeBgp bgp =
        new NodeBgp(
            settings.bgp().asNumber().orElse(null),
            found.get(IpFamily.IPV4),
            found.get(IpFamily.IPV6),
            null,
            null,
            Map.of());
    return new Node(
        Metadata.named(settings.nodeName()).withIdentity(UUID.randomUUID().toString(), now),
        with(NodeSpec.EMPTY, bgp.equals(NodeBgp.EMPTY) ? null : bgp));
  }

  private static NodeSpec with(NodeSpec spec, @Nullable NodeBgp bgp) {
    return new NodeSpec(
        bgp,
        spec.ipv4VXLANTunnelAddr(),
        spec.ipv6VXLANTunnelAddr(),
        spec.vxlanTunnelMACAddr(),
        spec.vxlanTunnelMACAddrV6(),
        spec.wireguard(),
        spec.addresses(),
        spec.interfaces(),
        spec.orchRefs(),
        spec.unknown());
  }

  /// Other nodes that have one of this node's addresses, each in a few words.
  static List<String> rivals(Node node, List<Node> all) {
    List<String> rivals = new ArrayList<>();
    List<IpAddress> own = addresses(node);
    for (Node other : all) {
      if (!other.metadata().name().equals(node.metadata().name())) {
        addresses(other).stream()
            .filter(own::contains)
            .map(address -> "Node " + other.metadata().name() + " has " + address)
            .forEach(rivals::add);
      }
    }
    return rivals;
  }

  private static List<IpAddress> addresses(Node node) {
    NodeBgp bgp = node.spec().bgp() == null ? NodeBgp.EMPTY : node.spec().bgp();
    List<IpAddress> addresses = new ArrayList<>();
    for (AddressOnLink address : new AddressOnLink[] {bgp.ipv4Address(), bgp.ipv6Address()}) {
      if (address != null) {
        addresses.add(address.address());
      }
    }
    return addresses;
  }
}
