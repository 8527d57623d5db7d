package io.margay.bgp.rib;

/// The rules that choose between paths, in order (RFC 4271 §9.1.2.2), in the words operators know.
public enum DecisionStep {
  ONLY_PATH("only path"),
  LOCAL_ROUTE("local route"),
  LOCAL_PREF("local preference"),
  AS_PATH("AS path length"),
  ORIGIN("origin"),
  MED("MED"),
  PEER_TYPE("peer type"),
  ROUTER_ID("router id"),
  NEIGHBOR_IP("neighbor address");

  private final String text;

  DecisionStep(String text) {
    this.text = text;
  }

  @Override
  public String toString() {
    return text;
  }
}
