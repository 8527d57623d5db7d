package io.margay.ipam;

import io.margay.datastore.KeyValue;
import io.margay.datastore.Txn;
import io.margay.model.net.IpFamily;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/// One caller's wish, waiting to be planned and committed. Planning is pure: it may happen many
/// times, over changing beliefs, until a commit holds.
abstract class Operation<R> {

  /// Everything planning decides by, besides the cache. The cluster's settings are in the cache:
  /// every commit depends on them being as believed.
  record View(Pools pools, LiveAddresses live, Instant now) {}

  /// How far planning came.
  sealed interface Step {

    /// Ready to commit as part of this plan.
    record Planned(Plan plan) implements Step {}

    /// Answered without a commit.
    record Finished() implements Step {}

    /// Must wait for another transaction: this one already writes the same key.
    record Later() implements Step {}

    /// Something must be read first.
    record Needs(Read read) implements Step {}
  }

  /// What must be read.
  sealed interface Read {
    record Keys(List<String> keys) implements Read {}

    record Node(String node) implements Read {}

    record Survey(IpFamily family) implements Read {}
  }

  private final CompletableFuture<R> result = new CompletableFuture<>();
  private long arrival;
  private int attempts;

  /// Works this wish into a copy of `shared`.
  abstract Step plan(View view, Plan shared);

  /// Answers the caller: the last plan is committed at this revision.
  abstract void committed(long revision);

  /// The caller's own conditions of the last plan.
  abstract List<Txn.Condition> extraConditions();

  /// Answers the caller: its own conditions don't hold.
  abstract void refused(Map<String, KeyValue> current);

  /// What was planned did not hold: forget what was concluded from earlier reads.
  abstract void replan();

  CompletableFuture<R> result() {
    return result;
  }

  void finish(R answer) {
    result.complete(answer);
  }

  void arrived(long tick) {
    arrival = tick;
  }

  /// Whether something read at `tick` is younger than this wish.
  boolean isFresh(long tick) {
    return tick > arrival;
  }

  int nextAttempt() {
    return ++attempts;
  }
}
