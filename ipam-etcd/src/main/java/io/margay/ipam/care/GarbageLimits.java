package io.margay.ipam.care;

import java.time.Duration;

/// How patient and how bold garbage collection is.
///
/// @param grace how long something must look unused before it is freed
/// @param looks how often, at least, it must have looked so
/// @param maxReleases handles freed in one round; the longest suspected first
/// @param maxBlocks empty blocks given back in one round
public record GarbageLimits(Duration grace, int looks, int maxReleases, int maxBlocks) {

  /// What agents go by.
  public static final GarbageLimits DEFAULT = new GarbageLimits(Duration.ofMinutes(15), 2, 100, 4);

  public GarbageLimits {
    if (grace.isNegative() || looks < 2 || maxReleases < 1 || maxBlocks < 0) {
      throw new IllegalArgumentException(
          "grace "
              + grace
              + ", looks "
              + looks
              + " (at least 2), maxReleases "
              + maxReleases
              + ", maxBlocks "
              + maxBlocks);
    }
  }

  public GarbageLimits withGrace(Duration other) {
    return new GarbageLimits(other, looks, maxReleases, maxBlocks);
  }
}
