package io.margay.policy.oracle;

import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import io.margay.policy.ComputedRule;
import io.margay.policy.IcmpMatch;
import io.margay.policy.PeerMatch;
import io.margay.policy.PortRange;
import io.margay.policy.SetId;
import java.util.List;

/// Says whether a computed rule matches a packet.
public final class RuleMatcher {

  /// What the rules' sets hold.
  public interface Sets {

    /// Whether the address is a member, or lies in one.
    boolean containsAddress(SetId set, IpAddress address);

    /// Whether the set has this named port.
    boolean containsPort(SetId set, IpAddress address, int protocol, int port);
  }

  private final Sets sets;

  public RuleMatcher(Sets sets) {
    this.sets = sets;
  }

  public boolean matches(ComputedRule rule, Flow flow) {
    return (rule.ipVersion() == null || rule.ipVersion() == flow.family())
        && (rule.protocol() == null || rule.protocol() == flow.protocol())
        && (rule.notProtocol() == null || rule.notProtocol() != flow.protocol())
        && (rule.icmp() == null || matches(rule.icmp(), flow))
        && (rule.notIcmp() == null || !matches(rule.notIcmp(), flow))
        && matches(rule.source(), flow.source(), flow.protocol(), flow.sourcePort())
        && matches(rule.destination(), flow.destination(), flow.protocol(), flow.destinationPort());
  }

  private static boolean matches(IcmpMatch wanted, Flow flow) {
    Flow.Icmp icmp = flow.icmp();
    return icmp != null
        && icmp.type() == wanted.type()
        && (wanted.code() == null || wanted.code() == icmp.code());
  }

  private boolean matches(PeerMatch peer, IpAddress address, int protocol, int port) {
    return (peer.nets().isEmpty() || inAny(peer.nets(), address))
        && !inAny(peer.notNets(), address)
        && peer.sets().stream().allMatch(id -> sets.containsAddress(id, address))
        && peer.notSets().stream().noneMatch(id -> sets.containsAddress(id, address))
        && (peer.ports().isEmpty() && peer.namedPorts().isEmpty()
            || isPort(peer.ports(), peer.namedPorts(), address, protocol, port))
        && !isPort(peer.notPorts(), peer.notNamedPorts(), address, protocol, port);
  }

  private static boolean inAny(List<Prefix> nets, IpAddress address) {
    return nets.stream().anyMatch(net -> net.contains(address));
  }

  private boolean isPort(
      List<PortRange> ranges, List<SetId> named, IpAddress address, int protocol, int port) {
    return ranges.stream().anyMatch(range -> range.contains(port))
        || named.stream().anyMatch(id -> sets.containsPort(id, address, protocol, port));
  }
}
