package io.margay.bgp.rib;

/// Why a received route is not considered.
public enum RejectReason {
  NO_POLICY("no import policy (RFC 8212)"),
  AS_LOOP("own AS in the AS path"),
  FIRST_AS("AS path does not begin with the peer's AS"),
  OWN_RANGE("overlaps an own range"),
  NEXT_HOP("unusable next hop");

  private final String text;

  RejectReason(String text) {
    this.text = text;
  }

  @Override
  public String toString() {
    return text;
  }
}
