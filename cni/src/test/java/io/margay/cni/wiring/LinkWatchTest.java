package io.margay.cni.wiring;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.cni.journal.Attachment;
import io.margay.cni.spec.AttachmentId;
import io.margay.model.net.InterfaceName;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What the kernel tells of host ends that vanish.
@Tag("netns")
final class LinkWatchTest {

  private static final AttachmentId POD = new AttachmentId("c1", new InterfaceName("eth0"));

  /// More notifications than a socket's buffer holds.
  private static final int FLOOD = 12_000;

  private static String veth(String name, TestNamespace pod) {
    return "ip link add " + name + " type veth peer name eth0 netns " + pod.name();
  }

  @Test
  void a_host_end_that_goes_with_its_pods_namespace_is_told_and_a_strangers_is_not()
      throws Exception {
    LinkedBlockingQueue<AttachmentId> vanished = new LinkedBlockingQueue<>();
    LinkedBlockingQueue<AttachmentId> returned = new LinkedBlockingQueue<>();
    try (TestNamespace node = new TestNamespace()) {
      TestNamespace pod = new TestNamespace();
      TestNamespace other = new TestNamespace();
      node.exec(veth("cali1", pod));
      node.exec("ip link set cali1 alias " + Attachment.alias(POD));
      node.exec(veth("cali2", other));
      try (LinkWatch _ =
          node.inside(() -> LinkWatch.start(vanished::add, returned::add, () -> {}))) {
        node.exec("ip link set cali1 down");
        node.exec("ip link set cali1 name mgyd7");
        other.close();
        pod.close();
        assertThat(vanished.poll(20, TimeUnit.SECONDS)).isEqualTo(POD);
      }
      assertThat(vanished).isEmpty();
    }
  }

  @Test
  void a_host_end_that_was_down_is_told_when_it_carries_packets_again() throws Exception {
    LinkedBlockingQueue<AttachmentId> returned = new LinkedBlockingQueue<>();
    try (TestNamespace node = new TestNamespace();
        TestNamespace pod = new TestNamespace();
        LinkWatch _ = node.inside(() -> LinkWatch.start(_ -> {}, returned::add, () -> {}))) {
      node.exec(veth("cali1", pod));
      node.exec("ip link set cali1 alias " + Attachment.alias(POD));
      node.exec("ip link set cali1 up");
      pod.exec("ip link set eth0 up");
      awaitRunning(node);
      assertThat(returned).as("its birth is no return").isEmpty();
      node.exec("ip link set cali1 down");
      node.exec("ip link set cali1 up");
      assertThat(returned.poll(20, TimeUnit.SECONDS)).isEqualTo(POD);
    }
  }

  /// The kernel tells of a carrier in its own time.
  private static void awaitRunning(TestNamespace node) throws Exception {
    while (!node.exec("ip link show cali1").contains("state UP")) {
      Thread.sleep(10);
    }
  }

  @Test
  void a_watch_that_cannot_keep_up_says_that_it_is_uncertain(@TempDir Path directory)
      throws Exception {
    CountDownLatch busy = new CountDownLatch(1);
    CountDownLatch flooded = new CountDownLatch(1);
    CountDownLatch uncertain = new CountDownLatch(1);
    Path flood =
        Files.writeString(
            directory.resolve("flood"),
            IntStream.range(0, FLOOD)
                .mapToObj(i -> "link set lo mtu " + (60000 + i % 2) + "\n")
                .collect(Collectors.joining()));
    try (TestNamespace node = new TestNamespace();
        TestNamespace pod = new TestNamespace();
        LinkWatch _ =
            node.inside(
                () ->
                    LinkWatch.start(
                        _ -> {
                          busy.countDown();
                          await(flooded);
                        },
                        _ -> {},
                        uncertain::countDown))) {
      node.exec(veth("cali1", pod));
      node.exec("ip link set cali1 alias " + Attachment.alias(POD));
      node.exec("ip link del cali1");
      assertThat(busy.await(20, TimeUnit.SECONDS)).isTrue();
      node.exec("ip -batch " + flood);
      assertThat(uncertain.getCount()).as("not read yet").isEqualTo(1);
      flooded.countDown();
      assertThat(uncertain.await(20, TimeUnit.SECONDS)).isTrue();
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException stopping) {
      throw new IllegalStateException(stopping);
    }
  }

  @Test
  void an_alias_names_the_attachment_or_is_not_ours() {
    assertThat(Attachment.ofAlias(Attachment.alias(POD))).contains(POD);
    for (String foreign : new String[] {"", "uplink", "margay:", "margay:c1", "margay:a b/eth0"}) {
      assertThat(Attachment.ofAlias(foreign)).as(foreign).isEqualTo(Optional.empty());
    }
  }
}
