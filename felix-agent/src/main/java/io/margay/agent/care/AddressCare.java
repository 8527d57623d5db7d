package io.margay.agent.care;

import io.margay.cni.journal.AttachmentJournal;
import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.KeyValue;
import io.margay.datastore.SnapshotWriter;
import io.margay.ipam.care.AgentBeat;
import io.margay.ipam.care.GarbageCollector;
import io.margay.ipam.care.GarbageLimits;
import io.margay.ipam.care.GarbageVerdict.Outcome;
import io.margay.linux.LinuxException;
import io.margay.linux.route.Rtnetlink;
import java.io.IOException;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Shows life every minute and takes this node's turn in the care of addresses every few. Does
/// nothing while the datastore is away: what is known then is old.
public final class AddressCare implements AutoCloseable {

  /// Signs of life between two judgements.
  static final int BEATS_A_ROUND = 5;

  private static final Logger LOG = LoggerFactory.getLogger(AddressCare.class);

  /// Puts right what another client left half done of the node's claims, before this agent or while
  /// it was down.
  @FunctionalInterface
  public interface Settlement {

    /// @return how many claims were not as they should be
    int settle(String node) throws DatastoreException;
  }

  private final String node;
  private final CareRound round;
  private final Settlement settlement;
  private final Rtnetlink rtnetlink;
  private final BooleanSupplier isInSync;
  private final ScheduledThreadPoolExecutor thread;
  private final LongAdder freed = new LongAdder();
  private volatile int suspected;
  private volatile int due;
  private int beats;
  private boolean isSettled;

  private AddressCare(
      String node,
      CareRound round,
      Settlement settlement,
      Rtnetlink rtnetlink,
      BooleanSupplier isInSync) {
    this.node = node;
    this.round = round;
    this.settlement = settlement;
    this.rtnetlink = rtnetlink;
    this.isInSync = isInSync;
    this.thread =
        new ScheduledThreadPoolExecutor(1, Thread.ofPlatform().daemon().name("care").factory());
  }

  /// Starts in the calling thread's network namespace.
  ///
  /// @param mode asked before each look
  /// @param isInSync whether what the syncer knows is the datastore's present word
  /// @param steady a clock that nobody sets, for how long something lasts
  public static AddressCare start(
      String node,
      Supplier<GarbageCollector.Mode> mode,
      Datastore datastore,
      Settlement settlement,
      SnapshotWriter snapshot,
      BooleanSupplier isInSync,
      AttachmentJournal journal,
      Path journalDirectory,
      InstantSource clock,
      InstantSource steady)
      throws LinuxException {
    Rtnetlink rtnetlink = Rtnetlink.open();
    LocalWitness witness = new LocalWitness(node, journal, journalDirectory, rtnetlink.links());
    AddressCare care =
        new AddressCare(
            node,
            new CareRound(
                node,
                mode,
                datastore,
                each -> known(snapshot, each),
                witness::look,
                clock,
                steady,
                GarbageLimits.DEFAULT),
            settlement,
            rtnetlink,
            isInSync);
    care.thread.scheduleWithFixedDelay(
        care::beat, 0, AgentBeat.INTERVAL.toSeconds(), TimeUnit.SECONDS);
    return care;
  }

  private static void known(SnapshotWriter snapshot, Consumer<KeyValue> each)
      throws DatastoreException {
    try {
      snapshot.save();
      if (snapshot.forEach(each).isEmpty()) {
        throw new DatastoreException(
            DatastoreException.Kind.DEADLINE, "snapshot", "not everything is known yet");
      }
    } catch (IOException refused) {
      throw new DatastoreException(
          DatastoreException.Kind.UNREACHABLE,
          "snapshot",
          "what is known is not on the disk: " + refused.getMessage(),
          refused);
    }
  }

  private void beat() {
    if (!isInSync.getAsBoolean()) {
      return;
    }
    try {
      round.showLife();
      if (!isSettled) {
        int claims = settlement.settle(node);
        isSettled = true;
        if (claims > 0) {
          LOG.atInfo()
              .addKeyValue("node", node)
              .addKeyValue("claims", claims)
              .log("claims to blocks that somebody left half done were settled");
        }
      }
      if (beats++ % BEATS_A_ROUND == 0) {
        round.run().ifPresent(this::count);
      }
    } catch (DatastoreException away) {
      LOG.atInfo()
          .addKeyValue("reason", away.getMessage())
          .log("addresses can't be looked after now; it is tried again");
    } catch (RuntimeException bug) {
      LOG.atError().setCause(bug).log("looking after addresses failed; it is repeated");
    }
  }

  private void count(GarbageCollector.Round done) {
    suspected = done.decision().count(Outcome.SUSPECT);
    due = done.decision().count(Outcome.RELEASE) - done.released().size();
    done.released().forEach(verdict -> freed.add(verdict.addresses().size()));
  }

  /// Handles that look unused, not for long enough; from any thread.
  public int suspected() {
    return suspected;
  }

  /// Handles that would be freed, or will be in the next round; from any thread.
  public int due() {
    return due;
  }

  /// Addresses freed since the agent's start; from any thread.
  public long freed() {
    return freed.sum();
  }

  @Override
  public void close() {
    thread.shutdownNow();
    rtnetlink.close();
  }
}
