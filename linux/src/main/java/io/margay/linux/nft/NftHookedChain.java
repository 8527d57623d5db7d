package io.margay.linux.nft;

/// A base chain of any tool's table, as far as it tells what becomes of packets.
///
/// @param family as the nft tool writes it: `ip`, `ip6`, `inet`
/// @param type `filter`, `nat` or `route`
/// @param hook `prerouting`, `input`, `forward`, `output`, `postrouting`, `ingress` or a number
/// @param priority lower comes first
/// @param end what becomes of packets that no other rule decides on
public record NftHookedChain(
    String family, String table, String chain, String type, String hook, int priority, End end) {

  public enum End {
    /// They go on.
    ACCEPT,
    /// The chain's policy is drop.
    DROP_POLICY,
    /// The chain's last rule takes every packet and drops it.
    DROP_RULE,
    /// The same, with an answer to the sender.
    REJECT_RULE
  }

  public boolean isClosed() {
    return end != End.ACCEPT;
  }

  @Override
  public String toString() {
    return "chain " + chain + " of table " + family + " " + table;
  }
}
