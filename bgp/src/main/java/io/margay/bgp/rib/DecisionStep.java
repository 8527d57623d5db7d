package io.margay.bgp.rib;

/// The rules that choose between paths, in order (RFC 4271 §9.1.2.2, RFC 4456 §9), in the words
/// operators know.
public enum DecisionStep {
  ONLY_PATH("only path"),
  LOCAL_ROUTE("local route"),
  LOCAL_PREF("local preference"),
  AS_PATH("AS path length"),
  ORIGIN("origin"),
  MED("MED"),
  PEER_TYPE("peer type"),
  IGP_METRIC("IGP metric"),
  /// Only between paths that are equal up to here: RFC 4724 §4.2 does not let stale routes lose
  /// otherwise, and traffic is shared over them.
  STALE("path staleness"),
  ROUTER_ID("router id"),
  CLUSTER_LENGTH("cluster length"),
  NEIGHBOR_IP("neighbor address"),
  /// Between several paths of one peer (RFC 7911).
  PATH_ID("path id");

  private final String text;

  DecisionStep(String text) {
    this.text = text;
  }

  @Override
  public String toString() {
    return text;
  }
}
