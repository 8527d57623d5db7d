package io.margay.ipam.care;

import java.time.Duration;

/// Lets time pass between two looks at the same thing; real, or a test's.
@FunctionalInterface
public interface Pause {
  void wait(Duration duration) throws InterruptedException;
}
