package io.margay.agent;

import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;

/// When each part of the agent was up, in milliseconds since the process began.
final class StartTimes {

  private final Map<String, Long> marks = new LinkedHashMap<>();
  private final long processStart;

  StartTimes() {
    processStart =
        ProcessHandle.current().info().startInstant().orElseGet(Instant::now).toEpochMilli();
  }

  synchronized void mark(String part) {
    marks.putIfAbsent(part, System.currentTimeMillis() - processStart);
  }

  synchronized boolean isReady() {
    return marks.containsKey("ready");
  }

  synchronized Map<String, Long> asMap() {
    return new LinkedHashMap<>(marks);
  }
}
