package io.margay.agent.service;

import io.margay.agent.loop.Loop;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Asks loops whether they still come to what is posted to them. One thread asks.
final class LoopProbe {

  private static final Logger LOG = LoggerFactory.getLogger(LoopProbe.class);

  private static final int LOGGED_FRAMES = 30;

  private final Map<String, Loop> loops;

  /// Loops that have not come to the last question.
  private final Set<String> asked = ConcurrentHashMap.newKeySet();

  private final Set<String> silent = new HashSet<>();
  private boolean isFirst = true;

  LoopProbe(Map<String, Loop> loops) {
    this.loops = Map.copyOf(loops);
  }

  /// Whether every loop has answered the question before, of the last call; asks anew those that
  /// have. The first call only asks, and counts as answered.
  boolean answered() {
    boolean all = asked.isEmpty() && !isFirst;
    boolean first = isFirst;
    isFirst = false;
    tellSilent(Set.copyOf(asked));
    for (Map.Entry<String, Loop> entry : loops.entrySet()) {
      String name = entry.getKey();
      if (asked.add(name) && !ask(name, entry.getValue())) {
        all = false;
      }
    }
    return all || first;
  }

  /// A loop that has ended, or takes no more, stays asked.
  private boolean ask(String name, Loop loop) {
    try {
      return loop.postUnlessEnded(() -> asked.remove(name));
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

  /// Where the loop's thread is: what a report of a restart needs, and nobody can find afterwards.
  private static String stackOf(String loop) {
    Map<String, StackTraceElement[]> stacks = new HashMap<>();
    Thread.getAllStackTraces().forEach((thread, frames) -> stacks.put(thread.getName(), frames));
    return Arrays.stream(stacks.getOrDefault(loop, new StackTraceElement[0]))
        .limit(LOGGED_FRAMES)
        .map(StackTraceElement::toString)
        .collect(Collectors.joining(" < "));
  }
}
