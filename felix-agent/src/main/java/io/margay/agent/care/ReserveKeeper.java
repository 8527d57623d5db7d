package io.margay.agent.care;

import io.margay.datastore.DatastoreException;
import io.margay.ipam.AddressReserve;
import io.margay.ipam.Ipam;
import io.margay.ipam.Reconciled;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Keeps the node's reserve of addresses filled while the datastore is there, and tells it what
/// pods were given while it was not.
public final class ReserveKeeper implements AutoCloseable {

  /// How soon the datastore hears of pods that started without it.
  static final Duration INTERVAL = Duration.ofSeconds(1);

  /// Pools and blocks change rarely: the reserve is looked over once in so many rounds.
  static final int ROUNDS_A_TOP_UP = 300;

  private static final Logger LOG = LoggerFactory.getLogger(ReserveKeeper.class);

  private final AddressReserve reserve;
  private final Ipam ipam;
  private final BooleanSupplier isInSync;
  private final ScheduledThreadPoolExecutor thread;
  private int rounds;
  private boolean isUnwritable;

  /// What a person has been told of and that is not settled yet.
  private Set<Reconciled> waiting = Set.of();

  private ReserveKeeper(AddressReserve reserve, Ipam ipam, BooleanSupplier isInSync) {
    this.reserve = reserve;
    this.ipam = ipam;
    this.isInSync = isInSync;
    this.thread =
        new ScheduledThreadPoolExecutor(1, Thread.ofPlatform().daemon().name("reserve").factory());
  }

  /// @param isInSync whether the datastore's present word is known
  public static ReserveKeeper start(AddressReserve reserve, Ipam ipam, BooleanSupplier isInSync) {
    ReserveKeeper keeper = new ReserveKeeper(reserve, ipam, isInSync);
    keeper.thread.scheduleWithFixedDelay(keeper::round, 0, INTERVAL.toSeconds(), TimeUnit.SECONDS);
    return keeper;
  }

  void round() {
    if (!isInSync.getAsBoolean()) {
      return;
    }
    try {
      boolean reconciled = reserve.isUnsettled() && reconcile();
      if (reconciled || rounds % ROUNDS_A_TOP_UP == 0) {
        reserve.topUp(ipam);
      }
      // Only what succeeded counts: a failed round is repeated whole.
      rounds++;
      if (isUnwritable) {
        isUnwritable = false;
        LOG.atInfo().log("the address reserve is written down again");
      }
    } catch (DatastoreException away) {
      LOG.atInfo()
          .addKeyValue("reason", away.getMessage())
          .log("the address reserve is not looked after while the datastore is away");
    } catch (IOException disk) {
      if (!isUnwritable) {
        isUnwritable = true;
        LOG.atWarn()
            .addKeyValue("reason", disk.getMessage())
            .log("the address reserve can't be written down; it is tried again each second");
      }
    } catch (RuntimeException bug) {
      LOG.atError().setCause(bug).log("looking after the address reserve failed; it is repeated");
    }
  }

  /// What waits for a person is told when it is news.
  ///
  /// @return whether anything was settled
  private boolean reconcile() throws DatastoreException, IOException {
    List<Reconciled> outcomes = reserve.reconcile(ipam);
    outcomes.stream().filter(outcome -> !waiting.contains(outcome)).forEach(ReserveKeeper::tell);
    waiting =
        outcomes.stream()
            .filter(
                outcome ->
                    outcome instanceof Reconciled.Lost || outcome instanceof Reconciled.Stuck)
            .collect(Collectors.toSet());
    return waiting.size() < outcomes.size();
  }

  private static void tell(Reconciled outcome) {
    switch (outcome) {
      case Reconciled.Moved moved ->
          LOG.atInfo()
              .addKeyValue("handle", moved.handleId())
              .addKeyValue("addresses", moved.assignments())
              .addKeyValue("remarks", moved.remarks())
              .log("the datastore knows now of a pod that started without it");
      case Reconciled.Dropped dropped ->
          LOG.atInfo()
              .addKeyValue("handle", dropped.handleId())
              .log("a pod came and went without the datastore; its addresses are free again");
      case Reconciled.Lost lost ->
          LOG.atError()
              .addKeyValue("handle", lost.handleId())
              .addKeyValue("address", lost.address())
              .addKeyValue("reason", lost.reason())
              .log("an address given without the datastore is somebody else's; delete the pod");
      case Reconciled.Stuck stuck ->
          LOG.atError()
              .addKeyValue("handle", stuck.handleId())
              .addKeyValue("reason", stuck.reason())
              .log("the datastore can't be told of an address given without it; it is tried again");
    }
  }

  @Override
  public void close() {
    thread.shutdownNow();
  }
}
