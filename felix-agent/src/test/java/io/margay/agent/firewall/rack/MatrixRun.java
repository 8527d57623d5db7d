package io.margay.agent.firewall.rack;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.linux.LinuxException;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.locks.LockSupport;

/// Sends one packet for each cell of a matrix, all at once, and sees which arrive.
final class MatrixRun {

  /// What is dropped is not answered at any time; a longer wait would show the same.
  private static final long QUIET_NANOS = 150_000_000;

  /// Long enough for any packet that passes, on a busy machine.
  private static final long ARRIVAL_NANOS = 10_000_000_000L;

  private static final long PAUSE_NANOS = 1_000_000;
  private static final int FIRST_SOURCE_PORT = 20_000;
  private static final int SOURCE_PORTS = 40_000;
  private static final int SENT_BETWEEN_READINGS = 64;

  private final PacketRack rack;
  private int nextId;
  private long packets;

  /// A packet on its way.
  private record Probe(Cell cell, Packet packet) {}

  MatrixRun(PacketRack rack) {
    this.rack = rack;
  }

  /// How many were sent, answers included.
  long packets() {
    return packets;
  }

  /// Everybody's addresses.
  Set<IpAddress> addresses() {
    Set<IpAddress> addresses = new HashSet<>();
    for (Port port : rack.ports().values()) {
      for (IpFamily family : IpFamily.values()) {
        addresses.add(port.address(family));
      }
    }
    return addresses;
  }

  /// Fails unless exactly the allowed cells' packets arrive, and answers to them.
  void check(List<Cell> cells, Set<Cell> allowed) throws LinuxException {
    Map<Integer, Probe> questions = new HashMap<>();
    Set<Integer> wanted = new HashSet<>();
    for (Cell cell : cells) {
      int id = nextId++;
      Packet packet =
          new Packet(
              rack.port(cell.from()).address(cell.family()),
              rack.port(cell.to()).address(cell.family()),
              cell.transport(),
              FIRST_SOURCE_PORT + id % SOURCE_PORTS,
              cell.port(),
              false,
              id);
      questions.put(id, new Probe(cell, packet));
      if (allowed.contains(cell)) {
        wanted.add(id);
      }
    }
    Set<Integer> arrived = exchange(questions, wanted);
    compare("packets", questions, arrived, wanted);

    Map<Integer, Probe> answers = new HashMap<>();
    questions.forEach(
        (id, question) -> {
          // A node's stack answers by itself, or does not.
          if (arrived.contains(id) && !PacketRack.NODES.contains(question.cell().to())) {
            int answer = nextId++;
            answers.put(answer, answer(question, answer));
          }
        });
    compare("answers", answers, exchange(answers, answers.keySet()), answers.keySet());
  }

  private static Probe answer(Probe question, int id) {
    Cell cell = question.cell();
    return new Probe(
        new Cell(cell.to(), cell.from(), cell.transport(), cell.port(), cell.family()),
        question.packet().reply(id));
  }

  /// @return which arrived where they were to
  private Set<Integer> exchange(Map<Integer, Probe> probes, Collection<Integer> wanted)
      throws LinuxException {
    Set<Integer> arrived = new HashSet<>();
    int inFlight = 0;
    for (Probe probe : probes.values()) {
      rack.port(probe.cell().from()).send(probe.packet());
      packets++;
      if (++inFlight % SENT_BETWEEN_READINGS == 0) {
        read(probes, arrived);
      }
    }
    long sent = System.nanoTime();
    while (true) {
      read(probes, arrived);
      long waited = System.nanoTime() - sent;
      if (waited > (arrived.containsAll(wanted) ? QUIET_NANOS : ARRIVAL_NANOS)) {
        return arrived;
      }
      LockSupport.parkNanos(PAUSE_NANOS);
    }
  }

  private void read(Map<Integer, Probe> probes, Set<Integer> arrived) throws LinuxException {
    for (Map.Entry<String, Port> end : rack.ports().entrySet()) {
      end.getValue()
          .drain(
              id -> {
                Probe probe = probes.get(id);
                // What a stack sends back may quote the whole packet.
                if (probe != null && probe.cell().to().equals(end.getKey())) {
                  arrived.add(id);
                }
              });
    }
  }

  private static void compare(
      String what, Map<Integer, Probe> probes, Set<Integer> arrived, Collection<Integer> wanted) {
    Set<String> wrong = new TreeSet<>();
    List<Integer> ids = new ArrayList<>(probes.keySet());
    for (int id : ids) {
      Probe probe = probes.get(id);
      if (probe != null && arrived.contains(id) != wanted.contains(id)) {
        wrong.add(probe.cell() + (arrived.contains(id) ? " is let through" : " is dropped"));
      }
    }
    assertThat(wrong).as("%s that fare otherwise than they should", what).isEmpty();
  }
}
