package io.margay.agent.explain;

import org.jspecify.annotations.Nullable;

/// What happens to a packet on its whole way.
///
/// @param egress what its source's end says; null if the source is nobody whose packets are policed
/// @param ingress what its destination's end says; null likewise
public record PacketPath(@Nullable Judgement egress, @Nullable Judgement ingress) {

  /// Nobody on the way has a say.
  public static final PacketPath UNPOLICED = new PacketPath(null, null);

  /// Both ends must allow, each for itself.
  public boolean isAllowed() {
    return (egress == null || egress.isAllowed()) && (ingress == null || ingress.isAllowed());
  }
}
