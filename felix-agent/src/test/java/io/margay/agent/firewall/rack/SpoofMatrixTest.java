package io.margay.agent.firewall.rack;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.linux.LinuxException;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// What pods send under other names than their own, with every policy open: none of it passes, to
/// nobody, by no protocol.
@Tag("netns")
final class SpoofMatrixTest {

  private static final long QUIET_NANOS = 300_000_000;
  private static final long PAUSE_NANOS = 1_000_000;
  private static final List<String> SPOOFERS = List.of("a/web", "a/client", "b/client");
  private static final List<String> VICTIMS =
      List.of("a/plain", "a/far", "c/lone", "n1", PacketRack.OUTSIDE);

  /// One of its own pods may also send from these.
  private static final String MAY_SPOOF =
      """
      apiVersion: projectcalico.org/v3
      kind: WorkloadEndpoint
      metadata: {namespace: a, name: n1-k8s-web-eth0, labels: {app: web}}
      spec:
        {orchestrator: k8s, node: n1, pod: web, endpoint: eth0, interfaceName: calia-web,
        ipNetworks: [10.65.1.1/32, "fd00:65:1::1/128"], profiles: [kns.a, ksa.a.default],
        serviceAccountName: default,
        allowSpoofedSourcePrefixes: [198.51.100.0/24, "2001:db8:5::/48"]}
      """;

  private World world = World.EMPTY;
  private PacketRack rack;
  private final List<NodePolicy> nodes = new ArrayList<>();
  private final Map<Integer, String> sent = new HashMap<>();
  private final Map<Integer, String> receiver = new HashMap<>();
  private int id;

  @BeforeEach
  void raise() throws Exception {
    world = World.EMPTY.with(MatrixRow.text("world.yaml"));
    rack = new PacketRack(world.endpoints());
    for (String name : PacketRack.NODES) {
      NodePolicy node = new NodePolicy(name, rack.nftables(name));
      nodes.add(node);
      node.learn(World.EMPTY.changesTo(world));
      node.write();
    }
  }

  @AfterEach
  void clean() throws Exception {
    nodes.forEach(NodePolicy::close);
    rack.close();
  }

  /// Names a pod might take: its neighbour's, a remote pod's, the node's, one nobody has, the
  /// gateway's, that of a machine outside, and some that are no host's at all.
  private List<IpAddress> names(IpFamily family) {
    List<IpAddress> names = new ArrayList<>();
    for (String end : List.of("a/plain", "a/far", "n1", "n2", PacketRack.OUTSIDE)) {
      names.add(rack.port(end).address(family));
    }
    List<String> others =
        switch (family) {
          case IPV4 ->
              List.of(
                  "10.65.1.99", "169.254.1.1", "198.51.100.1", "0.0.0.0", "224.0.0.5", "127.0.0.1");
          case IPV6 ->
              List.of(
                  "fd00:65:1::99", "fe80::1", "fe80::99", "2001:db8:5::1", "::", "ff02::5", "::1");
        };
    others.forEach(other -> names.add(IpAddress.parse(other)));
    return names;
  }

  private void send(String from, IpAddress as, String to, Transport transport)
      throws LinuxException {
    Packet packet =
        new Packet(as, rack.port(to).address(as.family()), transport, 20_000 + id, 80, false, id);
    rack.port(from).send(packet);
    sent.put(id, from + " as " + as + " > " + to + " " + transport);
    receiver.put(id, to);
    id++;
  }

  /// What has arrived where it was sent to, when nothing more comes.
  private Set<Integer> arrived() throws LinuxException {
    Set<Integer> arrived = new HashSet<>();
    long begun = System.nanoTime();
    while (System.nanoTime() - begun < QUIET_NANOS) {
      for (Map.Entry<String, Port> end : rack.ports().entrySet()) {
        end.getValue()
            .drain(
                got -> {
                  if (end.getKey().equals(receiver.get(got))) {
                    arrived.add(got);
                  }
                });
      }
      LockSupport.parkNanos(PAUSE_NANOS);
    }
    return arrived;
  }

  @Test
  void no_packet_passes_under_another_name() throws Exception {
    Set<Integer> honest = new HashSet<>();
    for (IpFamily family : IpFamily.values()) {
      for (String spoofer : SPOOFERS) {
        for (String victim : VICTIMS) {
          for (Transport transport : Transport.values()) {
            honest.add(id);
            send(spoofer, rack.port(spoofer).address(family), victim, transport);
            for (IpAddress name : names(family)) {
              send(spoofer, name, victim, transport);
            }
          }
        }
      }
    }
    Set<Integer> arrived = arrived();
    assertThat(arrived).as("under their own names").containsAll(honest);
    Set<String> spoofed = new TreeSet<>();
    arrived.stream()
        .filter(got -> !honest.contains(got))
        .forEach(got -> spoofed.add(sent.get(got)));
    assertThat(spoofed).as("under other names, of %s packets", sent.size()).isEmpty();
  }

  private void learn(World next, boolean maySpoof) throws Exception {
    for (NodePolicy node : nodes) {
      node.setMaySpoof(maySpoof);
      node.learn(world.changesTo(next));
      node.write();
      node.assertInStep();
    }
    world = next;
  }

  /// Sends from `a/web` and its neighbour under names in the prefixes and beside them.
  ///
  /// @return what arrived under a name that is not the sender's
  private Set<String> spoofedByTwo() throws Exception {
    Set<Integer> honest = new HashSet<>();
    for (IpFamily family : IpFamily.values()) {
      List<String> names =
          switch (family) {
            case IPV4 -> List.of("198.51.100.1", "198.51.101.1");
            case IPV6 -> List.of("2001:db8:5::1", "2001:db8:6::1");
          };
      for (String spoofer : List.of("a/web", "a/client")) {
        for (String victim : List.of("a/plain", PacketRack.OUTSIDE)) {
          honest.add(id);
          send(spoofer, rack.port(spoofer).address(family), victim, Transport.UDP);
          for (String name : names) {
            send(spoofer, IpAddress.parse(name), victim, Transport.UDP);
          }
          send(spoofer, rack.port("a/plain").address(family), victim, Transport.UDP);
        }
      }
    }
    Set<Integer> arrived = arrived();
    assertThat(arrived).as("under their own names").containsAll(honest);
    Set<String> spoofed = new TreeSet<>();
    arrived.stream()
        .filter(got -> !honest.contains(got))
        .forEach(got -> spoofed.add(sent.get(got)));
    return spoofed;
  }

  @Test
  void a_pod_sends_from_the_prefixes_it_was_given_where_the_node_lets_it_and_from_no_others()
      throws Exception {
    World first = world;
    World given = world.with(MAY_SPOOF);
    learn(given, false);
    assertThat(spoofedByTwo()).as("the node does not let it").isEmpty();

    learn(given, true);
    assertThat(spoofedByTwo())
        .containsExactlyInAnyOrder(
            "a/web as 198.51.100.1 > a/plain UDP",
            "a/web as 198.51.100.1 > " + PacketRack.OUTSIDE + " UDP",
            "a/web as 2001:db8:5::1 > a/plain UDP",
            "a/web as 2001:db8:5::1 > " + PacketRack.OUTSIDE + " UDP");

    learn(first, true);
    assertThat(spoofedByTwo()).as("nothing is given any more").isEmpty();
  }

  /// The fast path for established connections asks no policy; where packets come from is asked
  /// before it.
  @Test
  void nobody_joins_a_neighbours_connection() throws Exception {
    for (IpFamily family : IpFamily.values()) {
      for (Transport transport : Transport.values()) {
        IpAddress neighbour = rack.port("a/client").address(family);
        for (String victim : List.of("a/plain", "a/far", PacketRack.OUTSIDE)) {
          Packet first =
              new Packet(
                  neighbour,
                  rack.port(victim).address(family),
                  transport,
                  30_000 + id,
                  80,
                  false,
                  id);
          rack.port("a/client").send(first);
          receiver.put(id++, victim);
          Packet answer = first.reply(id);
          rack.port(victim).send(answer);
          receiver.put(id++, "a/client");
          assertThat(arrived()).as("the connection itself").contains(first.id(), answer.id());

          Packet joining =
              new Packet(
                  first.source(),
                  first.destination(),
                  transport,
                  first.sourcePort(),
                  first.destinationPort(),
                  false,
                  id);
          rack.port("a/web").send(joining);
          receiver.put(id++, victim);
          Packet answering = answer.reply(id);
          rack.port("a/web").send(answering);
          receiver.put(id++, victim);
          assertThat(arrived())
              .as("%s to %s", transport, victim)
              .doesNotContain(joining.id(), answering.id());
        }
      }
    }
  }
}
