package io.margay.agent.firewall.rack;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.linux.LinuxException;
import io.margay.model.net.IpFamily;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.locks.LockSupport;

/// Packets between the ends of a rack, sent all at once, and whether exactly those arrive that
/// should.
final class Volley {

  /// What is dropped is not answered at any time; a longer wait would show the same.
  private static final long QUIET_NANOS = 150_000_000;

  /// Long enough for any packet that passes, on a busy machine.
  private static final long ARRIVAL_NANOS = 10_000_000_000L;

  private static final long PAUSE_NANOS = 1_000_000;
  private static final int FIRST_SOURCE_PORT = 20_000;
  private static final int SOURCE_PORTS = 40_000;
  private static final int SENT_BETWEEN_READINGS = 64;

  private final PacketRack rack;
  private final Map<Integer, Flight> flights = new LinkedHashMap<>();
  private int nextId;

  /// One packet on its way.
  private record Flight(String name, String from, String to, Datagram packet, boolean passes) {}

  Volley(PacketRack rack) {
    this.rack = rack;
  }

  /// A number no packet has had.
  int newId() {
    return nextId++;
  }

  /// The first packet of a connection of its own.
  Packet first(String from, String to, Transport transport, int port, IpFamily family) {
    int id = newId();
    return new Packet(
        rack.port(from).address(family),
        rack.port(to).address(family),
        transport,
        FIRST_SOURCE_PORT + id % SOURCE_PORTS,
        port,
        false,
        id);
  }

  /// What is to be expected of a packet: [#passes] or [#fails].
  interface Expectation {
    void of(String from, String to, Datagram packet);
  }

  /// Adds one that answers what nobody asked, and those that speak of what nobody sent.
  void ofNoConnection(String from, String to, IpFamily family, Expectation expectation) {
    expectation.of(from, to, first(to, from, Transport.TCP, 80, family).reply(newId()));
    for (IcmpError.Kind kind : IcmpError.Kind.values()) {
      Packet quoted = first(to, from, Transport.UDP, 80, family);
      expectation.of(from, to, IcmpError.of(quoted.destination(), kind, quoted));
    }
  }

  /// @param to where it should arrive, whoever it is addressed to
  void passes(String from, String to, Datagram packet) {
    expect(from + " > " + to + " " + packet, from, to, packet, true);
  }

  /// @param to where it must not arrive
  void fails(String from, String to, Datagram packet) {
    expect(from + " > " + to + " " + packet, from, to, packet, false);
  }

  /// Adds a packet under a name of its own.
  void expect(String name, String from, String to, Datagram packet, boolean passes) {
    flights.put(packet.id(), new Flight(name, from, to, packet, passes));
  }

  /// Sends what was added since the last time. Fails unless exactly what should arrive does.
  ///
  /// @param what of whom the message speaks
  void fire(String what) throws LinuxException {
    Set<Integer> arrived = exchange();
    Set<String> wrong = new TreeSet<>();
    flights.forEach(
        (id, flight) -> {
          if (arrived.contains(id) != flight.passes()) {
            wrong.add(flight.name() + (flight.passes() ? " is dropped" : " is let through"));
          }
        });
    flights.clear();
    assertThat(wrong).as("%s that fare otherwise than they should", what).isEmpty();
  }

  private Set<Integer> exchange() throws LinuxException {
    Set<Integer> wanted = new HashSet<>();
    Set<Integer> arrived = new HashSet<>();
    int inFlight = 0;
    for (Flight flight : flights.values()) {
      rack.port(flight.from()).send(flight.packet());
      if (flight.passes()) {
        wanted.add(flight.packet().id());
      }
      if (++inFlight % SENT_BETWEEN_READINGS == 0) {
        read(arrived);
      }
    }
    long sent = System.nanoTime();
    while (true) {
      read(arrived);
      long waited = System.nanoTime() - sent;
      if (waited > (arrived.containsAll(wanted) ? QUIET_NANOS : ARRIVAL_NANOS)) {
        return arrived;
      }
      LockSupport.parkNanos(PAUSE_NANOS);
    }
  }

  private void read(Set<Integer> arrived) throws LinuxException {
    for (Map.Entry<String, Port> end : rack.ports().entrySet()) {
      end.getValue()
          .drain(
              id -> {
                Flight flight = flights.get(id);
                // What a stack sends back may quote the whole packet.
                if (flight != null && flight.to().equals(end.getKey())) {
                  arrived.add(id);
                }
              });
    }
  }
}
