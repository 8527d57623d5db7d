package io.margay.it.cni;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.it.Rack;
import io.margay.it.cni.Node.Answer;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.api.parallel.ResourceLock;

/// What a node itself loses, a row each: its disk, its journal, its kernel's answers, its boot, the
/// release its client is of. After each row nothing is left, says the checker.
@Tag("lab")
@Execution(ExecutionMode.CONCURRENT)
@ResourceLock("the lab of BrokenNodeTest")
class BrokenNodeTest {

  private static final int IO_FAILURE = 5;
  private static final int TRY_LATER = 11;
  private static final int NOT_READY = 50;
  private static final int CHECK_FAILED = 109;
  private static final int POLICY_NOT_PROGRAMMED = 105;
  private static final int KERNEL_REFUSED = 106;

  /// As a runtime that has given up on a call.
  private static final int GIVEN_UP_MICROS = 100_000;

  private static Node node;
  @TempDir private static Path directory;

  @BeforeAll
  static void raise() throws Exception {
    node = Node.raise("mgytbroke" + ProcessHandle.current().pid());
  }

  @AfterAll
  static void tearDown() throws Exception {
    node.close();
  }

  @AfterEach
  void nothing_is_left() throws Exception {
    node.ensureAgent(); // a row that failed may have ended with its agent dead
    node.awaitAgent();
    try {
      assertThat(new Invariants(node).settled(Map.of())).isEmpty();
    } finally {
      node.deleteNamespaces(); // what a row that failed left is not the next one's
    }
  }

  private static Path journal() {
    return node.state().resolve("journal");
  }

  private static Path entry(Pod pod) {
    return journal().resolve(pod.container() + "@eth0.json");
  }

  /// The journal's directory on a file system of its own, which is full.
  @Test
  void a_full_disk_stops_adds_and_no_deletion() throws Exception {
    Pod before = Pod.add(node);
    node.killAgent();
    Path kept = Files.createTempDirectory(directory, "journal");
    Node.command("cp", "-a", journal() + "/.", kept.toString());
    Node.command("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", journal().toString());
    try {
      Node.command("cp", "-a", kept + "/.", journal().toString());
      node.startAgent(Map.of());
      node.awaitAgent();
      Path ballast = journal().resolve("ballast");
      fill(ballast);
      String netns = node.newNetns();
      Answer refused = node.call("ADD", Pod.id(), netns);
      assertThat(refused.code()).as(refused.stdout()).isEqualTo(IO_FAILURE);
      assertThat(refused.stdout()).contains("journal entry of", "cannot be written");
      assertThat(before.check()).isEqualTo(new Answer(0, ""));
      assertThat(before.addAgain()).isEqualTo(before.answer());
      assertThat(before.del()).as("waits for the datastore").isEqualTo(new Answer(0, ""));
      node.delete(before.netns());
      Files.delete(ballast);
      assertThat(new Invariants(node).settled(Map.of())).isEmpty();
      assertThat(node.call("ADD", Pod.id(), netns).exitCode()).as("there is room again").isZero();
      node.delete(netns); // no DEL: the agent finds out by itself
      assertThat(new Invariants(node).settled(Map.of())).isEmpty();
    } finally {
      node.killAgent();
      Node.command("umount", journal().toString());
      Node.command("find", journal().toString(), "-type", "f", "-delete");
      node.startAgent(Map.of());
    }
  }

  /// The last known good state and all else of the agent's, the sockets' directory too.
  @Test
  void full_disks_are_told_of_once_and_so_is_their_end_and_an_agent_starts_on_them()
      throws Exception {
    Pod before = Pod.add(node);
    node.killAgent();
    List<Path> full = List.of(node.state(), node.run());
    for (Path each : full) {
      Path kept = Files.createTempDirectory(directory, "kept");
      Node.command("cp", "-a", each + "/.", kept.toString());
      Node.command("mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", each.toString());
      Node.command("cp", "-a", kept + "/.", each.toString());
      fill(each.resolve("ballast"));
    }
    try {
      int from = node.said().length();
      node.startAgent(Map.of());
      node.awaitAgent();
      assertThat(before.check()).isEqualTo(new Answer(0, ""));
      node.awaitSaid(from, "the last known good state can't be saved");
      assertThat(before.del()).isEqualTo(new Answer(0, ""));
      node.delete(before.netns());
      for (Path each : full) {
        Files.delete(each.resolve("ballast"));
      }
      node.awaitSaid(from, "the last known good state is saved again");
      Pod.add(node).end();
      String said = node.said().substring(from);
      assertThat(said.split("can't be saved", -1)).as("told once").hasSize(2);
      assertThat(said.split("can be read but not written", -1))
          .as("told once, or what the journal tidied away made room for it")
          .hasSizeLessThanOrEqualTo(2);
      assertThat(new Invariants(node).settled(Map.of())).isEmpty();
    } finally {
      node.killAgent();
      for (Path each : full) {
        Node.command("umount", each.toString());
        Node.command("find", each.toString(), "-name", "*.json", "-path", "*journal*", "-delete");
      }
      node.startAgent(Map.of());
    }
  }

  private static void fill(Path file) throws IOException {
    byte[] page = new byte[4096];
    Arrays.fill(page, (byte) '.');
    try (OutputStream out = Files.newOutputStream(file)) {
      while (true) {
        out.write(page);
      }
    } catch (IOException full) {
      assertThat(full).hasMessageContaining("No space left");
    }
  }

  @Test
  void a_torn_entry_matters_to_the_next_process_only_and_loses_no_pod() throws Exception {
    Pod lives = Pod.add(node);
    Pod ends = Pod.add(node);
    tear(lives);
    tear(ends);
    assertThat(lives.check()).as("the agent remembers").isEqualTo(new Answer(0, ""));
    ends.end();
    assertThat(new Invariants(node).settled(lives.alone())).isEmpty();

    node.crashAgent();
    node.awaitAgent();
    Path aside = entry(lives).resolveSibling(entry(lives).getFileName() + ".bad");
    assertThat(aside).exists();
    Files.delete(aside);
    assertThat(lives.check().code()).isEqualTo(CHECK_FAILED);
    Answer again = lives.addAgain();
    assertThat(again).as("the same addresses, on a new wire").isEqualTo(lives.answer());
    assertThat(new Invariants(node).settled(lives.alone())).isEmpty();

    tear(lives);
    node.crashAgent();
    node.awaitAgent();
    Files.delete(aside);
    lives.end();
  }

  /// Once nothing else on the disk tells of the pod.
  private static void tear(Pod pod) throws Exception {
    Path begun = journal().resolve(pod.container() + "@eth0.begun.json");
    for (int i = 0; i < 240 && Files.exists(begun); i++) {
      Thread.sleep(250);
    }
    assertThat(begun).as("tidied away").doesNotExist();
    byte[] whole = Files.readAllBytes(entry(pod));
    Files.write(entry(pod), Arrays.copyOf(whole, whole.length / 2));
  }

  @Test
  void a_journal_that_somebody_deleted_is_written_anew() throws Exception {
    Pod pod = Pod.add(node);
    Node.command("rm", "-rf", journal().toString());
    Pod next = Pod.add(node);
    Map<String, Invariants.Live> both = new HashMap<>(pod.alone());
    both.putAll(next.alone());
    assertThat(new Invariants(node).settled(both)).isEmpty();

    Node.command("rm", "-rf", journal().toString());
    assertThat(pod.check()).isEqualTo(new Answer(0, ""));
    pod.end();
    assertThat(new Invariants(node).settled(next.alone())).isEmpty();

    node.killAgent();
    Node.command("rm", "-rf", journal().toString());
    node.startAgent(Map.of());
    node.awaitAgent();
    assertThat(next.check().code()).isEqualTo(CHECK_FAILED);
    next.end();
  }

  /// What a reboot leaves: files of another boot, and nothing in the kernel.
  @Test
  void after_a_reboot_everything_is_given_back_at_the_start() throws Exception {
    List<Pod> pods = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      pods.add(Pod.add(node));
    }
    node.killAgent();
    String boot = Files.readString(Path.of("/proc/sys/kernel/random/boot_id")).strip();
    String earlier = "00000000-0000-4000-8000-000000000000";
    for (Pod pod : pods) {
      String entry = Files.readString(entry(pod));
      assertThat(entry).contains(boot);
      Files.writeString(entry(pod), entry.replace(boot, earlier));
      node.delete(pod.netns());
    }
    node.awaitNoHostEnds();
    node.exec("nft", "flush", "ruleset");
    node.startAgent(Map.of());
    node.awaitAgent();
    assertThat(new Invariants(node).settled(Map.of())).isEmpty();
    for (Pod pod : pods) {
      assertThat(pod.del()).as("a DEL that comes late").isEqualTo(new Answer(0, ""));
    }
    Pod.add(node).end();
  }

  @Test
  void two_hundred_pods_at_once() throws Exception {
    List<Pod> pods = together(200, () -> Pod.add(node));
    Set<String> addresses = new HashSet<>();
    Map<String, Invariants.Live> live = new HashMap<>();
    for (Pod pod : pods) {
      assertThat(addresses).doesNotContainAnyElementsOf(pod.answer().addresses());
      addresses.addAll(pod.answer().addresses());
      live.put(pod.container(), pod.live());
    }
    assertThat(new Invariants(node).settled(live)).isEmpty();
    List<Pod> left = new ArrayList<>(pods);
    together(
        200,
        () -> {
          Pod pod;
          synchronized (left) {
            pod = left.removeLast();
          }
          pod.end();
          return true;
        });
  }

  private static <T> List<T> together(int count, Callable<T> step) throws Exception {
    try (ExecutorService threads = Executors.newFixedThreadPool(count)) {
      List<Future<T>> running =
          IntStream.range(0, count).mapToObj(_ -> threads.submit(step)).toList();
      List<T> done = new ArrayList<>();
      for (Future<T> each : running) {
        done.add(each.get());
      }
      return done;
    }
  }

  @Test
  void an_add_whose_client_was_killed_while_it_waited_is_not_carried_out() throws Exception {
    String container = Pod.id();
    String netns = node.newNetns();
    node.freezeAgent();
    Answer killed;
    try {
      killed =
          node.call(
              node.environment("ADD", container, Node.path(netns).toString()),
              node.configuration(),
              GIVEN_UP_MICROS,
              List.of());
    } finally {
      node.thawAgent();
    }
    assertThat(killed.isKilled()).as(killed.toString()).isTrue();
    assertThat(new Invariants(node).settled(Map.of())).isEmpty();
    assertThat(node.call("ADD", container, netns).exitCode()).as("the same once more").isZero();
    assertThat(node.call("DEL", container, netns)).isEqualTo(new Answer(0, ""));
    node.delete(netns);
  }

  @Test
  void a_client_that_dies_at_any_system_call_leaves_nothing() throws Exception {
    int step = 0;
    for (String syscall :
        List.of("read", "socket", "connect", "sendmsg", "poll", "recvfrom", "write")) {
      for (int nth = 1; nth <= 2; nth++) {
        String container = Pod.id();
        String netns = node.newNetns();
        Answer answer = node.callKilledAt(syscall, nth, "ADD", container, netns);
        assertThat(answer.isKilled() || answer.exitCode() == 0).as("%s", answer).isTrue();
        switch (step++ % 3) {
          case 0 -> {}
          case 1 -> assertThat(node.call("DEL", container, netns)).isEqualTo(new Answer(0, ""));
          default -> {
            assertThat(node.call("ADD", container, netns).exitCode()).isZero();
            Answer deleted = node.callKilledAt(syscall, nth, "DEL", container, netns);
            assertThat(deleted.isKilled() || deleted.exitCode() == 0).as("%s", deleted).isTrue();
          }
        }
        node.delete(netns);
      }
    }
  }

  /// The kernel drops answers and notifications (ENOBUFS) when the receiver has no room.
  @Test
  void netlink_sockets_without_room_cost_answers_and_leave_nothing() throws Exception {
    Path program = Node.compile("shrink-netlink.c", directory);
    Pod before = Pod.add(node);
    String agent = Long.toString(node.agentPid());
    Node.command(program.toString(), agent, "1");
    List<Answer> answers =
        together(
            30,
            () -> {
              String container = Pod.id();
              String netns = node.newNetns();
              Answer answer = node.call("ADD", container, netns);
              node.call("DEL", container, netns);
              node.delete(netns);
              return answer;
            });
    node.delete(before.netns()); // one of many notifications
    Node.command(program.toString(), agent, "8388608");
    for (Answer answer : answers) {
      assertThat(answer.code())
          .as(answer.stdout())
          .isIn(0, TRY_LATER, POLICY_NOT_PROGRAMMED, KERNEL_REFUSED);
    }
  }

  @Test
  void clients_of_other_releases_work_or_are_told_and_never_leak() throws Exception {
    Path next = client(2, 1);
    Path far = client(2, 2);
    String container = Pod.id();
    String netns = node.newNetns();
    assertThat(node.callWith(next, "ADD", container, netns).exitCode()).isZero();
    Answer refused = node.callWith(far, "ADD", Pod.id(), netns);
    assertThat(refused.code()).isEqualTo(TRY_LATER);
    assertThat(refused.stdout()).contains("speaks 2 to 2", "install both of one release");
    assertThat(node.callWith(far, "DEL", container, netns).code()).isEqualTo(TRY_LATER);
    assertThat(node.callWith(next, "DEL", container, netns)).isEqualTo(new Answer(0, ""));

    // Queued by one release, read by another.
    Pod pod = Pod.add(node);
    node.killAgent();
    assertThat(node.callWith(next, "DEL", pod.container(), pod.netns()))
        .isEqualTo(new Answer(0, ""));
    node.startAgent(Map.of());
    node.awaitAgent();
    node.delete(pod.netns());
    node.delete(netns);
  }

  /// The client of another release: it speaks another version.
  private static Path client(int version, int oldest) throws Exception {
    Path sources = Files.createTempDirectory(directory, "client");
    Node.command("cp", "-r", Rack.ROOT.resolve("cni/src/main/c") + "/.", sources.toString());
    Path agent = sources.resolve("agent.c");
    String other =
        Files.readString(agent)
            .replaceFirst("PROTOCOL_VERSION = 1,", "PROTOCOL_VERSION = " + version + ",")
            .replaceFirst("PROTOCOL_OLDEST = 1,", "PROTOCOL_OLDEST = " + oldest + ",");
    assertThat(other).contains("PROTOCOL_OLDEST = " + oldest);
    Files.writeString(agent, other);
    Path program = sources.resolve("margay-cni");
    Node.command(
        "gcc",
        "-std=c11",
        "-o",
        program.toString(),
        sources.resolve("margay-cni.c").toString(),
        sources.resolve("client.c").toString(),
        agent.toString(),
        sources.resolve("conf.c").toString());
    return program;
  }

  @Test
  void status_follows_what_an_add_would_get_without_the_datastore() throws Exception {
    assertThat(node.status()).isEqualTo(new Answer(0, ""));
    node.awaitReserve();
    List<Pod> pods = new ArrayList<>();
    node.signalEtcd("-STOP");
    try {
      pods.add(Pod.add(node));
      assertThat(node.status()).as("the reserve has more").isEqualTo(new Answer(0, ""));
      Answer last = pods.getFirst().answer();
      while (last.exitCode() == 0) {
        String container = Pod.id();
        String netns = node.newNetns();
        last = node.call("ADD", container, netns);
        pods.add(new Pod(node, container, netns, last));
      }
      assertThat(await(NOT_READY).stdout()).contains("address left", "the datastore is away");
    } finally {
      node.signalEtcd("-CONT");
    }
    await(0);
    for (Pod pod : pods) {
      pod.end();
    }
  }

  @Test
  void status_follows_the_pools() throws Exception {
    disablePool(true);
    assertThat(await(NOT_READY).stdout()).contains("pool-0 is disabled");
    disablePool(false);
    await(0);
  }

  private static void disablePool(boolean disabled) throws Exception {
    node.margay(
        """
        apiVersion: projectcalico.org/v3
        kind: IPPool
        metadata: {name: pool-0}
        spec: {cidr: 10.65.0.0/16, blockSize: 26, disabled: %s}
        """
            .formatted(disabled),
        "apply",
        "-f",
        "-");
  }

  private static Answer await(int code) throws Exception {
    Answer answer = node.status();
    for (int i = 0; i < 240 && answer.code() != code; i++) {
      Thread.sleep(250);
      answer = node.status();
    }
    assertThat(answer.code()).as(answer.stdout()).isEqualTo(code);
    return answer;
  }
}
