package io.margay.linux.traffic;

/// A token bucket as the kernel tells of it. It keeps the burst as a time only, so that what tells
/// one from another is the limit.
///
/// @param rate octets a second
/// @param limit octets that may wait
public record Shaping(long rate, long limit) {

  /// Whether the kernel does what was asked for.
  public boolean isBy(TokenBucket bucket) {
    return rate == bucket.rate() && limit == bucket.limit();
  }
}
