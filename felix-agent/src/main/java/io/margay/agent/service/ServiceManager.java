package io.margay.agent.service;

import io.margay.linux.LinuxException;
import io.margay.linux.socket.NotifySocket;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Tells the service manager (systemd, or whoever set `NOTIFY_SOCKET`) how the agent fares, by the
/// protocol of sd_notify(3): what it waits for, that it is ready, that its loops answer, that it
/// stops. Without a service manager nothing is told. From any thread.
///
/// The agent's loops are asked from the beginning, with a manager or without: `/liveness` says how
/// they answer. Only while each does is the time it may take to start extended
/// (`EXTEND_TIMEOUT_USEC`), or the watchdog fed (`WATCHDOG=1`): a loop that is stuck ends in a
/// restart, through which the kernel's state stays as it is. A datastore that is away sticks no
/// loop.
public final class ServiceManager implements AutoCloseable {

  /// How often it is told what is waited for, at least; with a watchdog, a quarter of its time if
  /// that is less.
  static final Duration TICK = Duration.ofSeconds(10);

  /// How long the manager gives us to start from each extension on.
  static final Duration EXTENSION = Duration.ofMinutes(2);

  private static final Logger LOG = LoggerFactory.getLogger(ServiceManager.class);

  /// Where datagrams go.
  interface Sink extends AutoCloseable {

    /// @throws LinuxException when nobody took it
    void send(String datagram) throws LinuxException;

    @Override
    void close();
  }

  private final @Nullable Sink sink;
  private final Duration tick;
  private final boolean isWatched;
  private final ScheduledThreadPoolExecutor thread;
  private volatile @Nullable LoopProbe probe;
  private Supplier<String> status = () -> "starting";
  private String told = "";
  private boolean isReady;
  private boolean isReadyTold;
  private boolean isStopping;
  private boolean isFailing;

  private ServiceManager(@Nullable Sink sink, Optional<Duration> watchdog) {
    this.sink = sink;
    this.isWatched = watchdog.isPresent();
    this.tick =
        watchdog
            .map(time -> time.dividedBy(4))
            .filter(quarter -> quarter.compareTo(TICK) < 0)
            .orElse(TICK);
    this.thread =
        new ScheduledThreadPoolExecutor(
            1, Thread.ofPlatform().daemon().name("service-manager").factory());
  }

  /// One whose looks somebody else times.
  ServiceManager(Sink sink, Optional<Duration> watchdog, LoopProbe probe, Supplier<String> status) {
    this(sink, watchdog);
    this.probe = probe;
    this.status = status;
  }

  /// The manager that the environment names, if it names one.
  ///
  /// @param environment usually `System.getenv()`
  /// @param pid this process, for `WATCHDOG_PID`
  public static ServiceManager of(Map<String, String> environment, long pid) {
    String address = environment.get("NOTIFY_SOCKET");
    if (address == null || address.isEmpty()) {
      return none();
    }
    try {
      NotifySocket socket = NotifySocket.to(address);
      return new ServiceManager(
          new Sink() {
            @Override
            public void send(String datagram) throws LinuxException {
              socket.send(datagram);
            }

            @Override
            public void close() {
              socket.close();
            }
          },
          watchdog(environment, pid));
    } catch (IllegalArgumentException | LinuxException unusable) {
      LOG.atError()
          .addKeyValue("address", address)
          .addKeyValue("reason", unusable.getMessage())
          .log("NOTIFY_SOCKET can't be used; the service manager is told nothing");
      return none();
    }
  }

  /// For an agent that was started by hand.
  public static ServiceManager none() {
    return new ServiceManager(null, Optional.empty());
  }

  /// How long the manager waits for a sign of life, if it does for this process.
  static Optional<Duration> watchdog(Map<String, String> environment, long pid) {
    String micros = environment.get("WATCHDOG_USEC");
    String watched = environment.get("WATCHDOG_PID");
    if (micros == null || (watched != null && !watched.equals(Long.toString(pid)))) {
      return Optional.empty();
    }
    try {
      Duration time = Duration.ofNanos(Math.multiplyExact(Long.parseLong(micros), 1000L));
      return time.isPositive() ? Optional.of(time) : Optional.empty();
    } catch (ArithmeticException | NumberFormatException unusable) {
      LOG.atWarn().addKeyValue("value", micros).log("WATCHDOG_USEC is no time; no watchdog is fed");
      return Optional.empty();
    }
  }

  /// Begins to ask the loops, and to tell.
  ///
  /// @param loops by name, each that of its thread: all have to answer
  /// @param clock one that nobody sets
  /// @param newStatus what the agent waits for, or how it fares; one line, from any thread
  public synchronized void watch(
      Map<String, Pulse> loops, InstantSource clock, Supplier<String> newStatus) {
    status = newStatus;
    probe = new LoopProbe(loops, clock);
    thread.scheduleWithFixedDelay(this::guardedTick, 0, tick.toMillis(), TimeUnit.MILLISECONDS);
  }

  /// For how long each loop owes an answer; with or without a manager. Zero where none is owed.
  public SortedMap<String, Duration> silences() {
    LoopProbe loops = probe;
    return loops == null ? Collections.emptySortedMap() : loops.silences();
  }

  /// The agent serves from now on.
  public synchronized void ready() {
    isReady = true;
    tellState();
  }

  /// The agent ends, in order. Nothing is told afterwards.
  public synchronized void stopping() {
    if (!isStopping) {
      isStopping = true;
      send("STOPPING=1\nSTATUS=stopping; the kernel's state stays");
    }
  }

  private void guardedTick() {
    try {
      tick();
    } catch (RuntimeException bug) {
      LOG.atError().setCause(bug).log("telling the service manager failed; it is repeated");
    }
  }

  /// One look at the loops.
  void tick() {
    LoopProbe loops = probe;
    // Outside of the lock: a loop whose queue is full makes the poster wait.
    boolean answered = loops != null && loops.answered();
    synchronized (this) {
      if (isStopping) {
        return;
      }
      if (answered && isWatched && isReadyTold) {
        send("WATCHDOG=1");
      } else if (answered && !isReadyTold) {
        send("EXTEND_TIMEOUT_USEC=" + EXTENSION.toNanos() / 1000);
      }
      tellState();
    }
  }

  private void tellState() {
    if (isStopping || sink == null) {
      return;
    }
    String line = status.get().replace('\n', ' ');
    if (isReady && !isReadyTold) {
      // Told until it was heard: who missed it would end us for not starting.
      isReadyTold = send("READY=1\nSTATUS=" + line);
      told = isReadyTold ? line : told;
    } else if (!line.equals(told) && send("STATUS=" + line)) {
      told = line;
    }
  }

  private boolean send(String datagram) {
    if (sink == null) {
      return false;
    }
    try {
      sink.send(datagram);
      isFailing = false;
      return true;
    } catch (LinuxException refused) {
      if (!isFailing) {
        isFailing = true;
        LOG.atWarn()
            .addKeyValue("reason", refused.getMessage())
            .log("the service manager does not listen; it is told again");
      }
      return false;
    }
  }

  @Override
  public void close() {
    stopping();
    thread.shutdownNow();
    if (sink != null) {
      sink.close();
    }
  }
}
