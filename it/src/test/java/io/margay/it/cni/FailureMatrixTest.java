package io.margay.it.cni;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.margay.it.cni.Invariants.Live;
import io.margay.it.cni.Node.Answer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// What goes wrong on nodes, a row each, on one node that is raised once. After each row nothing is
/// left, says a checker of its own.
@Tag("lab")
class FailureMatrixTest {

  private static final int TRY_LATER = 11;
  private static final int BAD_NETNS = 8;
  private static final int IO_FAILURE = 5;
  private static final int CHECK_FAILED = 109;

  private static Node node;
  private static final Random RANDOM = new Random(6);

  @BeforeAll
  static void raise() throws Exception {
    node = Node.raise("fail" + ProcessHandle.current().pid());
  }

  @AfterAll
  static void tearDown() throws Exception {
    node.close();
  }

  @AfterEach
  void nothing_is_left() throws Exception {
    node.awaitAgent();
    assertThat(new Invariants(node).settled(Map.of())).isEmpty();
  }

  private static String id() {
    byte[] octets = new byte[32];
    RANDOM.nextBytes(octets);
    return HexFormat.of().formatHex(octets);
  }

  /// A pod that was added.
  private record Pod(String container, String netns, Answer answer) {

    static Pod add() throws Exception {
      String container = id();
      String netns = node.newNetns();
      Answer answer = node.call("ADD", container, netns);
      assertThat(answer.exitCode()).as(answer.stdout()).isZero();
      return new Pod(container, netns, answer);
    }

    String hostEnd() throws Exception {
      return answer.json().path("interfaces").get(0).path("name").asText();
    }

    Answer check() throws Exception {
      return node.call(
          node.environment("CHECK", container, Node.path(netns).toString()),
          node.configuration(answer.stdout()),
          -1,
          List.of());
    }

    Answer addAgain() throws Exception {
      return node.call("ADD", container, netns);
    }

    void delete() throws Exception {
      assertThat(node.call("DEL", container, netns)).isEqualTo(new Answer(0, ""));
      node.delete(netns);
    }

    Map<String, Live> alone() throws Exception {
      return Map.of(container, new Live(hostEnd(), answer.addresses()));
    }
  }

  @Test
  void a_client_killed_at_any_of_its_system_calls() throws Exception {
    int n = 1;
    for (boolean killed = true; killed; n++) {
      String container = id();
      String netns = node.newNetns();
      Answer answer = node.callKilledAtSyscall(n, "ADD", container, netns);
      killed = answer.isKilled();
      assertThat(killed || answer.exitCode() == 0).as("%d: %s", n, answer).isTrue();
      switch (n % 4) {
        case 0 -> {} // the runtime died as well
        case 1 -> assertThat(node.call("DEL", container, netns).exitCode()).isZero();
        case 2 -> {
          Answer again = node.call("ADD", container, netns);
          assertThat(again.exitCode()).as("%d: %s", n, again).isZero();
          assertThat(node.call("DEL", container, netns).exitCode()).isZero();
        }
        default -> Pod.add().delete();
      }
      node.delete(netns);
    }
    assertThat(n).as("system calls of ADD").isGreaterThan(20);
  }

  @Test
  void an_agent_that_dies_while_clients_wait() throws Exception {
    List<String> containers = new ArrayList<>();
    List<String> namespaces = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      containers.add(id());
      namespaces.add(node.newNetns());
    }
    List<Answer> answers = new ArrayList<>();
    try (ExecutorService threads = Executors.newFixedThreadPool(containers.size())) {
      List<Future<Answer>> calls = new ArrayList<>();
      for (int i = 0; i < containers.size(); i++) {
        int number = i;
        calls.add(
            threads.submit(() -> node.call("ADD", containers.get(number), namespaces.get(number))));
      }
      Thread.sleep(15);
      node.crashAgent();
      for (Future<Answer> call : calls) {
        answers.add(call.get());
      }
    }
    for (Answer answer : answers) {
      assertThat(answer.exitCode() == 0 || answer.code() == TRY_LATER).as("%s", answer).isTrue();
    }
    for (int i = 0; i < containers.size(); i++) {
      assertThat(node.call("DEL", containers.get(i), namespaces.get(i)).exitCode()).isZero();
      node.delete(namespaces.get(i));
    }
  }

  @Test
  void clients_killed_at_the_runtimes_deadline_and_no_del() throws Exception {
    Map<String, String> pods = new LinkedHashMap<>();
    for (int i = 0; i < 24; i++) {
      pods.put(id(), node.newNetns());
    }
    parallel(
        pods,
        (container, netns) ->
            node.call(
                node.environment("ADD", container, Node.path(netns).toString()),
                node.configuration(),
                100_000,
                List.of()));
    for (String netns : pods.values()) {
      node.delete(netns);
    }
  }

  /// A call for one of many pods.
  private interface PodCall {
    Answer run(String container, String netns) throws Exception;
  }

  private static Map<String, Answer> parallel(Map<String, String> pods, PodCall call)
      throws Exception {
    Map<String, Answer> answers = new HashMap<>();
    try (ExecutorService threads = Executors.newFixedThreadPool(24)) {
      Map<String, Future<Answer>> running = new LinkedHashMap<>();
      pods.forEach(
          (container, netns) ->
              running.put(container, threads.submit(() -> call.run(container, netns))));
      for (Map.Entry<String, Future<Answer>> one : running.entrySet()) {
        answers.put(one.getKey(), one.getValue().get());
      }
    }
    return answers;
  }

  @Test
  void a_namespace_that_is_another_one_by_now_is_not_touched() throws Exception {
    Pod pod = Pod.add();
    String other = node.newNetns();
    Node.command("ip", "-n", other, "link", "add", "eth0", "type", "veth", "peer", "name", "e1");
    Node.command("mount", "--bind", Node.path(other).toString(), Node.path(pod.netns()).toString());
    Answer check = pod.check();
    assertThat(check.code()).isEqualTo(CHECK_FAILED);
    assertThat(check.stdout()).contains("not the one ADD was given");
    assertThat(node.call("DEL", pod.container(), pod.netns())).isEqualTo(new Answer(0, ""));
    assertThat(Node.command("ip", "-n", other, "link")).contains("eth0");
    Node.command("umount", Node.path(pod.netns()).toString());
    assertThat(Node.command("ip", "-n", pod.netns(), "link")).doesNotContain("eth0");
    node.delete(pod.netns());
    node.delete(other);
  }

  @Test
  void what_is_no_namespace_or_the_hosts_own() throws Exception {
    Path file = Files.createTempFile("netns", ".plain");
    Path dangling = Path.of(file + ".gone");
    Files.createSymbolicLink(dangling, Path.of(file + ".nowhere"));
    for (String path : List.of(file.toString(), dangling.toString(), "/proc/self/ns/net")) {
      String container = id();
      Answer added = called("ADD", container, path);
      assertThat(added.code()).as("%s: %s", path, added).isEqualTo(BAD_NETNS);
      assertThat(called("DEL", container, path)).as(path).isEqualTo(new Answer(0, ""));
    }
    Files.delete(file);
    Files.delete(dangling);
  }

  private static Answer called(String verb, String container, String path) throws Exception {
    return node.call(node.environment(verb, container, path), node.configuration(), -1, List.of());
  }

  @Test
  void kernel_state_that_was_torn_by_hand_is_reported_and_add_mends_it() throws Exception {
    Pod pod = Pod.add();
    String hostEnd = pod.hostEnd();
    assertThat(pod.check()).isEqualTo(new Answer(0, ""));
    List<List<String>> tears =
        List.of(
            List.of("nft", "flush", "ruleset"),
            List.of("ip", "route", "flush", "proto", "117", "dev", hostEnd),
            List.of("sysctl", "-qw", "net.ipv4.conf." + hostEnd + ".rp_filter=0"),
            List.of("sysctl", "-qw", "net.ipv4.conf." + hostEnd + ".forwarding=0"),
            List.of("sysctl", "-qw", "net.ipv6.conf." + hostEnd + ".accept_ra=1"),
            List.of("ip", "-n", pod.netns(), "addr", "flush", "dev", "eth0", "scope", "global"),
            List.of("ip", "-n", pod.netns(), "link", "set", "eth0", "down"));
    for (List<String> tear : tears) {
      node.exec(tear.toArray(String[]::new));
      Answer check = pod.check();
      List<String> wrong = new Invariants(node).violations(pod.alone());
      // What the agent's own second has mended already is nothing to report.
      boolean mended = check.exitCode() == 0 && tear.getFirst().equals("nft");
      assertThat(check.code() == CHECK_FAILED || mended)
          .as("%s: %s %s", tear, check, wrong)
          .isTrue();
      Answer again = pod.addAgain();
      assertThat(again).as("ADD after %s", tear).isEqualTo(pod.answer());
      assertThat(new Invariants(node).settled(pod.alone())).as("%s", tear).isEmpty();
      assertThat(pod.check()).as("%s", tear).isEqualTo(new Answer(0, ""));
    }
    node.exec("ip", "link", "del", hostEnd);
    assertThat(pod.check().exitCode()).isNotZero();
    // No DEL: the agent finds out by itself.
    assertThat(new Invariants(node).settled(Map.of())).isEmpty();
    node.delete(pod.netns());
  }

  @Test
  void two_hundred_at_once_have_addresses_of_their_own_and_gc_of_another_runtime_spares_them()
      throws Exception {
    Map<String, String> pods = new LinkedHashMap<>();
    for (int i = 0; i < 200; i++) {
      pods.put(id(), node.newNetns());
    }
    Map<String, Answer> answers =
        parallel(pods, (container, netns) -> node.call("ADD", container, netns));
    Map<String, Live> live = new HashMap<>();
    List<String> addresses = new ArrayList<>();
    for (Map.Entry<String, Answer> answer : answers.entrySet()) {
      assertThat(answer.getValue().exitCode()).as("%s", answer).isZero();
      JsonNode host = answer.getValue().json().path("interfaces").get(0);
      live.put(
          answer.getKey(), new Live(host.path("name").asText(), answer.getValue().addresses()));
      addresses.addAll(answer.getValue().addresses());
    }
    assertThat(addresses).doesNotHaveDuplicates().hasSize(400);
    assertThat(new Invariants(node).settled(live)).isEmpty();

    String collects =
        node.configuration()
            .replaceFirst(
                "\"cniVersion\":\"[^\"]*\"",
                "\"cniVersion\":\"1.1.0\",\"cni.dev/valid-attachments\":[]");
    Map<String, String> environment = Map.of("CNI_COMMAND", "GC", "CNI_PATH", "/opt/cni/bin");
    assertThat(node.call(environment, collects, -1, List.of())).isEqualTo(new Answer(0, ""));
    assertThat(new Invariants(node).settled(live)).isEmpty();

    parallel(pods, (container, netns) -> node.call("DEL", container, netns))
        .forEach((pod, answer) -> assertThat(answer).as(pod).isEqualTo(new Answer(0, "")));
    for (String netns : pods.values()) {
      node.delete(netns);
    }
  }

  @Test
  void after_a_reboot_everything_is_released_at_once_and_blocks_are_kept() throws Exception {
    Pod.add().delete(); // the node has its blocks
    List<Pod> pods = List.of(Pod.add(), Pod.add());
    String blocks = blocks();
    node.killAgent();
    for (Pod pod : pods) {
      node.delete(pod.netns());
      Path entry = node.state().resolve("journal").resolve(pod.container() + "@eth0.json");
      String written = Files.readString(entry);
      String boot = Files.readString(Path.of("/proc/sys/kernel/random/boot_id")).strip();
      assertThat(written).contains(boot);
      Files.writeString(entry, written.replace(boot, "00000000-0000-4000-8000-000000000000"));
    }
    // With such a patience it is not self-reclaim that does it.
    node.startAgent(Map.of("MARGAY_RECLAIM_AFTER_SECONDS", "3600"));
    node.awaitAgent();
    assertThat(new Invariants(node).settled(Map.of())).isEmpty();
    assertThat(blocks()).isEqualTo(blocks);
    node.crashAgent();
  }

  private static String blocks() throws Exception {
    return node.exec(
        "env",
        "ETCDCTL_API=3",
        "etcdctl",
        "--endpoints",
        node.etcd(),
        "get",
        "--prefix",
        "--keys-only",
        "/calico/ipam/v2/assignment/");
  }

  @Test
  void a_full_disk_refuses_add_and_never_del() throws Exception {
    Pod pod = Pod.add();
    String journal = node.state().resolve("journal").toString();
    // Reaches the agent as well, whose mounts follow ours.
    Node.command("mount", "-t", "tmpfs", "-o", "size=4k", "none", journal);
    try {
      Files.write(Path.of(journal, "full"), new byte[4096]);
      String netns = node.newNetns();
      Answer refused = node.call("ADD", id(), netns);
      assertThat(refused.code()).as("%s", refused).isEqualTo(IO_FAILURE);
      node.delete(netns);
      pod.delete();
    } finally {
      Node.command("umount", journal);
    }
    // The disk still has the deleted pod's entry, which the next process judges anew.
    node.crashAgent();
  }

  @Test
  void a_torn_journal_entry_is_set_aside_and_its_pod_can_still_be_deleted() throws Exception {
    Pod torn = Pod.add();
    Pod whole = Pod.add();
    node.killAgent();
    Path entry = node.state().resolve("journal").resolve(torn.container() + "@eth0.json");
    byte[] content = Files.readAllBytes(entry);
    Files.write(entry, Arrays.copyOf(content, content.length / 2));
    node.startAgent(Map.of());
    node.awaitAgent();
    Path aside = entry.resolveSibling(entry.getFileName() + ".bad");
    assertThat(aside).exists();
    assertThat(whole.check()).isEqualTo(new Answer(0, ""));
    torn.delete();
    whole.delete();
    Files.delete(aside);
  }

  @Test
  void etcd_that_stands_still_stops_no_del_and_is_told_everything_afterwards() throws Exception {
    Pod pod = Pod.add();
    List<ProcessHandle> etcd = node.etcdProcesses();
    assertThat(etcd).isNotEmpty();
    for (ProcessHandle process : etcd) {
      Node.command("kill", "-STOP", Long.toString(process.pid()));
    }
    try {
      pod.delete();
    } finally {
      for (ProcessHandle process : etcd) {
        Node.command("kill", "-CONT", Long.toString(process.pid()));
      }
    }
    Pod.add().delete();
  }
}
