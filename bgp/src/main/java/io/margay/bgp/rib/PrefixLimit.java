package io.margay.bgp.rib;

import io.margay.bgp.policy.MaxPrefix;
import io.margay.model.net.IpFamily;
import io.margay.model.net.ScopedAddress;

/// A peer came near its prefix limit or passed it. Told once, and again only after the count had
/// fallen back.
///
/// @param count prefixes import policy accepts, those kept out by the limit included
public record PrefixLimit(
    ScopedAddress peer, IpFamily family, Level level, long count, MaxPrefix limit) {

  /// How bad it is.
  public enum Level {
    /// The count has reached the warning threshold.
    NEAR,
    /// The count is beyond the limit: the action applies.
    EXCEEDED
  }
}
