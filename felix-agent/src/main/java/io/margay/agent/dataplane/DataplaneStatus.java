package io.margay.agent.dataplane;

import java.util.Optional;

/// The dataplane after its last settling.
///
/// @param pods endpoints it knows of
/// @param problem what the kernel refuses, in one line; empty when it holds what is desired
public record DataplaneStatus(int pods, Optional<String> problem) {

  static final DataplaneStatus NOTHING_YET =
      new DataplaneStatus(0, Optional.of("nothing is written before the first complete state"));
}
