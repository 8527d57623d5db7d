package io.margay.cni;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.cni.journal.AttachmentJournal;
import io.margay.cni.journal.JournalEntry;
import io.margay.cni.protocol.CniCall;
import io.margay.cni.protocol.CniReply;
import io.margay.cni.protocol.CniRequest;
import io.margay.cni.protocol.CniVariable;
import io.margay.cni.protocol.DeletionQueue;
import io.margay.cni.spec.AttachmentId;
import io.margay.linux.netns.Netns;
import io.margay.linux.socket.OwnedFd;
import io.margay.model.k8s.KubernetesPod;
import io.margay.model.net.InterfaceName;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Attachments that vanish without a DEL, on the verbs' in-memory ports and a clock set by hand.
final class SelfReclaimTest {

  private static final Path OWN_NETNS = Path.of("/proc/self/ns/net");
  private static final Duration GRACE = Duration.ofSeconds(30);
  private static final AttachmentId C1 = id("c1");

  @TempDir Path directory;
  private final InMemoryAddresses addresses = new InMemoryAddresses();
  private final InMemoryNetwork network = new InMemoryNetwork();
  private final InMemoryPolicy policy = new InMemoryPolicy();
  private AttachmentJournal journal;
  private CniVerbs verbs;
  private SelfReclaim reclaim;
  private Instant now = Instant.parse("2026-01-01T00:00:00Z");
  private CompletableFuture<Void> documentIsRead = CompletableFuture.completedFuture(null);
  private final CountDownLatch readingDocument = new CountDownLatch(1);

  @BeforeEach
  void start() throws Exception {
    journal = AttachmentJournal.open(directory);
    CniNode node = new CniNode("node-1", "cali", 1500, new Netns.NetnsId(1, 1));
    verbs =
        new CniVerbs(
            node,
            journal,
            addresses,
            network,
            policy,
            _ -> document(),
            new ReleaseQueue(Runnable::run),
            new DeletionQueue(directory.resolve("delq")),
            (_, _) -> Optional.empty());
    reclaim = new SelfReclaim(verbs, () -> GRACE, () -> now);
  }

  @AfterEach
  void stop() {
    reclaim.close();
  }

  private Optional<KubernetesPod> document() {
    readingDocument.countDown();
    documentIsRead.join();
    return Optional.empty();
  }

  private static AttachmentId id(String container) {
    return new AttachmentId(container, new InterfaceName("eth0"));
  }

  private CniReply add(String container) throws Exception {
    return add(container, "eth0");
  }

  private CniReply add(String container, String ifName) throws Exception {
    return add(container, ifName, "K8S_POD_NAMESPACE=default;K8S_POD_NAME=pod-" + container);
  }

  private CniReply add(String container, String ifName, String args) throws Exception {
    Map<CniVariable, String> env = new HashMap<>();
    env.put(CniVariable.COMMAND, "ADD");
    env.put(CniVariable.CONTAINERID, container);
    env.put(CniVariable.NETNS, OWN_NETNS.toString());
    env.put(CniVariable.IFNAME, ifName);
    env.put(CniVariable.PATH, "/opt/cni/bin");
    env.put(CniVariable.ARGS, args);
    CniRequest request =
        new CniRequest(
            env,
            "margay-cni",
            "{\"cniVersion\":\"1.0.0\",\"name\":\"net\"}".getBytes(StandardCharsets.UTF_8));
    try (OwnedFd fd = OwnedFd.openForReading(OWN_NETNS)) {
      CniReply reply =
          verbs.handle(new CniCall(request, Optional.empty(), Optional.of(fd), () -> false));
      assertThat(reply.exitCode()).as(reply.stdout()).isZero();
      return reply;
    }
  }

  private void cut(String container) {
    network.wires.values().removeIf(wire -> wire.id().containerId().equals(container));
  }

  private void pass(Duration time) {
    now = now.plus(time);
  }

  private void assertNothingIsLeft() {
    assertThat(addresses.handles).isEmpty();
    assertThat(addresses.endpoints).isEmpty();
    assertThat(policy.applied).isEmpty();
    assertThat(journal.all()).isEmpty();
  }

  @Test
  void an_attachment_whose_wire_vanished_is_released_after_the_grace_and_not_before()
      throws Exception {
    add("c1");
    add("c2");
    cut("c1");
    reclaim.suspect(C1);
    pass(GRACE.minusSeconds(1));
    reclaim.settle();
    assertThat(addresses.handles).containsOnlyKeys("net.c1", "net.c2");
    pass(Duration.ofSeconds(1));
    reclaim.settle();
    assertThat(addresses.handles).containsOnlyKeys("net.c2");
    assertThat(addresses.endpoints).hasSize(1);
    assertThat(policy.applied).hasSize(1);
    assertThat(journal.all()).hasSize(1);
    assertThat(reclaim.reclaimed()).isEqualTo(1);
    add("c1");
    assertThat(addresses.handles).hasSize(2);
  }

  @Test
  void the_host_end_of_an_attachment_that_was_down_is_mended() throws Exception {
    add("c1");
    verbs.mend(C1);
    verbs.mend(id("unknown"));
    assertThat(network.mended).containsExactly(C1);
    assertThat(journal.all()).hasSize(1);
  }

  @Test
  void what_vanished_while_nobody_looked_is_found_by_comparing() throws Exception {
    add("c1");
    cut("c1");
    reclaim.compareAndSettle();
    pass(GRACE);
    reclaim.compareAndSettle();
    assertNothingIsLeft();
  }

  @Test
  void the_kernels_word_and_the_comparison_reach_the_thread() throws Exception {
    SelfReclaim running = new SelfReclaim(verbs, () -> Duration.ofMillis(20), Instant::now);
    add("c1");
    running.start();
    cut("c1");
    running.onVanished(C1);
    for (int i = 0; i < 1000 && running.reclaimed() == 0; i++) {
      Thread.sleep(10);
    }
    assertNothingIsLeft();
    running.close();
    running.onVanished(C1);
    running.onUncertain();
  }

  @Test
  void one_that_came_back_is_left_alone_and_its_time_starts_anew() throws Exception {
    add("c1");
    cut("c1");
    reclaim.suspect(C1);
    pass(GRACE.minusSeconds(1));
    add("c1");
    pass(Duration.ofSeconds(1));
    reclaim.settle();
    assertThat(journal.all()).hasSize(1);
    assertThat(network.wires).hasSize(1);
    cut("c1");
    reclaim.suspect(C1);
    pass(GRACE.minusSeconds(1));
    add("c1");
    cut("c1");
    reclaim.suspect(C1);
    pass(GRACE.minusSeconds(1));
    reclaim.settle();
    assertThat(journal.all()).as("gone for 29 s since it came back").hasSize(1);
    pass(Duration.ofSeconds(1));
    reclaim.settle();
    assertNothingIsLeft();
  }

  @Test
  void what_the_kernel_cannot_be_asked_about_is_kept() throws Exception {
    add("c1");
    cut("c1");
    network.isBlind = true;
    reclaim.compareAndSettle();
    pass(GRACE);
    reclaim.compareAndSettle();
    assertThat(addresses.handles).hasSize(1);
  }

  @Test
  void an_address_that_cannot_be_given_back_is_owed_and_the_attachment_is_gone() throws Exception {
    add("c1");
    cut("c1");
    addresses.awayForReleases = true;
    reclaim.compareAndSettle();
    pass(GRACE);
    reclaim.compareAndSettle();
    assertThat(policy.applied).isEmpty();
    assertThat(journal.all()).singleElement().isInstanceOf(JournalEntry.Releasing.class);
    addresses.awayForReleases = false;
    assertThat(verbs.repeatReleases()).isZero();
    assertNothingIsLeft();
  }

  @Test
  void an_add_that_could_not_even_undo_is_taken_away() throws Exception {
    add("c1");
    JournalEntry entry = journal.all().getFirst();
    journal.write(new JournalEntry.Prepared(entry.attachment(), entry.bootId()));
    reclaim.compareAndSettle();
    pass(GRACE);
    reclaim.compareAndSettle();
    assertThat(network.wires).isEmpty();
    assertNothingIsLeft();
  }

  /// An ADD of another interface of the container, which goes on until [#documentIsRead].
  private CompletableFuture<CniReply> addInProgress(String ifName) throws Exception {
    documentIsRead = new CompletableFuture<>();
    CompletableFuture<CniReply> done = new CompletableFuture<>();
    Thread.ofPlatform()
        .start(
            () -> {
              try {
                done.complete(add("c1", ifName));
              } catch (Exception failed) {
                done.completeExceptionally(failed);
              }
            });
    readingDocument.await();
    return done;
  }

  @Test
  void a_container_that_is_worked_on_is_left_for_the_next_time() throws Exception {
    JournalEntry entry = interruptedDel();
    journal.write(
        new JournalEntry.Committed(
            entry.attachment(),
            entry.bootId(),
            addresses.handles.getOrDefault("net.c1", List.of())));
    CompletableFuture<CniReply> other = addInProgress("net1");
    reclaim.suspect(C1);
    pass(GRACE);
    reclaim.settle();
    assertThat(journal.find(C1)).isPresent();
    documentIsRead.complete(null);
    other.get();
    reclaim.compareAndSettle();
    pass(GRACE);
    reclaim.compareAndSettle();
    assertThat(journal.find(C1)).isEmpty();
    assertThat(addresses.handles).containsOnlyKeys("net.c1.net1");
  }

  /// An attachment whose DEL succeeded while the datastore was away. No pod, no document: the next
  /// ADD is the first to ask for one.
  private JournalEntry interruptedDel() throws Exception {
    CniCall call =
        CniCall.replayed(
            new CniRequest(
                Map.of(
                    CniVariable.COMMAND,
                    "DEL",
                    CniVariable.CONTAINERID,
                    "c1",
                    CniVariable.IFNAME,
                    "eth0"),
                "margay-cni",
                "{\"cniVersion\":\"1.0.0\",\"name\":\"net\"}".getBytes(StandardCharsets.UTF_8)),
            () -> false);
    add("c1", "eth0", "");
    addresses.awayForReleases = true;
    assertThat(verbs.handle(call)).isEqualTo(CniReply.success(""));
    addresses.awayForReleases = false;
    return journal.find(C1).orElseThrow();
  }

  @Test
  void a_release_that_is_owed_waits_for_an_add_of_the_same_container() throws Exception {
    interruptedDel();
    assertThat(addresses.handles).containsOnlyKeys("net.c1");
    CompletableFuture<CniReply> again = addInProgress("eth0");
    assertThat(verbs.repeatReleases()).isEqualTo(1);
    assertThat(addresses.handles).as("the ADD is about to use them").containsOnlyKeys("net.c1");
    documentIsRead.complete(null);
    again.get();
    assertThat(verbs.repeatReleases()).isZero();
    assertThat(addresses.handles).containsOnlyKeys("net.c1");
    assertThat(journal.all()).singleElement().isInstanceOf(JournalEntry.Committed.class);
  }
}
