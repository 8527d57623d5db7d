package io.margay.agent.service;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Asks the agent's loops whether they still come to what is posted to them. One thread asks; any
/// may look.
final class LoopProbe {

  private static final Logger LOG = LoggerFactory.getLogger(LoopProbe.class);

  private static final int LOGGED_FRAMES = 30;

  private final Map<String, Pulse> loops;
  private final InstantSource clock;

  /// Loops that have not come to the last question, and since when it waits.
  private final Map<String, Instant> asked = new ConcurrentHashMap<>();

  private final Set<String> silent = new HashSet<>();
  private boolean isFirst = true;

  /// @param clock one that nobody sets
  LoopProbe(Map<String, ? extends Pulse> loops, InstantSource clock) {
    this.loops = Map.copyOf(loops);
    this.clock = clock;
  }

  /// For how long each loop owes its answer: zero where none is owed.
  SortedMap<String, Duration> silences() {
    Instant now = clock.instant();
    SortedMap<String, Duration> silences = new TreeMap<>();
    for (String name : loops.keySet()) {
      Instant since = asked.get(name);
      silences.put(name, since == null ? Duration.ZERO : Duration.between(since, now));
    }
    return silences;
  }

  /// Whether every loop has answered the question before, of the last call; asks anew those that
  /// have. The first call only asks, and counts as answered.
  boolean answered() {
    boolean all = asked.isEmpty() && !isFirst;
    boolean first = isFirst;
    isFirst = false;
    tellSilent(Set.copyOf(asked.keySet()));
    for (Map.Entry<String, Pulse> entry : loops.entrySet()) {
      String name = entry.getKey();
      if (asked.putIfAbsent(name, clock.instant()) == null && !ask(name, entry.getValue())) {
        all = false;
      }
    }
    return all || first;
  }

  /// A loop that has ended, or takes no more, stays asked.
  private boolean ask(String name, Pulse loop) {
    try {
      return loop.ask(() -> asked.remove(name));
    } catch (IllegalStateException full) {
      LOG.atError().addKeyValue("loop", name).addKeyValue("reason", full.getMessage()).log("stuck");
      return false;
    }
  }

  private void tellSilent(Set<String> now) {
    silent.retainAll(now);
    for (String name : now) {
      if (silent.add(name)) {
        LOG.atWarn()
            .addKeyValue("loop", name)
            .addKeyValue("at", stackOf(name))
            .log("a loop does not answer; if that lasts, the service manager restarts the agent");
      }
    }
  }

  /// Where the threads of the loop's name are: what a report of a restart needs, and nobody can
  /// find afterwards.
  private static String stackOf(String loop) {
    return Thread.getAllStackTraces().entrySet().stream()
        .filter(entry -> entry.getKey().getName().startsWith(loop))
        .map(entry -> entry.getKey().getName() + ": " + frames(entry.getValue()))
        .sorted()
        .collect(Collectors.joining("; "));
  }

  private static String frames(StackTraceElement[] stack) {
    return Arrays.stream(stack)
        .limit(LOGGED_FRAMES)
        .map(StackTraceElement::toString)
        .collect(Collectors.joining(" < "));
  }
}
