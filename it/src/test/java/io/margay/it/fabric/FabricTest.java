package io.margay.it.fabric;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.cli.demo.UdpFlood;
import io.margay.cli.lab.Command;
import io.margay.cli.lab.LabException;
import io.margay.cli.lab.Topology.Node;
import io.margay.cli.lab.Topology.Tor;
import io.margay.model.net.IpFamily;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The fabrics of docs/fabrics.md. The figures of its table are what this prints.
@Tag("lab")
class FabricTest {

  private static final long PROCESS = ProcessHandle.current().pid();

  @ParameterizedTest(name = "{0}")
  @ValueSource(
      strings = {"rack", "dual-tor-bfd", "as-per-rack", "reflectors", "unnumbered", "ipv6-only"})
  void a_fabric_carries_whatever_befalls_it(String topology) throws Exception {
    String name = "mgytf" + PROCESS;
    try (Fabric fabric = Fabric.raise(topology, name)) {
      assertThat(Fabric.await(fabric::knowsAllWays)).as("all ways are known").isTrue();
      assertThat(fabric.closed()).isEmpty();
      if (topology.equals("unnumbered")) {
        assertThat(fabric.ip("node1", "route")).contains("via inet6 fe80::");
        assertThat(fabric.ip("node1", "addr", "show", "dev", "tor1")).doesNotContain("inet ");
      }
      loseAgent(topology, fabric);
      if (fabric.ways() > 1) {
        loseWays(topology, fabric);
      }
      assertThat(fabric.deletePods()).isEmpty();
    }
    assertThat(Command.of("ip", "netns", "list").output()).doesNotContain("mgy-" + name + "-");
    assertThat(Path.of("/run/margay-lab", name)).doesNotExist();
  }

  private static void loseAgent(String topology, Fabric fabric) throws Exception {
    Node node = fabric.node("node1");
    List<UdpFlood> streams = new ArrayList<>();
    for (IpFamily family : fabric.families()) {
      streams.add(fabric.stream("web-1", "web-2", family));
      streams.add(fabric.stream("web-2", "web-1", family));
    }
    fabric.lab().killAgent(node);
    fabric.lab().startAgent(node, true);
    fabric.lab().awaitHttp();
    assertThat(Fabric.await(() -> fabric.hasAllSessions(node))).as("sessions are back").isTrue();
    for (UdpFlood stream : streams) {
      assertThat(Fabric.goesOn(stream)).isTrue();
      UdpFlood.Report report = stream.stop();
      assertThat(report.lost()).as("%s: agent killed: %s", topology, report).isZero();
    }
    say("%s: agent killed and started: nothing lost".formatted(topology));
    assertThat(Fabric.await(fabric::knowsAllWays)).as("all ways are known").isTrue();
  }

  /// What ends a way.
  private enum Fault {
    SENDERS_LINK_DOWN {
      @Override
      void strike(Fabric fabric, Tor tor) throws LabException {
        fabric.faults().cut(fabric.node("node1"), tor);
      }

      @Override
      void mend(Fabric fabric, Tor tor) throws LabException {
        fabric.faults().mend(fabric.node("node1"), tor);
      }
    },
    RECEIVERS_LINK_DOWN {
      @Override
      void strike(Fabric fabric, Tor tor) throws LabException {
        fabric.faults().cut(fabric.node("node2"), tor);
      }

      @Override
      void mend(Fabric fabric, Tor tor) throws LabException {
        fabric.faults().mend(fabric.node("node2"), tor);
      }
    },
    ROUTER_HANGS {
      @Override
      void strike(Fabric fabric, Tor tor) throws LabException {
        fabric.faults().hang(tor);
      }

      @Override
      void mend(Fabric fabric, Tor tor) throws LabException {
        fabric.faults().resume(tor);
      }
    };

    abstract void strike(Fabric fabric, Tor tor) throws LabException;

    abstract void mend(Fabric fabric, Tor tor) throws LabException;
  }

  /// Traffic that a way carried takes the other; how long it stood still is printed.
  private static void loseWays(String topology, Fabric fabric) throws Exception {
    int next = 0;
    for (Fault fault : Fault.values()) {
      Tor tor = fabric.topology().tors().get(next++ % fabric.ways());
      List<UdpFlood> streams = new ArrayList<>();
      for (IpFamily family : fabric.families()) {
        streams.add(fabric.streamOver(tor, streams.size(), "web-1", "web-2", family));
      }
      fault.strike(fabric, tor);
      for (int i = 0; i < streams.size(); i++) {
        UdpFlood stream = streams.get(i);
        assertThat(Fabric.goesOn(stream)).as("%s: %s", topology, fault).isTrue();
        say(
            "%s: %s, %s (%s): %s"
                .formatted(topology, fault, fabric.families().get(i), tor.daemon(), stream.stop()));
      }
      fault.mend(fabric, tor);
      assertThat(Fabric.await(fabric::knowsAllWays))
          .as("%s: %s, and mended", topology, fault)
          .isTrue();
    }
  }

  private static void say(String line) {
    System.out.println(line);
  }
}
