package io.margay.agent.firewall.rack;

import io.margay.model.net.IpFamily;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// One entry of a connectivity matrix: who sends what to whom.
///
/// @param from the end it starts at, see [PacketRack#ports]
/// @param port 0 for a transport without ports
record Cell(String from, String to, Transport transport, int port, IpFamily family) {

  /// A kind of packet that a matrix has a cell of for every pair of ends.
  record Probe(Transport transport, int port) {

    /// Parses `tcp/80`, `icmp`.
    static Probe parse(String text) {
      String[] parts = text.split("/", 2);
      Transport transport = Transport.valueOf(parts[0].toUpperCase(Locale.ROOT));
      return new Probe(transport, transport.hasPorts() ? Integer.parseInt(parts[1]) : 0);
    }
  }

  /// A hand-written entry.
  record Expected(Cell cell, boolean allowed) {

    /// Parses `[+-][4|6] FROM > TO PROTOCOL/PORT`: `+` is allowed; without a digit, in either
    /// family.
    static List<Expected> parse(String text) {
      String[] words = text.trim().split("\\s+");
      if (words.length != 5 || !words[2].equals(">") || !words[0].matches("[+-][46]?")) {
        throw new IllegalArgumentException("not an expectation: " + text);
      }
      Probe probe = Probe.parse(words[4]);
      List<Expected> both = new ArrayList<>();
      for (IpFamily family : IpFamily.values()) {
        if (words[0].length() == 1 || words[0].endsWith(Integer.toString(family.version()))) {
          both.add(
              new Expected(
                  new Cell(words[1], words[3], probe.transport(), probe.port(), family),
                  words[0].charAt(0) == '+'));
        }
      }
      return both;
    }
  }

  @Override
  public String toString() {
    return from
        + " > "
        + to
        + " "
        + transport.name().toLowerCase(Locale.ROOT)
        + (transport.hasPorts() ? "/" + port : "")
        + " IPv"
        + family.version();
  }
}
