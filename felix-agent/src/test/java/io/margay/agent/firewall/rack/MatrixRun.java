package io.margay.agent.firewall.rack;

import io.margay.linux.LinuxException;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Sends one packet for each cell of a matrix, all at once, and sees which arrive.
final class MatrixRun {

  private final PacketRack rack;
  private final Volley volley;

  MatrixRun(PacketRack rack) {
    this.rack = rack;
    this.volley = new Volley(rack);
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
    Map<Cell, Packet> questions = new LinkedHashMap<>();
    for (Cell cell : cells) {
      Packet packet =
          volley.first(cell.from(), cell.to(), cell.transport(), cell.port(), cell.family());
      questions.put(cell, packet);
      volley.expect(cell.toString(), cell.from(), cell.to(), packet, allowed.contains(cell));
    }
    volley.fire("packets");
    questions.forEach(
        (cell, question) -> {
          // A node's stack answers by itself, or does not.
          if (allowed.contains(cell) && !PacketRack.NODES.contains(cell.to())) {
            Packet answer = question.reply(volley.newId());
            volley.expect("the answer to " + cell, cell.to(), cell.from(), answer, true);
          }
        });
    volley.fire("answers");
  }
}
