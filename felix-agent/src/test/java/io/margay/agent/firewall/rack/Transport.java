package io.margay.agent.firewall.rack;

import io.margay.model.net.IpFamily;

/// What a probe is made of.
enum Transport {
  TCP(6),
  UDP(17),
  SCTP(132),
  ICMP(1);

  private static final int ICMPV6 = 58;

  private final int number;

  Transport(int number) {
    this.number = number;
  }

  /// The protocol's number in a header of the family.
  int number(IpFamily family) {
    return this == ICMP && family == IpFamily.IPV6 ? ICMPV6 : number;
  }

  boolean hasPorts() {
    return this != ICMP;
  }
}
