package io.margay.agent.firewall.rack;

import io.margay.linux.LinuxException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/// Sends for every cell in turn, as fast as one thread can, and holds each packet that arrives
/// against the states it can have met. Nobody answers, so every packet is the first of its
/// connection.
final class Prober {

  /// More packets than can be on their way.
  private static final int REMEMBERED = 1 << 20;

  private static final int MAX_VIOLATIONS = 20;
  private static final int FIRST_SOURCE_PORT = 10_000;

  private final List<Cell> cells;
  private final Permissions permissions;
  private final List<WirePort> receivers = new ArrayList<>();
  private final WirePort.Repeated[] packets;
  private final int[] oldest = new int[REMEMBERED];
  private final Queue<String> violations = new ConcurrentLinkedQueue<>();
  private final Thread thread;
  private volatile boolean stopped;
  private final AtomicInteger rounds = new AtomicInteger();
  private volatile @Nullable Throwable failure;
  private final long[] roundNanos = new long[1 << 16];

  // The prober's thread alone, and whoever has waited for its end.
  private long arrived;
  private long begun;
  private long ended;

  Prober(PacketRack rack, List<Cell> cells, Permissions permissions) {
    this.cells = cells;
    this.permissions = permissions;
    this.packets = new WirePort.Repeated[cells.size()];
    for (int i = 0; i < cells.size(); i++) {
      Cell cell = cells.get(i);
      WirePort from = (WirePort) rack.port(cell.from());
      WirePort to = (WirePort) rack.port(cell.to());
      packets[i] =
          from.repeat(
              new Packet(
                  from.address(cell.family()),
                  to.address(cell.family()),
                  cell.transport(),
                  FIRST_SOURCE_PORT + i,
                  cell.port(),
                  false,
                  0));
      receivers.add(to);
    }
    thread = Thread.ofPlatform().name("prober").unstarted(this::run);
  }

  void start() {
    thread.start();
  }

  private void run() {
    begun = System.nanoTime();
    try {
      long lastRound = begun;
      for (int id = 0; !stopped; id = id + 1 & 0x7fff_ffff) {
        int cell = id % cells.size();
        oldest[id & REMEMBERED - 1] = permissions.oldest();
        packets[cell].send(id);
        receivers.get(cell).drain(this::onArrival);
        if (cell == cells.size() - 1) {
          long now = System.nanoTime();
          roundNanos[rounds.getAndIncrement() & roundNanos.length - 1] = now - lastRound;
          lastRound = now;
        }
      }
    } catch (LinuxException | RuntimeException failed) {
      failure = failed;
    }
    ended = System.nanoTime();
  }

  private void onArrival(int id) {
    arrived++;
    int cell = id % cells.size();
    int from = oldest[id & REMEMBERED - 1];
    int to = permissions.newest();
    if (!permissions.allow(cell, from, to) && violations.size() < MAX_VIOLATIONS) {
      violations.add(
          cells.get(cell) + " passed, though allowed by none of" + permissions.describe(from, to));
    }
  }

  /// Waits until every cell has been sent for at least once more.
  void awaitRound() throws InterruptedException {
    int wanted = rounds.get() + 2;
    while (rounds.get() - wanted < 0 && thread.isAlive()) {
      Thread.sleep(0, 200_000);
    }
    if (failure != null) {
      throw new AssertionError("the prober failed", failure);
    }
  }

  /// Packets that should not have passed.
  List<String> violations() {
    return List.copyOf(violations);
  }

  /// What it sees: a window in which everything is open if it is as long as the time between two
  /// packets, one for a single cell if it is as long as a round. After [#stop].
  String sight() {
    int known = Math.min(rounds.get(), roundNanos.length);
    long sent = (long) rounds.get() * cells.size();
    long[] sorted = Arrays.copyOf(roundNanos, known);
    Arrays.sort(sorted);
    double perRound = known == 0 ? 0 : sorted[known / 2] / 1e3;
    double worst = known == 0 ? 0 : sorted[known * 99 / 100] / 1e3;
    return "%d packets, %d of them arrived; %.0f a second; a window for all cells is seen from %.1f us on, for one of %d cells from %.0f us on (p99 %.0f us)"
        .formatted(
            sent,
            arrived,
            sent * 1e9 / Math.max(1, ended - begun),
            perRound / cells.size(),
            cells.size(),
            perRound,
            worst);
  }

  void stop() throws InterruptedException {
    stopped = true;
    thread.join();
  }
}
