package io.margay.it.cni;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.it.cni.Node.Answer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// What goes wrong on nodes, a row each, on one node that is raised once. After each row nothing is
/// left, says a checker of its own.
@Tag("lab")
class FailureMatrixTest {

  private static final int BAD_NETNS = 8;
  private static final int CHECK_FAILED = 109;

  private static Node node;

  @BeforeAll
  static void raise() throws Exception {
    node = Node.raise("mgytfail" + ProcessHandle.current().pid());
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

  @Test
  void a_namespace_that_is_another_one_by_now_is_not_touched() throws Exception {
    Pod pod = Pod.add(node);
    String other = node.newNetns();
    Node.command("ip", "-n", other, "link", "add", "eth0", "type", "veth", "peer", "name", "e1");
    Node.command("mount", "--bind", Node.path(other).toString(), Node.path(pod.netns()).toString());
    Answer check = pod.check();
    assertThat(check.code()).isEqualTo(CHECK_FAILED);
    assertThat(check.stdout()).contains("not the one ADD was given");
    assertThat(node.call("DEL", pod.container(), pod.netns())).isEqualTo(new Answer(0, ""));
    assertThat(Node.command("ip", "-n", other, "link")).contains("eth0");
    Node.command("umount", Node.path(pod.netns()).toString());
    // DEL answers before the kernel has taken the veth away: a group of them goes at once.
    assertThat(new Invariants(node).settled(Map.of())).isEmpty();
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
      String container = Pod.id();
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

  /// Somebody sends the pod's packets elsewhere, under our own name.
  private static List<String> replacedRoute(Pod pod) throws Exception {
    String address = pod.answer().addresses().getFirst();
    return List.of("ip", "route", "replace", address, "dev", "lo", "proto", "117", "scope", "link");
  }

  @Test
  void kernel_state_that_was_torn_by_hand_is_reported_and_add_mends_it() throws Exception {
    Pod pod = Pod.add(node);
    String hostEnd = pod.hostEnd();
    assertThat(pod.check()).isEqualTo(new Answer(0, ""));
    List<List<String>> tears =
        List.of(
            List.of("nft", "flush", "ruleset"),
            List.of("ip", "route", "flush", "root", "10.65.0.0/16", "type", "unicast"),
            List.of("ip", "-6", "route", "flush", "root", "fd00:65::/48", "type", "unicast"),
            replacedRoute(pod),
            List.of("sysctl", "-qw", "net.ipv4.conf." + hostEnd + ".rp_filter=0"),
            List.of("sysctl", "-qw", "net.ipv4.conf." + hostEnd + ".forwarding=0"),
            List.of("sysctl", "-qw", "net.ipv6.conf." + hostEnd + ".accept_ra=1"),
            List.of("ip", "-n", pod.netns(), "addr", "flush", "dev", "eth0", "scope", "global"),
            List.of("ip", "-n", pod.netns(), "link", "set", "eth0", "down"));
    for (List<String> tear : tears) {
      node.exec(tear.toArray(String[]::new));
      Answer check = pod.check();
      List<String> wrong = new Invariants(node).violations(pod.alone());
      // What the agent has mended already, rules and routes, is nothing to report.
      boolean mended =
          check.exitCode() == 0
              && wrong.isEmpty()
              && (tear.contains("ruleset") || tear.contains("route"));
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
}
