package io.margay.policy;

/// Where on a packet's way policies of a host endpoint apply, in the order it gets there.
///
/// What an earlier stage allows skips the later ones of the same direction. Only [#NORMAL] denies
/// what no rule matched.
public enum HostStage {
  /// Before connection tracking (`doNotTrack`): each packet is judged for itself, replies too.
  UNTRACKED,
  /// As the packet came, before destination NAT (`preDNAT`); towards the node only.
  PRE_DNAT,
  /// Packets to and from processes of the node.
  NORMAL,
  /// Packets the node forwards (`applyOnForward`).
  FORWARDED;

  /// Whether a packet that the stage's tiers leave open goes on.
  boolean isOpenEnded() {
    return this != NORMAL;
  }
}
