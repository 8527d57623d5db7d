package io.margay.cli.demo;

import io.margay.cli.lab.Distribution;
import io.margay.cli.lab.LabException;
import io.margay.cli.lab.Matrix;
import io.margay.cli.lab.Topology.Node;
import io.margay.cli.lab.Topology.Tor;
import io.margay.model.net.IpFamily;
import java.io.PrintStream;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/// The script of `margay demo`: a rack of three nodes and a router, then the same with two routers.
/// Every step uses public commands and other people's tools, and says what it saw.
final class Demo {

  private static final int PACKETS_PER_SECOND = 1200;
  private static final int LEAST_RATE = 1000;
  private static final int STREAM_PORT = 9000;
  private static final int DENIED_PORT = 53;

  /// Before the kill and after End-of-RIB.
  private static final Duration LEAD = Duration.ofSeconds(1);

  private static final Duration RESTART_LIMIT = Duration.ofSeconds(20);
  private static final Duration FAILOVER = Duration.ofSeconds(3);

  private final Steps steps;
  private final Distribution distribution;
  private final String name;
  private final List<String> standing = new CopyOnWriteArrayList<>();

  Demo(PrintStream out, Distribution distribution, String name) {
    this.steps = new Steps(out);
    this.distribution = distribution;
    this.name = name;
  }

  private static String secondLab(String name) {
    return name + "-pair";
  }

  /// The labs that stand because of this demo.
  List<String> standing() {
    return List.copyOf(standing);
  }

  Steps steps() {
    return steps;
  }

  /// Plays the script.
  ///
  /// @param keep leaves the last rack up, pods wired
  void play(boolean keep) throws LabException, DemoException {
    oneRouter();
    twoRouters(keep);
  }

  private Stage raise(String lab, String file, String title) throws LabException, DemoException {
    Stage[] raised = new Stage[1];
    steps.step(
        title,
        () -> {
          raised[0] = Stage.raise(steps, distribution, lab, file);
          standing.add(lab);
          raised[0].sayAgents();
        });
    return raised[0];
  }

  private void takeDown(Stage stage) throws LabException, DemoException {
    stage.down();
    standing.remove(stage.lab().plan().name());
  }

  private void oneRouter() throws LabException, DemoException {
    Stage stage = raise(name, "rack.yaml", "A rack: three nodes, one router, etcd");
    steps.step("BGP sessions up", stage::sessions);
    steps.step("Twelve pods wired by the CNI plugin", stage::wirePods);
    steps.step("Blocks announced, the others' blocks in the kernel", stage::blocks);
    Matrix[] open = new Matrix[1];
    steps.step(
        "Pods reach each other, across nodes and through the router, IPv4 and IPv6",
        () -> open[0] = stage.matrix("open.txt"));
    Matrix[] denied = new Matrix[1];
    steps.step(
        "Default deny in db (Kubernetes NetworkPolicy)",
        () -> {
          stage.apply("1-db-deny.yaml");
          denied[0] = stage.matrix("db-denied.txt");
          steps.say("%d cells flipped".formatted(denied[0].countDifferences(open[0])));
        });
    steps.step(
        "api may reach db on 5432/tcp; nobody 53/udp of web (Calico policies)",
        () -> {
          stage.apply("2-allow.yaml");
          Matrix seen = stage.matrix("policy.txt");
          steps.say("%d cells flipped".formatted(seen.countDifferences(denied[0])));
        });
    steps.step(
        "Agent of node1 killed with -9 and restarted under traffic: nothing lost, policy holds",
        () -> restartUnderTraffic(stage, true));
    steps.step(
        "The same without graceful restart: some is lost",
        () -> {
          Node node = stage.node("node1");
          stage.lab().killAgent(node);
          stage.lab().startAgent(node, false);
          settle(stage, node);
          restartUnderTraffic(stage, false);
        });
    steps.step(
        "Policies and pods deleted, nothing left behind",
        () -> {
          stage.delete("2-allow.yaml", "1-db-deny.yaml");
          stage.deleteAll();
        });
    steps.step("Rack taken down", () -> takeDown(stage));
  }

  private static void settle(Stage stage, Node node) throws LabException, DemoException {
    for (Tor tor : stage.tors()) {
      Stage.await(
          RESTART_LIMIT,
          tor.name() + " has End-of-RIB of " + node.name(),
          () ->
              stage.lab().routers().isSettled(tor, node.name())
                  && stage.lab().routers().announcedBy(tor, node.name()).size() >= 2);
    }
    Stage.await(
        RESTART_LIMIT, "every node's kernel has the others' blocks", stage.lab()::blocksHaveSpread);
  }

  /// Streams into and out of the node while its agent dies and comes back, and one that policy
  /// forbids.
  private void restartUnderTraffic(Stage stage, boolean graceful)
      throws LabException, DemoException {
    Node node = stage.node("node1");
    UdpFlood in = stage.flood("web-2", "api-1", IpFamily.IPV4, STREAM_PORT, PACKETS_PER_SECOND);
    UdpFlood out = stage.flood("api-1", "api-2", IpFamily.IPV6, STREAM_PORT, PACKETS_PER_SECOND);
    UdpFlood denied = stage.flood("web-2", "db-1", IpFamily.IPV4, DENIED_PORT, PACKETS_PER_SECOND);
    Stage.pause(LEAD);
    long killed = System.nanoTime();
    stage.lab().killAgent(node);
    Duration ready = stage.lab().startAgent(node, graceful);
    settle(stage, node);
    long settled = System.nanoTime();
    Stage.pause(LEAD);
    UdpFlood.Report into = in.stop();
    UdpFlood.Report outOf = out.stop();
    UdpFlood.Report forbidden = denied.stop();
    steps.say(
        "agent ready again after %d ms, End-of-RIB %s after the kill"
            .formatted(ready.toMillis(), Steps.seconds(settled - killed)));
    steps.say("into node1, IPv4:   " + into);
    steps.say("out of node1, IPv6: " + outOf);
    steps.say(
        "denied to db-1:     %d sent, %d arrived"
            .formatted(forbidden.sent(), forbidden.received()));
    if (into.rate() < LEAST_RATE || outOf.rate() < LEAST_RATE) {
      throw new DemoException("the streams ran below " + LEAST_RATE + " packets/s");
    }
    if (forbidden.received() > 0) {
      throw new DemoException("policy did not hold while the agent was away");
    }
    if (graceful && into.lost() + outOf.lost() > 0) {
      throw new DemoException("packets were lost over a graceful restart");
    }
    if (!graceful && into.lost() + outOf.lost() == 0) {
      throw new DemoException(
          "nothing was lost without graceful restart: the comparison shows nothing");
    }
    if (graceful) {
      stage.matrix("policy.txt");
    }
  }

  private void twoRouters(boolean keep) throws LabException, DemoException {
    Stage stage =
        raise(
            secondLab(name),
            "dual-tor.yaml",
            "The same rack with two routers, every node linked to both");
    steps.step("BGP sessions up", stage::sessions);
    steps.step("Twelve pods wired by the CNI plugin", stage::wirePods);
    steps.step("Blocks announced to both routers", stage::blocks);
    steps.step("Pods reach each other over either router", () -> stage.matrix("open.txt"));
    steps.step("A router dies, traffic moves", () -> loseRouter(stage));
    if (keep) {
      return;
    }
    steps.step("Pods deleted, nothing left behind", stage::deleteAll);
    steps.step("Rack taken down", () -> takeDown(stage));
  }

  private void loseRouter(Stage stage) throws LabException, DemoException {
    UdpFlood four = stage.flood("web-1", "web-2", IpFamily.IPV4, STREAM_PORT, PACKETS_PER_SECOND);
    UdpFlood six = stage.flood("web-3", "web-1", IpFamily.IPV6, STREAM_PORT, PACKETS_PER_SECOND);
    Tor carrier = stage.busiestRouter(LEAD);
    int before = four.received() + six.received();
    stage.lab().killTor(carrier);
    Stage.pause(FAILOVER);
    int after = four.received() + six.received();
    UdpFlood.Report v4 = four.stop();
    UdpFlood.Report v6 = six.stop();
    steps.say("%s, which carried them, is killed and its links are down".formatted(carrier.name()));
    steps.say("IPv4: " + v4);
    steps.say("IPv6: " + v6);
    Duration moved =
        v4.largestGap().compareTo(v6.largestGap()) > 0 ? v4.largestGap() : v6.largestGap();
    steps.say("traffic moved within " + Steps.milliseconds(moved));
    if (before == 0 || after - before < PACKETS_PER_SECOND) {
      throw new DemoException(
          "traffic did not move to the other router within " + FAILOVER.toSeconds() + " s");
    }
    stage.matrix("open.txt");
  }
}
