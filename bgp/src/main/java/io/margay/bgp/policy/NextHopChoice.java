package io.margay.bgp.policy;

import io.margay.bgp.message.NextHop;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;

/// Which next hop a peer is told.
final class NextHopChoice {

  /// The outcome.
  sealed interface Choice {

    record Chosen(NextHop hop) implements Choice {}

    record Impossible(WithholdReason reason, String detail) implements Choice {}
  }

  private final NextHopMode mode;
  private final ExportSession to;

  NextHopChoice(NextHopMode mode, ExportSession to) {
    this.mode = mode;
    this.to = to;
  }

  /// @param learned whether a peer told us the route: our own is always announced with our address
  /// @param reflected whether it goes from one internal peer to another
  Choice choose(IpFamily family, NextHop hop, boolean learned, boolean reflected) {
    if (!learned) {
      return self(family);
    }
    // RFC 4456 §10: "it SHOULD NOT modify the following path attributes: NEXT_HOP, AS_PATH,
    // LOCAL_PREF, and MED."
    if (reflected) {
      return keep(family, hop);
    }
    return switch (mode) {
      case SELF -> self(family);
      case KEEP -> keep(family, hop);
      case AUTO -> auto(family, hop);
    };
  }

  private Choice auto(IpFamily family, NextHop hop) {
    boolean keepable = to.kind().isInternal() || to.sharesSubnet(hop.address());
    boolean elsewhere = hop.address().isLinkLocal() || isPeer(hop.address());
    return keepable && !elsewhere ? keep(family, hop) : self(family);
  }

  private Choice self(IpFamily family) {
    NextHop own = to.nextHops().get(family);
    if (own == null) {
      return new Choice.Impossible(
          WithholdReason.NO_NEXT_HOP, "IPv" + family.version() + " towards " + to.peer());
    }
    return carried(family, own);
  }

  private Choice keep(IpFamily family, NextHop hop) {
    if (hop.address().isLinkLocal()) {
      return new Choice.Impossible(WithholdReason.LINK_LOCAL_NEXT_HOP, hop.address().toString());
    }
    // RFC 4271 §5.1.3: "A route originated by a BGP speaker SHALL NOT be advertised to a peer using
    // an address of that peer as NEXT_HOP."
    if (isPeer(hop.address())) {
      return new Choice.Impossible(WithholdReason.NEXT_HOP_IS_PEER, hop.address().toString());
    }
    // RFC 2545 §3: the link-local address goes along only where the next hop and the peer are on
    // one link.
    boolean whole = hop.linkLocal() == null || to.sharesSubnet(hop.address());
    return carried(family, whole ? hop : NextHop.of(hop.address()));
  }

  private boolean isPeer(IpAddress address) {
    return address.equals(to.peer().address());
  }

  private Choice carried(IpFamily family, NextHop hop) {
    return to.canCarry(family, hop.address())
        ? new Choice.Chosen(hop)
        : new Choice.Impossible(
            WithholdReason.EXTENDED_NEXT_HOP,
            hop.address() + " for IPv" + family.version() + " towards " + to.peer());
  }
}
