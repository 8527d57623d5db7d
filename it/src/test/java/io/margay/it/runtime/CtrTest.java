package io.margay.it.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/// containerd's own client: `ctr run --cni`. The client is the runtime: it calls the plugin, and
/// its arguments know nothing of pods.
@Tag("runtime")
class CtrTest {

  @RegisterExtension static final Machine NODE = new Machine();

  private static @Nullable Containerd containerd;

  @BeforeAll
  static void start() throws Exception {
    containerd = Containerd.start(NODE, "default");
  }

  @AfterAll
  static void stop() throws Exception {
    if (containerd != null) {
      containerd.close();
    }
  }

  @BeforeEach
  void forget() throws Exception {
    NODE.forgetCalls();
  }

  @Test
  void a_container_has_both_families_and_its_gateway_while_it_runs() {
    String seen =
        once("ip addr show eth0; ip route; ip -6 route; ip neigh; ping -c 1 -W 3 10.0.0.1");
    assertThat(seen)
        .containsPattern("inet 10\\.65\\.\\S+/32 scope global eth0")
        .containsPattern("inet6 fd00:65:\\S+/128 scope global")
        .contains("default via 169.254.1.1 dev eth0", "default via fe80::1 dev eth0")
        .contains("1 packets received");
    assertThat(NODE.calls()).extracting(Machine.Call::verb).containsExactly("ADD", "DEL");
    assertThat(NODE.calls()).allMatch(call -> call.code() == 0, "succeeds");
    Machine.Call added = NODE.calls("ADD").getFirst();
    assertThat(added.containerId()).isEqualTo("default-My_Box.1");
    assertThat(added.netns()).matches("/proc/\\d+/ns/net");
    Machine.Call deleted = NODE.calls("DEL").getFirst();
    assertThat(deleted.netns()).as("the process, and its namespace, are gone").isEmpty();
    assertThat(deleted.config().path("prevResult").path("ips")).hasSize(2);
  }

  @Test
  void the_node_the_router_and_another_container_reach_a_container() throws Exception {
    List<String> command =
        run(
            "server",
            List.of("--rm"),
            List.of("/bin/nc", "-ll", "-p", "80", "-e", "/bin/hostname"));
    Process server =
        NODE.start(Map.of(), "server.log", containerd().command(command).toArray(String[]::new));
    Machine.until(
        "ADD is answered", () -> NODE.log("server.log"), () -> !NODE.calls("ADD").isEmpty());
    JsonNode result = Machine.parse(NODE.calls("ADD").getFirst().stdout());
    for (JsonNode ip : result.path("ips")) {
      String address = ip.path("address").asText().replaceFirst("/.*", "");
      Machine.until(
          "the container serves",
          () -> NODE.log("server.log"),
          () -> !NODE.ask(address, 80).isEmpty());
      String hostname = NODE.ask(address, 80);
      assertThat(NODE.askFromRouter(address, 80)).as("from the router").isEqualTo(hostname);
      assertThat(once("nc -w 3 " + address + " 80"))
          .as("from another container")
          .isEqualToIgnoringWhitespace(hostname);
    }
    ctr(List.of("task", "kill", "--signal", "SIGKILL", "server"));
    assertThat(server.waitFor()).as("as SIGKILL ends").isEqualTo(128 + 9);
    assertThat(NODE.calls("DEL")).hasSize(3);
  }

  @Test
  void a_detached_container_whose_deletion_never_comes_is_reclaimed() throws Exception {
    Leftovers before = Leftovers.of(NODE.lab());
    ctr(run("orphan", List.of("--detach"), List.of("/bin/sleep", "1000000")));
    ctr(List.of("task", "kill", "--signal", "SIGKILL", "orphan"));
    Machine.until(
        "the task ends",
        () -> NODE.log("containerd.log"),
        () -> ctr(List.of("task", "list")).contains("STOPPED"));
    ctr(List.of("task", "delete", "orphan"));
    ctr(List.of("container", "delete", "orphan"));
    before.assertNothingMore();
    assertThat(NODE.calls()).extracting(Machine.Call::verb).containsExactly("ADD");
  }

  /// Runs a script in a container, from its beginning to its end; what it printed. People choose
  /// such names, which CNI allows.
  private static String once(String script) {
    return ctr(run("My_Box.1", List.of("--rm"), List.of("/bin/sh", "-c", script)));
  }

  private static List<String> run(String name, List<String> flags, List<String> command) {
    List<String> full = new ArrayList<>(List.of("run", "--cni", "--snapshotter", "native"));
    full.addAll(List.of("--cgroup", NODE.cgroup() + "/" + name));
    full.addAll(flags);
    full.addAll(List.of(Image.NAME, name));
    full.addAll(command);
    return full;
  }

  private static String ctr(List<String> arguments) {
    return containerd().ctr(arguments.toArray(String[]::new));
  }

  private static Containerd containerd() {
    return Objects.requireNonNull(containerd);
  }
}
