package io.margay.agent.calc;

import io.margay.agent.firewall.NatOutgoing;
import io.margay.model.net.Ipv4Address;
import io.margay.model.net.Prefix;
import io.margay.model.resource.Port;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// The knobs of FelixConfiguration that say how pods of pools with natOutgoing leave the cluster.
///
/// @param address `natOutgoingAddress`: under which IPv4 address; null = that of the interface
/// @param ports `natPortRange`: from which ports, TCP and UDP; null = any
/// @param sparesNodes `natOutgoingExclusions`: whether nodes see them as they are, as pods do
public record NatKnobs(
    @Nullable Ipv4Address address, Port.@Nullable Range ports, boolean sparesNodes) {

  /// Felix' own.
  public static final NatKnobs DEFAULT = new NatKnobs(null, null, false);

  /// @param knobs a knob's value by its name; null = not set
  /// @param problems gains what can't be used
  static NatKnobs read(Function<String, @Nullable Object> knobs, List<String> problems) {
    return new NatKnobs(
        address(text("natOutgoingAddress", knobs), problems),
        ports(text("natPortRange", knobs), problems),
        sparesNodes(text("natOutgoingExclusions", knobs), problems));
  }

  private static String text(String name, Function<String, @Nullable Object> knobs) {
    Object value = knobs.apply(name);
    return value == null ? "" : value.toString();
  }

  private static @Nullable Ipv4Address address(String text, List<String> problems) {
    if (text.isEmpty()) {
      return null;
    }
    try {
      return Ipv4Address.parse(text);
    } catch (IllegalArgumentException wrong) {
      problems.add(
          "natOutgoingAddress: " + text + " is no IPv4 address; that of the interface is used");
      return null;
    }
  }

  private static Port.@Nullable Range ports(String text, List<String> problems) {
    if (text.isEmpty()) {
      return null;
    }
    try {
      return switch (Port.parse(text)) {
        case Port.Single(int port) -> new Port.Range(port, port);
        case Port.Range range -> range;
        case Port.Named named -> throw new IllegalArgumentException(named + " is no number");
      };
    } catch (IllegalArgumentException wrong) {
      problems.add("natPortRange: " + text + " is no port nor first:last; any port is used");
      return null;
    }
  }

  private static boolean sparesNodes(String text, List<String> problems) {
    boolean sparesNodes = text.equalsIgnoreCase("IPPoolsAndHostIPs");
    if (!sparesNodes && !text.isEmpty() && !text.equalsIgnoreCase("IPPoolsOnly")) {
      problems.add(
          "natOutgoingExclusions: "
              + text
              + " is none of IPPoolsOnly and IPPoolsAndHostIPs; taken for IPPoolsOnly");
    }
    return sparesNodes;
  }

  /// What follows for the pools and nodes there are.
  public NatOutgoing of(ClusterView cluster) {
    Set<Prefix> inside = new HashSet<>(cluster.allPools());
    if (sparesNodes) {
      inside.addAll(cluster.nodeAddresses());
    }
    return new NatOutgoing(Set.copyOf(cluster.natOutgoingPools()), inside, address, ports);
  }
}
