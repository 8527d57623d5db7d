package io.margay.ipam.care;

import io.margay.datastore.CommitResult;
import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.Txn;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/// Carries out the repairs of findings, in a cluster that may be in use.
///
/// A repair is done only if two readings, {@link #SETTLE} apart, found the same fault in the same
/// documents at the same revisions: what was merely on its way (Calico's own writes come one by
/// one) has moved by then. Each repair is one transaction, conditional on every document it was
/// concluded from; where somebody was faster, nothing is done. A repair may bring other faults to
/// light, so there are several rounds.
///
/// Repair frees no address that anybody is said to hold: that is garbage collection's, which has
/// witnesses.
public final class IpamRepair {

  /// What is on its way has arrived by then.
  public static final Duration SETTLE = Duration.ofSeconds(3);

  /// Rounds of finding and repairing; each layer of damage that hides another takes one.
  public static final int MAX_ROUNDS = 8;

  /// What was done.
  ///
  /// @param repaired in the order done
  /// @param left what is still found; empty when all is well
  /// @param overtaken repairs that somebody else's write made pointless
  public record Outcome(List<Finding> repaired, List<Finding> left, int overtaken) {
    public Outcome {
      repaired = List.copyOf(repaired);
      left = List.copyOf(left);
    }
  }

  private final Datastore datastore;
  private final IpamCheck.Reading reading;
  private final InstantSource clock;
  private final Pause pause;

  public IpamRepair(
      Datastore datastore, IpamCheck.Reading reading, InstantSource clock, Pause pause) {
    this.datastore = datastore;
    this.reading = reading;
    this.clock = clock;
    this.pause = pause;
  }

  /// Repairs what can be repaired.
  ///
  /// @param told told of each repair once it is done
  public Outcome run(Consumer<Finding> told) throws DatastoreException, InterruptedException {
    List<Finding> repaired = new ArrayList<>();
    int overtaken = 0;
    for (int round = 0; ; round++) {
      List<Finding> now = look();
      if (round == MAX_ROUNDS || now.stream().noneMatch(finding -> finding.fix().isPresent())) {
        return new Outcome(repaired, now, overtaken);
      }
      pause.wait(SETTLE);
      List<Finding> settled = new ArrayList<>(look());
      settled.retainAll(new HashSet<>(now));
      Set<String> written = new HashSet<>();
      Set<Txn> done = new HashSet<>();
      for (Finding finding : settled) {
        Optional<Txn> fix = finding.fix();
        if (fix.isPresent() && done.contains(fix.get())) {
          repaired.add(finding);
          told.accept(finding);
        } else if (fix.isPresent() && isApart(fix.get(), written)) {
          if (datastore.commit(fix.get()) instanceof CommitResult.Committed) {
            fix.get().writes().forEach(write -> written.add(write.key()));
            done.add(fix.get());
            repaired.add(finding);
            told.accept(finding);
          } else {
            overtaken++;
          }
        }
      }
    }
  }

  private List<Finding> look() throws DatastoreException {
    return IpamCheck.check(reading.read(), Optional.of(clock.instant())).findings();
  }

  /// Whether a repair depends on nothing that this round has written; else it waits for the next.
  private static boolean isApart(Txn fix, Set<String> written) {
    return fix.conditions().stream().noneMatch(condition -> written.contains(condition.key()))
        && fix.writes().stream().noneMatch(write -> written.contains(write.key()));
  }
}
