package io.margay.cni;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.margay.cni.journal.AttachmentJournal;
import io.margay.cni.journal.JournalEntry;
import io.margay.cni.protocol.CniCall;
import io.margay.cni.protocol.CniReply;
import io.margay.cni.protocol.CniRequest;
import io.margay.cni.protocol.CniVariable;
import io.margay.cni.protocol.DeletionQueue;
import io.margay.cni.spec.CniError;
import io.margay.linux.netns.Netns;
import io.margay.linux.socket.OwnedFd;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

/// What becomes of addresses between DEL's answer and their release, run by hand here.
final class DeferredReleaseTest {

  private static final Path OWN_NETNS = Path.of("/proc/self/ns/net");

  @TempDir Path directory;
  private final InMemoryAddresses addresses = new InMemoryAddresses();
  private final Deque<Runnable> due = new ArrayDeque<>();
  private AttachmentJournal journal;
  private CniVerbs verbs;

  @BeforeEach
  void start() throws Exception {
    journal = AttachmentJournal.open(directory);
    verbs =
        new CniVerbs(
            new CniNode("node-1", "cali", 1500, new Netns.NetnsId(1, 1)),
            journal,
            addresses,
            new InMemoryNetwork(),
            new InMemoryPolicy(),
            _ -> Optional.empty(),
            new ReleaseQueue(due::add),
            new DeletionQueue(directory.resolve("delq")),
            (_, _) -> Optional.empty());
  }

  private CniReply call(String command, String container) throws Exception {
    Map<CniVariable, String> env = new HashMap<>();
    env.put(CniVariable.COMMAND, command);
    env.put(CniVariable.CONTAINERID, container);
    env.put(CniVariable.NETNS, OWN_NETNS.toString());
    env.put(CniVariable.IFNAME, "eth0");
    env.put(CniVariable.PATH, "/opt/cni/bin");
    CniRequest request =
        new CniRequest(
            env,
            "margay-cni",
            "{\"cniVersion\":\"1.0.0\",\"name\":\"net\"}".getBytes(StandardCharsets.UTF_8));
    try (OwnedFd fd = OwnedFd.openForReading(OWN_NETNS)) {
      return verbs.handle(new CniCall(request, Optional.empty(), Optional.of(fd), () -> false));
    }
  }

  private void run() {
    while (!due.isEmpty()) {
      due.remove().run();
    }
  }

  @Test
  void del_answers_before_the_datastore_is_told_and_the_journal_knows() throws Exception {
    call("ADD", "c1");
    assertThat(call("DEL", "c1")).isEqualTo(CniReply.success(""));
    assertThat(addresses.handles).hasSize(1);
    assertThat(AttachmentJournal.open(directory).all())
        .singleElement()
        .isInstanceOf(JournalEntry.Releasing.class);
    run();
    assertThat(addresses.handles).isEmpty();
    assertThat(journal.all()).isEmpty();
  }

  @Test
  void a_datastore_that_is_long_away_is_said_once_for_each_pod() throws Exception {
    Logger logger = (Logger) LoggerFactory.getLogger(DelCommand.class);
    ListAppender<ILoggingEvent> log = new ListAppender<>();
    log.start();
    logger.setLevel(Level.INFO);
    logger.addAppender(log);
    try {
      call("ADD", "c1");
      addresses.awayForReleases = true;
      call("DEL", "c1");
      run();
      for (int i = 0; i < 3; i++) {
        verbs.repeatReleases();
        run();
      }
      assertThat(log.list).hasSize(1);
      addresses.awayForReleases = false;
      verbs.repeatReleases();
      run();
      assertThat(journal.all()).isEmpty();
    } finally {
      logger.detachAppender(log);
    }
  }

  @Test
  void a_container_added_again_before_its_release_keeps_its_addresses() throws Exception {
    String first = call("ADD", "c1").stdout();
    call("DEL", "c1");
    assertThat(call("ADD", "c1").stdout()).isEqualTo(first);
    run();
    assertThat(addresses.handles).hasSize(1);
    assertThat(journal.all()).singleElement().isInstanceOf(JournalEntry.Committed.class);
  }

  @Test
  void repeated_dels_owe_one_release() throws Exception {
    call("ADD", "c1");
    for (int i = 0; i < 3; i++) {
      assertThat(call("DEL", "c1")).isEqualTo(CniReply.success(""));
    }
    run();
    assertThat(call("DEL", "c1")).isEqualTo(CniReply.success(""));
    run();
    assertThat(addresses.handles).isEmpty();
    assertThat(journal.all()).isEmpty();
  }

  @Test
  void an_add_that_finds_the_pool_used_up_waits_for_what_is_being_released() throws Exception {
    call("ADD", "c1");
    call("DEL", "c1");
    addresses.failure = Optional.of(CniError.POOL_EXHAUSTED);
    CompletableFuture<Void> released =
        CompletableFuture.runAsync(
            () -> {
              addresses.failure = Optional.empty();
              run();
            },
            CompletableFuture.delayedExecutor(100, TimeUnit.MILLISECONDS));
    assertThat(call("ADD", "c2").exitCode()).isZero();
    released.get(5, TimeUnit.SECONDS);
    assertThat(addresses.handles).hasSize(1);
  }

  @Test
  void with_nothing_being_released_a_used_up_pool_is_said_at_once() throws Exception {
    addresses.failure = Optional.of(CniError.POOL_EXHAUSTED);
    CniReply reply = call("ADD", "c1");
    assertThat(reply.stdout()).contains("\"code\":" + CniError.POOL_EXHAUSTED);
    assertThat(due).isEmpty();
  }

  @Test
  void more_than_the_queue_holds_is_left_to_the_next_round() {
    ReleaseQueue queue = new ReleaseQueue(due::add);
    List<Integer> ran = new ArrayList<>();
    for (int i = 0; i < ReleaseQueue.MAX_WAITING + 10; i++) {
      int release = i;
      queue.submit(() -> ran.add(release));
    }
    run();
    assertThat(ran).hasSize(ReleaseQueue.MAX_WAITING);
  }
}
