package io.margay.policy.oracle;

import org.jspecify.annotations.Nullable;

/// What happens to a packet on its whole way.
///
/// @param egress what the source endpoint's policies say; null when the source is no known endpoint
/// @param ingress what the destination endpoint's policies say; null when it is no known endpoint
public record Verdict(@Nullable Decision egress, @Nullable Decision ingress) {

  /// Both ends must allow, each for itself.
  public boolean allowed() {
    return (egress == null || egress.allowed()) && (ingress == null || ingress.allowed());
  }
}
