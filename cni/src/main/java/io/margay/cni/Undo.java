package io.margay.cni;

import io.margay.cni.spec.CniException;
import java.util.ArrayDeque;
import java.util.Deque;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What has to be taken back unless the whole succeeds. Leaving the `try` block in any way but
/// after {@link #commit} runs every step, the last one first; a step that fails does not keep the
/// others from running.
final class Undo implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Undo.class);

  private final Deque<Step> steps = new ArrayDeque<>();

  /// Takes one thing back.
  @FunctionalInterface
  interface Action {
    void run() throws CniException;
  }

  private record Step(String what, Action action) {}

  /// Registers a step before the thing it takes back is begun: half done must be undone as well.
  void push(String what, Action action) {
    steps.push(new Step(what, action));
  }

  /// Everything succeeded: nothing is taken back.
  void commit() {
    steps.clear();
  }

  @Override
  public void close() {
    for (Step step : steps) {
      try {
        step.action().run();
      } catch (CniException | RuntimeException failure) {
        LOG.atWarn()
            .setCause(failure)
            .addKeyValue("step", step.what())
            .log("an undo step failed; DEL and the next start repeat it");
      }
    }
    steps.clear();
  }
}
