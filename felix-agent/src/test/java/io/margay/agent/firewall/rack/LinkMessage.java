package io.margay.agent.firewall.rack;

import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;

/// A message of neighbour discovery (RFC 4861) or of a multicast listener (RFC 2710, RFC 3810), as
/// far as a firewall looks; whoever is meant by it ignores what is in it.
///
/// @param type of ICMPv6
record LinkMessage(IpAddress source, IpAddress destination, int type, int id) implements Datagram {

  private static final int FIRST_OF_DISCOVERY = 133;
  private static final int LAST_OF_DISCOVERY = 137;

  @Override
  public int protocol() {
    return Transport.ICMP.number(IpFamily.IPV6);
  }

  /// None of them passes a router: one of discovery that came over one shows it, one of a listener
  /// goes no further.
  @Override
  public int hopLimit() {
    return type >= FIRST_OF_DISCOVERY && type <= LAST_OF_DISCOVERY ? 255 : 1;
  }
}
