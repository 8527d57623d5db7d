package io.margay.bgp.policy;

/// How many prefixes of one family a peer may announce (RFC 4486 §4 names the Cease that tells it).
///
/// @param limit the greatest number that is still fine
/// @param action what happens beyond it
/// @param warnPercent the share of the limit that is worth a warning, 1 to 100
public record MaxPrefix(int limit, Action action, int warnPercent) {

  /// What operators expect to be warned at.
  public static final int DEFAULT_WARN_PERCENT = 75;

  /// What happens beyond the limit.
  public enum Action {
    /// Nothing but a log line and a counter.
    WARN,
    /// The session ends with Cease/1 and is set up again.
    RESTART,
    /// Further prefixes are kept out; the session stays.
    DISCARD
  }

  public MaxPrefix {
    if (limit < 1) {
      throw new IllegalArgumentException("limit: " + limit + " is not 1 or more");
    }
    if (warnPercent < 1 || warnPercent > 100) {
      throw new IllegalArgumentException("warnPercent: " + warnPercent + " is not in 1..100");
    }
  }

  public MaxPrefix(int limit, Action action) {
    this(limit, action, DEFAULT_WARN_PERCENT);
  }

  /// The least count that is worth a warning.
  public int warnAt() {
    return (int) Math.max(1, ((long) limit * warnPercent + 99) / 100);
  }

  public boolean isExceededBy(long count) {
    return count > limit;
  }
}
