package io.margay.cli.lab;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.model.net.IpFamily;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// The lab on real namespaces, etcd and routers. Stand-ins take the place of agent and plugin (a
/// BIRD and a shell script), so that what is proven is the lab and nothing else.
@Tag("netns")
class LabTest {

  private static final Path REPOSITORY =
      Path.of(
          System.getProperty("margay.root", Path.of("..").toAbsolutePath().normalize().toString()));
  private static final Path RESOURCES = REPOSITORY.resolve("cli/src/test/resources");
  private static final Distribution STANDIN = new Distribution(RESOURCES.resolve("standin"));
  private static final Duration SESSION_LIMIT = Duration.ofSeconds(30);

  private final String name = "mgyt" + ProcessHandle.current().pid();

  @AfterEach
  void take_down() throws LabException {
    LabTeardown.down(name, false);
  }

  @Test
  void a_rack_stands_is_probed_and_leaves_nothing() throws Exception {
    Path file = REPOSITORY.resolve("deploy/lab/rack.yaml");
    Topology topology = Topology.read(file);
    Lab.Raised raised = raise(topology, file);
    Lab lab = raised.lab();
    assertThat(raised.adds()).hasSize(12);
    awaitSettled(lab);
    Topology.Tor tor = topology.tors().getFirst();
    for (Topology.Node node : topology.nodes()) {
      List<String> announced = lab.routers().announcedBy(tor, node.name());
      assertThat(announced).anyMatch(prefix -> prefix.startsWith("10.65."));
      assertThat(announced).anyMatch(prefix -> prefix.startsWith("fd00:65:"));
    }

    Probe probe = new Probe(lab, List.of());
    Matrix expected =
        Matrix.parse(
            "open.txt",
            Files.readString(REPOSITORY.resolve("deploy/lab/expect/open.txt")),
            topology.pods().stream().map(Topology.Pod::name).toList());
    assertThat(probe.matrix(probe.run()).differencesFrom(expected, 10)).isEmpty();

    Topology.Pod pod = topology.pods().getFirst();
    assertThat(lab.runtime().address(pod, IpFamily.IPV6)).isPresent();
    lab.runtime().delete(pod);
    assertThat(lab.runtime().address(pod, IpFamily.IPV6)).isEmpty();

    List<String> namespaces = lab.plan().namespaces();
    LabTeardown.down(name, false);
    assertNothingLeft(namespaces);
  }

  @Test
  void what_does_not_get_through_is_seen_and_named() throws Exception {
    Path file = REPOSITORY.resolve("deploy/lab/rack.yaml");
    Lab lab = raise(Topology.read(file), file).lab();
    awaitSettled(lab);
    Topology.Pod from = lab.plan().topology().pods().get(1);
    Topology.Pod to = lab.plan().topology().pods().getFirst();
    var address = lab.runtime().address(to, IpFamily.IPV4).orElseThrow();
    Command.in(lab.plan().podNamespace(from), "ip", "route", "add", "prohibit", address + "/32")
        .output();
    Probe probe = new Probe(lab, List.of(new Topology.Port(80, Topology.Protocol.TCP)));
    Matrix open =
        new Matrix(
            lab.plan().topology().pods().stream().map(Topology.Pod::name).toList(), probe.ports());
    Matrix seen = probe.matrix(probe.run());
    for (int i = 0; i < 12; i++) {
      for (int j = 0; j < 12; j++) {
        if (i != j) {
          open.set(probe.ports().getFirst(), i, j, '+');
        }
      }
    }
    assertThat(seen.differencesFrom(open, 5))
        .containsExactly(
            "web-1 -> web-2 80/tcp: expected open, seen open for IPv6 only",
            "web-2 -> web-1 80/tcp: expected open, seen open for IPv6 only");
  }

  @Test
  void what_a_killed_raising_left_is_taken_down() throws Exception {
    Path file = REPOSITORY.resolve("deploy/lab/dual-tor.yaml");
    LabPlan plan = new LabPlan(name, Topology.read(file), LabState.home(name));
    LabState.write(plan, STANDIN, file);
    List<String> half = plan.namespaces().subList(0, 4);
    Namespaces.create(half);
    Daemon sleeper =
        Daemon.start("sleeper", half.getFirst(), plan.home().resolve("x"), List.of("sleep", "600"));
    LabTeardown.down(name, false);
    assertThat(sleeper.process().onExit()).succeedsWithin(SESSION_LIMIT);
    assertNothingLeft(plan.namespaces());
    LabTeardown.down(name, false);
  }

  @Test
  void a_failed_raising_undoes_itself() throws Exception {
    Path file = REPOSITORY.resolve("deploy/lab/single-node.yaml");
    Distribution broken = new Distribution(RESOURCES.resolve("no-such-distribution"));
    try {
      Lab.raise(name, Topology.read(file), file, broken, new Lab.Options(false, true), _ -> {});
      assertThat(false).as("a lab without a distribution was raised").isTrue();
    } catch (LabException expected) {
      assertThat(expected).hasMessageContaining("no-such-distribution");
    }
    assertNothingLeft(new LabPlan(name, Topology.read(file), LabState.home(name)).namespaces());
  }

  @Test
  void frr_and_gobgp_and_three_etcd_members_take_the_same_places() throws Exception {
    Path file = RESOURCES.resolve("standin/mixed.yaml");
    Topology topology = Topology.read(file);
    Lab lab = raise(topology, file).lab();
    long deadline = System.nanoTime() + SESSION_LIMIT.toNanos();
    while (!(frrHas(lab, "10.65.50.0/26")
            && frrHas(lab, "fd00:65:0:50::/122")
            && gobgpHas(lab, "10.65.50.0/26"))
        && System.nanoTime() < deadline) {
      Thread.sleep(100);
    }
    assertThat(frrHas(lab, "10.65.50.0/26")).isTrue();
    assertThat(frrHas(lab, "fd00:65:0:50::/122")).isTrue();
    assertThat(gobgpHas(lab, "10.65.50.0/26")).isTrue();
    String members = lab.etcdctl("member", "list").output();
    assertThat(members.lines()).hasSize(3);
  }

  private static boolean frrHas(Lab lab, String prefix) throws LabException {
    String namespace = lab.plan().machineNamespace("frr1");
    return Command.in(namespace, "ip", prefix.contains(":") ? "-6" : "-4", "route")
        .output()
        .contains(prefix);
  }

  private static boolean gobgpHas(Lab lab, String prefix) throws LabException {
    return Command.in(lab.plan().machineNamespace("gobgp1"), "gobgp", "global", "rib")
        .output()
        .contains(prefix);
  }

  private Lab.Raised raise(Topology topology, Path file) throws LabException {
    return Lab.raise(name, topology, file, STANDIN, new Lab.Options(false, true), _ -> {});
  }

  private static void awaitSettled(Lab lab) throws Exception {
    long deadline = System.nanoTime() + SESSION_LIMIT.toNanos();
    for (Topology.Tor tor : lab.plan().topology().tors()) {
      for (Topology.Node node : lab.plan().topology().nodes()) {
        while (lab.routers().announcedBy(tor, node.name()).size() < 2
            && System.nanoTime() < deadline) {
          Thread.sleep(50);
        }
        assertThat(lab.routers().isSettled(tor, node.name())).isTrue();
      }
    }
    while (!lab.blocksHaveSpread() && System.nanoTime() < deadline) {
      Thread.sleep(50);
    }
    assertThat(lab.blocksHaveSpread()).isTrue();
  }

  private void assertNothingLeft(List<String> namespaces) throws Exception {
    assertThat(namespaces).noneMatch(Namespaces::exists);
    assertThat(LabState.home(name)).doesNotExist();
    try (Stream<ProcessHandle> all = ProcessHandle.allProcesses()) {
      assertThat(all.map(process -> process.info().commandLine().orElse("")))
          .noneMatch(line -> line.contains(LabState.home(name) + "/"));
    }
  }
}
