package io.margay.agent.birth;

import io.margay.agent.settings.AddressChoice;
import io.margay.agent.settings.AgentSettings;
import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.linux.LinuxException;
import io.margay.linux.netlink.NetlinkListener;
import io.margay.linux.netlink.NetlinkMessage;
import io.margay.linux.netlink.NetlinkSocket;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Brings the node into the datastore and keeps its addresses there true: looks at once, a moment
/// after an address of the node changed, and every [#INTERVAL]. Goes on while the datastore is
/// away; nothing of the agent waits for it.
public final class BirthKeeper implements AutoCloseable {

  /// How long a change that no notification told of may go unnoticed.
  public static final Duration INTERVAL = Duration.ofSeconds(60);

  /// How long a look that failed waits.
  static final Duration RETRY = Duration.ofSeconds(5);

  /// How long a notification waits for more of them: an address often comes with others.
  private static final Duration SETTLING = Duration.ofSeconds(1);

  /// Looks in a row that others' writes may spoil.
  private static final int MAX_ATTEMPTS = 5;

  private static final Logger LOG = LoggerFactory.getLogger(BirthKeeper.class);

  private final HostAddressBook addresses;
  private final NodeBirth birth;
  private final ScheduledThreadPoolExecutor thread;
  private final AtomicBoolean isAwaited = new AtomicBoolean();
  private final NetlinkListener listener;
  private List<HostLink> seen = List.of();

  /// Whether the last look did what it was to do. One that did not is repeated whatever changed.
  private boolean isDone;

  private String failure = "";

  private BirthKeeper(AgentSettings settings, Datastore datastore, InstantSource clock)
      throws LinuxException {
    addresses = HostAddressBook.open();
    birth = new NodeBirth(settings, datastore, addresses::find, clock);
    thread =
        new ScheduledThreadPoolExecutor(
            1, Thread.ofPlatform().daemon().name("node-birth").factory());
    thread.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
    try {
      listener =
          NetlinkListener.start(
              "addresses",
              NetlinkSocket.ROUTE,
              List.of(NetlinkListener.RTNLGRP_IPV4_IFADDR, NetlinkListener.RTNLGRP_IPV6_IFADDR),
              new Notifications());
    } catch (LinuxException refused) {
      addresses.close();
      throw refused;
    }
    thread.scheduleWithFixedDelay(this::look, 0, INTERVAL.toSeconds(), TimeUnit.SECONDS);
  }

  /// Begins in the calling thread's namespace.
  public static BirthKeeper start(AgentSettings settings, Datastore datastore, InstantSource clock)
      throws LinuxException {
    return new BirthKeeper(settings, datastore, clock);
  }

  /// The node's IPv4 address as far as it is known without the datastore.
  public static Optional<IpAddress> ipv4(AgentSettings settings) throws LinuxException {
    AddressChoice choice =
        NodeDocument.effective(settings.birth().ipv4(), IpFamily.IPV4, Optional.empty());
    try (HostAddressBook book = HostAddressBook.open()) {
      return book.find(choice, IpFamily.IPV4).map(found -> found.address().address());
    }
  }

  /// The kernel says that an address came or went.
  void noticed() {
    schedule(SETTLING, this::lookIfChanged);
  }

  private void lookIfChanged() {
    try {
      if (isDone && addresses.links().equals(seen)) {
        isAwaited.set(false);
        return;
      }
    } catch (LinuxException unreadable) {
      LOG.atDebug().addKeyValue("reason", unreadable.getMessage()).log("the look itself will tell");
    }
    look();
  }

  private void look() {
    isAwaited.set(false);
    isDone = false;
    try {
      seen = addresses.links();
      for (int i = 0; i < MAX_ATTEMPTS; i++) {
        if (birth.look() != NodeBirth.Outcome.LOST_RACE) {
          failure = "";
          isDone = true;
          return;
        }
      }
      schedule(RETRY, this::look);
    } catch (DatastoreException | LinuxException refused) {
      if (!String.valueOf(refused.getMessage()).equals(failure)) {
        failure = String.valueOf(refused.getMessage());
        LOG.atWarn()
            .addKeyValue("reason", failure)
            .log("the node's documents can't be looked at; trying again");
      }
      schedule(RETRY, this::look);
    } catch (RuntimeException bug) {
      LOG.atError().setCause(bug).log("looking at the node's documents failed; it is repeated");
    }
  }

  /// One look is awaited at a time: a notification's is sooner than a retry, and takes its place.
  private void schedule(Duration delay, Runnable next) {
    if (isAwaited.compareAndSet(false, true)) {
      try {
        thread.schedule(next, delay.toMillis(), TimeUnit.MILLISECONDS);
      } catch (RejectedExecutionException closed) {
        // The next start looks.
      }
    }
  }

  private final class Notifications implements NetlinkListener.Events {

    @Override
    public void onMessage(NetlinkMessage message) {
      noticed();
    }

    @Override
    public void onOverrun() {
      noticed();
    }

    @Override
    public void onFailure(LinuxException cause) {
      LOG.atWarn()
          .setCause(cause)
          .log("changes of the node's addresses are noticed once a minute only");
    }
  }

  @Override
  public void close() {
    listener.close();
    thread.shutdownNow();
    try {
      // The socket must not be closed under a look.
      if (!thread.awaitTermination(RETRY.toSeconds(), TimeUnit.SECONDS)) {
        LOG.atWarn().log("a look at the node's documents did not end; its socket is left open");
        return;
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      return;
    }
    addresses.close();
  }
}
