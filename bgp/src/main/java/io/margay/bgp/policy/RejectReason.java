package io.margay.bgp.policy;

/// Why a received route is not considered.
public enum RejectReason {
  NO_POLICY("no import policy for an eBGP peer (RFC 8212)"),
  IMPORT_REJECTS("the peer's import policy rejects"),
  FILTER("rejected by a filter"),
  AS_LOOP("own AS in the AS path"),
  FIRST_AS("AS path does not begin with the peer's AS"),
  AS_SET("AS_SET or AS_CONFED_SET in the AS path (RFC 9774)"),
  LONG_AS_PATH("AS path too long"),
  ORIGINATOR("originated by this speaker (RFC 4456)"),
  CLUSTER_LOOP("own cluster in the cluster list (RFC 4456)"),
  NEXT_HOP("unusable next hop"),
  OWN_RANGE("overlaps an own range");

  private final String text;

  RejectReason(String text) {
    this.text = text;
  }

  /// As operators read it.
  @Override
  public String toString() {
    return text;
  }
}
