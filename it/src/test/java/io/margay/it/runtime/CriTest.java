package io.margay.it.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/// containerd as a kubelet drives it: sandboxes by the CRI, with all that a pod may ask of its
/// network.
@Tag("runtime")
class CriTest {

  /// Where the router sees the lab's only node.
  private static final String NODE_ADDRESS = "10.0.0.1";

  @RegisterExtension static final Machine NODE = new Machine();

  private static @Nullable Containerd containerd;
  private static @Nullable Cri cri;

  @BeforeAll
  static void start() throws Exception {
    containerd = Containerd.start(NODE, "k8s.io");
    cri = containerd.cri();
  }

  @AfterAll
  static void stop() throws Exception {
    if (cri != null) {
      cri.close();
    }
    if (containerd != null) {
      containerd.close();
    }
  }

  @BeforeEach
  void forget() throws Exception {
    NODE.forgetCalls();
  }

  @Test
  void the_network_is_ready() throws Exception {
    Machine.until(
        "the network is ready",
        () -> cri().conditions().toString(),
        () -> cri().conditions().getOrDefault("NetworkReady", "").equals("true"));
  }

  @Test
  void a_pod_is_given_its_network_and_stopped_twice_and_removed() {
    String id = cri().run(sandbox("web-0", List.of(), Map.of()));
    Cri.Status status = cri().status(id);
    JsonNode added = Machine.parse(NODE.calls("ADD").getFirst().stdout());
    assertThat(status.ready()).isTrue();
    assertThat(status.addresses()).containsExactlyElementsOf(addresses(added));
    JsonNode eth0 = status.info().path("cniResult").path("Interfaces").path("eth0");
    assertThat(eth0.path("Mac").asText())
        .isEqualTo(added.path("interfaces").get(1).path("mac").asText());
    assertThat(eth0.path("IPConfigs")).hasSize(2);
    assertThat(status.info().path("cniResult").path("Routes")).hasSize(2);

    cri().stop(id);
    cri().stop(id);
    assertThat(cri().status(id).ready()).isFalse();
    cri().remove(id);
    List<Machine.Call> deletions = NODE.calls("DEL");
    assertThat(deletions).hasSize(3).allMatch(call -> call.code() == 0, "succeeds");
    assertThat(deletions.get(0).netns()).startsWith("/var/run/netns/cni-");
    assertThat(deletions.get(0).config().path("prevResult").path("ips")).hasSize(2);
    for (Machine.Call repeated : deletions.subList(1, 3)) {
      assertThat(repeated.netns()).isEmpty();
      assertThat(repeated.config().has("prevResult")).isFalse();
    }
  }

  @Test
  void what_a_kubelet_says_of_a_pod_arrives_and_is_done() throws Exception {
    Leftovers before = Leftovers.of(NODE.lab());
    String id =
        cri()
            .run(
                sandbox(
                    "web-1",
                    List.of(
                        new Cri.PortMapping(0, 80, 18080, ""),
                        new Cri.PortMapping(0, 80, 18081, "127.0.0.1")),
                    Map.of(
                        "kubernetes.io/ingress-bandwidth",
                        "10M",
                        "kubernetes.io/egress-bandwidth",
                        "20M",
                        "note",
                        "x")));
    Machine.Call added = NODE.calls("ADD").getFirst();
    assertThat(added.containerId()).isEqualTo(id);
    assertThat(List.of(added.environment().getOrDefault("CNI_ARGS", "").split(";")))
        .containsExactlyInAnyOrder(
            "IgnoreUnknown=1",
            "K8S_POD_NAMESPACE=default",
            "K8S_POD_NAME=web-1",
            "K8S_POD_INFRA_CONTAINER_ID=" + id,
            "K8S_POD_UID=uid-web-1");
    JsonNode runtime = added.config().path("runtimeConfig");
    assertThat(runtime.path("portMappings").get(0).path("HostPort").asInt()).isEqualTo(18080);
    assertThat(runtime.path("bandwidth").path("IngressRate").asInt()).isEqualTo(10_000_000);
    assertThat(runtime.path("dns").path("Servers").get(0).asText()).isEqualTo("10.96.0.10");
    assertThat(runtime.path("io.kubernetes.cri.pod-annotations").path("note").asText())
        .isEqualTo("x");

    String address = cri().status(id).addresses().getFirst();
    Machine.until(
        "the pod serves", () -> containerd().log(), () -> NODE.ask(address, 80).equals("web-1"));
    assertThat(NODE.askFromRouter(NODE_ADDRESS, 18080)).as("from the router").isEqualTo("web-1");
    assertThat(NODE.ask("127.0.0.1", 18081)).as("from the node").isEqualTo("web-1");
    assertThat(NODE.askFromRouter(NODE_ADDRESS, 18081)).as("only from the node").isEmpty();
    assertThat(NODE.out("tc", "qdisc", "show")).contains("rate 10Mbit", "rate 20Mbit");
    endOf(id);
    assertThat(NODE.ask("127.0.0.1", 18081)).isEmpty();
    before.assertNothingMore();
  }

  @Test
  void pods_reach_each_other_and_are_reached_through_the_router() throws Exception {
    String web = cri().run(sandbox("web-2", List.of(), Map.of()));
    String client = cri().run(sandbox("client", List.of(), Map.of()));
    for (String address : cri().status(web).addresses()) {
      Machine.until(
          "the pod serves", () -> containerd().log(), () -> NODE.ask(address, 80).equals("web-2"));
      assertThat(NODE.askFromRouter(address, 80)).as("from the router").isEqualTo("web-2");
      assertThat(
              NODE.out(
                  "nsenter", "--net=" + netns(client), "busybox", "nc", "-w", "3", address, "80"))
          .as("from another pod")
          .isEqualToIgnoringWhitespace("web-2");
    }
    endOf(web);
    endOf(client);
  }

  @Test
  void pods_that_start_together_have_an_address_each() throws Exception {
    List<String> ids = Collections.synchronizedList(new ArrayList<>());
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      String name = "burst-" + i;
      threads.add(
          Thread.ofPlatform().start(() -> ids.add(cri().run(sandbox(name, List.of(), Map.of())))));
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertThat(ids).hasSize(5);
    Set<String> addresses = new LinkedHashSet<>();
    ids.forEach(id -> addresses.addAll(cri().status(id).addresses()));
    assertThat(addresses).hasSize(10);
    ids.forEach(CriTest::endOf);
  }

  private static void endOf(String id) {
    cri().stop(id);
    cri().remove(id);
  }

  private static Cri.Sandbox sandbox(
      String name, List<Cri.PortMapping> ports, Map<String, String> annotations) {
    return new Cri.Sandbox("default", name, ports, annotations, "/" + NODE.cgroup());
  }

  private static String netns(String id) {
    for (JsonNode namespace :
        cri().status(id).info().path("runtimeSpec").path("linux").path("namespaces")) {
      if (namespace.path("type").asText().equals("network")) {
        return namespace.path("path").asText();
      }
    }
    throw new AssertionError("no network namespace in " + cri().status(id).info());
  }

  private static List<String> addresses(JsonNode result) {
    List<String> addresses = new ArrayList<>();
    result
        .path("ips")
        .forEach(ip -> addresses.add(ip.path("address").asText().replaceFirst("/.*", "")));
    return addresses;
  }

  private static Cri cri() {
    return Objects.requireNonNull(cri);
  }

  private static Containerd containerd() {
    return Objects.requireNonNull(containerd);
  }
}
