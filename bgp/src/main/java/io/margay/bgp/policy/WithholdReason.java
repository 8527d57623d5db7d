package io.margay.bgp.policy;

/// Why a peer is not told a route.
public enum WithholdReason {
  FAMILY("the address family was not negotiated"),
  SAME_PEER("learned from this peer"),
  NO_ADVERTISE("carries NO_ADVERTISE (RFC 1997)"),
  NO_EXPORT("carries NO_EXPORT (RFC 1997)"),
  NO_EXPORT_SUBCONFED("carries NO_EXPORT_SUBCONFED (RFC 1997)"),
  NOPEER("carries NOPEER (RFC 3765)"),
  SPLIT_HORIZON("learned from an internal peer, and neither is a client (RFC 4456)"),
  ORIGINATOR("originated by this peer (RFC 4456)"),
  FILTER("rejected by a filter"),
  NO_POLICY("no export policy for an eBGP peer (RFC 8212)"),
  EXPORT_NONE("the peer's export policy announces nothing"),
  NOT_OWN("the peer's export policy announces own routes only"),
  NO_NEXT_HOP("no own address to announce as next hop"),
  EXTENDED_NEXT_HOP("the next hop is of the other family, and RFC 8950 was not negotiated"),
  LINK_LOCAL_NEXT_HOP("the next hop is valid on another link only"),
  NEXT_HOP_IS_PEER("the next hop is the peer itself (RFC 4271)");

  private final String text;

  WithholdReason(String text) {
    this.text = text;
  }

  /// As operators read it.
  @Override
  public String toString() {
    return text;
  }
}
