package io.margay.it.fabric;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.margay.cli.demo.UdpFlood;
import io.margay.cli.lab.Command;
import io.margay.cli.lab.Distribution;
import io.margay.cli.lab.Lab;
import io.margay.cli.lab.LabException;
import io.margay.cli.lab.LabTeardown;
import io.margay.cli.lab.LeakChecker;
import io.margay.cli.lab.Probe;
import io.margay.cli.lab.RouterFaults;
import io.margay.cli.lab.Topology;
import io.margay.cli.lab.Topology.Node;
import io.margay.cli.lab.Topology.Pod;
import io.margay.cli.lab.Topology.Tor;
import io.margay.it.Rack;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/// A fabric that stands, with all its pods.
final class Fabric implements AutoCloseable {

  static final int PACKETS_PER_SECOND = 500;

  private static final int LOOKS = 120;
  private static final int LOOK_MILLIS = 250;

  /// How long packets are counted to tell which router carries a stream.
  private static final int COUNTED_MILLIS = 250;

  /// Streams begun until one takes the router that is wanted.
  private static final int STREAMS_TRIED = 12;

  private static final JsonMapper JSON = new JsonMapper();

  private final Lab lab;
  private int streams;

  private Fabric(Lab lab) {
    this.lab = lab;
  }

  static Fabric raise(String topology, String name) throws Exception {
    Path file = Rack.ROOT.resolve("deploy/lab/" + topology + ".yaml");
    Distribution distribution = new Distribution(Rack.ROOT.resolve("dist"));
    return new Fabric(
        Lab.raise(
                name,
                Topology.read(file),
                file,
                distribution,
                new Lab.Options(false, true),
                _ -> {})
            .lab());
  }

  Lab lab() {
    return lab;
  }

  Topology topology() {
    return lab.plan().topology();
  }

  RouterFaults faults() {
    return new RouterFaults(lab.plan());
  }

  List<IpFamily> families() {
    return List.of(IpFamily.values()).stream().filter(topology()::serves).toList();
  }

  Node node(String name) {
    return topology().nodes().stream()
        .filter(node -> node.name().equals(name))
        .findFirst()
        .orElseThrow();
  }

  /// How many ways lead from a node to another.
  int ways() {
    return topology().nodes().getFirst().tors().size();
  }

  interface Question {
    boolean isAnswered() throws Exception;
  }

  /// Asks again until the answer is yes.
  ///
  /// @return whether it was, within half a minute
  static boolean await(Question question) throws Exception {
    for (int i = 0; i < LOOKS; i++) {
      if (question.isAnswered()) {
        return true;
      }
      TimeUnit.MILLISECONDS.sleep(LOOK_MILLIS);
    }
    return false;
  }

  /// Whether each node's kernel knows the way, or all of several, to each pod of another node, and
  /// each router that peers with nodes the way to all pods.
  boolean knowsAllWays() throws LabException {
    for (IpFamily family : families()) {
      for (Node node : topology().nodes()) {
        if (!knowsWays(node.name(), family, node.name(), ways())) {
          return false;
        }
      }
      for (Tor tor : topology().reflectors().isEmpty() ? topology().tors() : List.<Tor>of()) {
        if (!knowsWays(tor.name(), family, "", 1)) {
          return false;
        }
      }
    }
    return true;
  }

  /// @param except the node whose pods are not asked for
  private boolean knowsWays(String machine, IpFamily family, String except, int ways)
      throws LabException {
    Map<Prefix, Integer> routes = routes(machine, family);
    for (Pod pod : topology().pods()) {
      IpAddress address = lab.runtime().address(pod, family).orElseThrow();
      int known =
          routes.entrySet().stream()
              .filter(route -> route.getKey().contains(address))
              .mapToInt(Map.Entry::getValue)
              .sum();
      if (!pod.node().equals(except) && known != ways) {
        return false;
      }
    }
    return true;
  }

  /// How many ways the kernel of a machine has, by destination.
  private Map<Prefix, Integer> routes(String machine, IpFamily family) throws LabException {
    Map<Prefix, Integer> routes = new HashMap<>();
    for (JsonNode route : json(ip(machine, "-j", "-" + family.version(), "route"))) {
      boolean isRouted = route.has("gateway") || route.has("via");
      int ways = isRouted ? 1 : route.path("nexthops").size();
      String destination = route.path("dst").asText();
      if (ways > 0 && !destination.equals("default")) {
        routes.merge(Prefix.parseLenient(destination), ways, Integer::sum);
      }
    }
    return routes;
  }

  /// What `ip` prints about a machine.
  String ip(String machine, String... arguments) throws LabException {
    List<String> all = new ArrayList<>(List.of("ip", "-n", lab.plan().machineNamespace(machine)));
    all.addAll(List.of(arguments));
    return Command.of(all.toArray(String[]::new)).output();
  }

  private static JsonNode json(String text) throws LabException {
    try {
      return JSON.readTree(text.isBlank() ? "[]" : text);
    } catch (IOException notJson) {
      throw new LabException("not JSON: " + text, notJson);
    }
  }

  /// Tries between pods that were not open, over every family there is.
  List<Probe.Try> closed() throws LabException {
    return new Probe(lab, List.of())
        .run().stream().filter(each -> each.seen() != Probe.Seen.OPEN).toList();
  }

  /// The node's sessions, as `margay bgp peers` shows them.
  JsonNode peers(Node node) throws LabException {
    return json(
        Command.in(
                lab.plan().machineNamespace(node.name()),
                Rack.MARGAY.toString(),
                "bgp",
                "peers",
                "-o",
                "json")
            .output());
  }

  boolean hasAllSessions(Node node) throws LabException {
    JsonNode peers = peers(node);
    for (JsonNode peer : peers) {
      if (!peer.path("state").asText().equals("Established")) {
        return false;
      }
    }
    return !peers.isEmpty();
  }

  /// A stream between two pods, each on a port of its own.
  UdpFlood stream(String from, String to, IpFamily family) throws LabException {
    return UdpFlood.start(
        lab.plan().podNamespace(pod(from)),
        lab.plan().podNamespace(pod(to)),
        lab.runtime().address(pod(to), family).orElseThrow(),
        9000 + streams++,
        PACKETS_PER_SECOND);
  }

  private Pod pod(String name) {
    return topology().pods().stream()
        .filter(pod -> pod.name().equals(name))
        .findFirst()
        .orElseThrow();
  }

  /// A stream that takes the way over a router.
  ///
  /// @param others how many streams the router carries already
  UdpFlood streamOver(Tor tor, int others, String from, String to, IpFamily family)
      throws Exception {
    for (int i = 0; i < STREAMS_TRIED; i++) {
      long before = lab.packetsReceived(tor);
      UdpFlood stream = stream(from, to, family);
      TimeUnit.MILLISECONDS.sleep(COUNTED_MILLIS);
      long carried = lab.packetsReceived(tor) - before;
      if (carried > stream.received() * (others + 0.5)) {
        return stream;
      }
      stream.stop();
    }
    throw new AssertionError(STREAMS_TRIED + " streams avoid " + tor.name());
  }

  /// Whether as many more packets arrive as are sent in a second.
  static boolean goesOn(UdpFlood stream) throws Exception {
    int before = stream.received();
    return await(() -> stream.received() >= before + PACKETS_PER_SECOND);
  }

  /// What is left of the pods, once they were deleted.
  List<LeakChecker.Leak> deletePods() throws Exception {
    for (Pod pod : topology().pods()) {
      lab.runtime().delete(pod);
    }
    LeakChecker checker = new LeakChecker(lab);
    await(() -> checker.check().isEmpty());
    return checker.check();
  }

  @Override
  public void close() throws LabException {
    LabTeardown.down(lab.plan().name(), false);
  }
}
