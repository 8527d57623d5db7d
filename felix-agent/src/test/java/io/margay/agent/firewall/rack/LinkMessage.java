package io.margay.agent.firewall.rack;

import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import java.util.List;

/// A message of neighbour discovery (RFC 4861) or of a multicast listener (RFC 2710, RFC 3810), as
/// far as a firewall looks; whoever is meant by it ignores what is in it.
///
/// @param type of ICMPv6
record LinkMessage(IpAddress source, IpAddress destination, int type, int id) implements Datagram {

  /// What routers and neighbours ask and say of each other.
  static final List<Integer> OF_DISCOVERY = List.of(133, 134, 135, 136);

  /// All of them, but for redirects, which nobody needs.
  static final List<Integer> TYPES = List.of(130, 131, 132, 133, 134, 135, 136, 143);

  static final IpAddress ALL_NODES = IpAddress.parse("ff02::1");

  @Override
  public int protocol() {
    return Transport.ICMP.number(IpFamily.IPV6);
  }

  /// None of them passes a router: one of discovery that came over one shows it, one of a listener
  /// goes no further.
  @Override
  public int hopLimit() {
    return OF_DISCOVERY.contains(type) ? 255 : 1;
  }
}
