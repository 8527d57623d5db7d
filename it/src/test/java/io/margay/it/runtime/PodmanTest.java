package io.margay.it.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.margay.it.Rack;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/// podman with its CNI backend. From version 5 on there is none; then every test says so, by what
/// podman itself answers.
@Tag("runtime")
class PodmanTest {

  private static final String NETWORK = "k8s-pod-network";

  @RegisterExtension static final Machine NODE = new Machine();

  private static @Nullable Podman podman;
  private static boolean cni;

  @BeforeAll
  static void load() throws Exception {
    Podman made = Podman.in(NODE, NETWORK);
    podman = made;
    cni = made.hasCni();
    if (cni) {
      made.load();
    }
  }

  @BeforeEach
  void forget() throws Exception {
    NODE.forgetCalls();
  }

  @Test
  void the_backend_is_cni_or_this_podman_has_none() {
    assertBackend();
  }

  private static void assertBackend() {
    if (cni) {
      assertThat(
              Machine.parse(podman().run("info", "--format", "json"))
                  .path("host")
                  .path("networkBackend")
                  .asText())
          .isEqualTo("cni");
      return;
    }
    Rack.Run info = podman().attempt("info");
    assertThat(info.exitCode()).as("podman 5 has no CNI backend").isNotZero();
    assertThat(info.err()).containsIgnoringCase("cni");
  }

  @Test
  void address_mac_and_alias_that_were_asked_for_survive_reload_and_restart() throws Exception {
    if (!cni) {
      assertBackend();
      return;
    }
    String address = "10.65.77.99";
    String mac = "02:11:22:33:44:55";
    podman()
        .run(
            options(
                "pbox",
                "--network",
                NETWORK + ":ip=" + address + ",mac=" + mac + ",alias=db",
                "--publish",
                "127.0.0.1:8089:80/tcp"));
    try {
      Machine.Call added = NODE.calls("ADD").getFirst();
      assertThat(added.environment().getOrDefault("CNI_ARGS", ""))
          .contains("K8S_POD_NAME=pbox", "MAC=" + mac, "IP=" + address);
      JsonNode runtime = added.config().path("runtimeConfig");
      assertThat(runtime.path("aliases").path(NETWORK).get(0).asText()).isEqualTo("db");
      assertThat(runtime.path("portMappings").get(0).path("hostPort").asInt()).isEqualTo(8089);
      assertHas("pbox", address, mac);
      String served = NODE.ask(address, 80);
      assertThat(served).isNotEmpty();
      assertThat(NODE.ask("127.0.0.1", 8089)).as("the published port").isEqualTo(served);

      podman().run("network", "reload", "pbox");
      assertThat(NODE.calls())
          .filteredOn(call -> !call.verb().equals("VERSION"))
          .extracting(Machine.Call::verb)
          .containsExactly("ADD", "DEL", "ADD");
      assertHas("pbox", address, mac);
      assertThat(NODE.ask(address, 80)).as("the running process still serves").isEqualTo(served);
      assertThat(NODE.askFromRouter(address, 80)).isEqualTo(served);

      assertThat(NODE.ask("127.0.0.1", 8089)).as("the published port").isEqualTo(served);

      podman().run("restart", "--time", "0", "pbox");
      assertHas("pbox", address, mac);
    } finally {
      podman().run("rm", "--force", "--time", "0", "pbox");
    }
    assertThat(NODE.calls()).allMatch(call -> call.code() == 0, "succeeds");
    assertThat(NODE.calls("ADD")).hasSize(3);
    assertThat(NODE.calls("DEL")).hasSize(3);
  }

  @Test
  void a_container_joins_a_second_network_and_leaves_it() throws Exception {
    if (!cni) {
      assertBackend();
      return;
    }
    ObjectNode second = NODE.conflist();
    second.put("name", "second");
    Files.writeString(NODE.directory().resolve("net.d/06-second.conflist"), second.toString());
    podman().run(options("twice"));
    try {
      podman().run("network", "connect", "second", "twice");
      assertThat(podman().run("exec", "twice", "ip", "-o", "addr"))
          .containsPattern("eth0\\s+inet 10\\.65")
          .containsPattern("eth1\\s+inet 10\\.65");
      podman().run("network", "disconnect", "second", "twice");
      assertThat(podman().run("exec", "twice", "ip", "-o", "addr")).doesNotContain("eth1");
    } finally {
      podman().run("rm", "--force", "--time", "0", "twice");
      Files.delete(NODE.directory().resolve("net.d/06-second.conflist"));
    }
    assertThat(NODE.calls()).allMatch(call -> call.code() == 0, "succeeds");
  }

  private static String[] options(String name, String... further) {
    List<String> options =
        new ArrayList<>(
            List.of(
                "run",
                "--detach",
                "--pull",
                "never",
                "--cgroup-parent",
                "/" + NODE.cgroup(),
                "--name",
                name));
    options.addAll(List.of(further));
    options.add(Image.NAME);
    return options.toArray(String[]::new);
  }

  private static void assertHas(String container, String address, String mac) {
    JsonNode network =
        podman().inspect(container).path("NetworkSettings").path("Networks").path(NETWORK);
    assertThat(network.path("IPAddress").asText()).isEqualTo(address);
    assertThat(network.path("MacAddress").asText()).isEqualTo(mac);
    assertThat(podman().run("exec", container, "ip", "addr", "show", "eth0"))
        .contains("link/ether " + mac, "inet " + address + "/32");
  }

  private static Podman podman() {
    return Objects.requireNonNull(podman);
  }
}
