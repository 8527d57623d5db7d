package io.margay.cni.client;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.margay.cni.client.ClientBinary.Run;
import io.margay.cni.protocol.CniCall;
import io.margay.cni.protocol.CniReply;
import io.margay.cni.protocol.CniRequest;
import io.margay.cni.protocol.CniServer;
import io.margay.cni.protocol.CniVariable;
import io.margay.cni.protocol.DeletionQueue;
import io.margay.cni.spec.AttachmentId;
import io.margay.cni.spec.CniVersion;
import io.margay.linux.LinuxException;
import io.margay.linux.netns.Netns;
import io.margay.model.net.InterfaceName;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// The C client from outside, as a runtime sees it.
final class ClientTest {

  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir static Path built;
  private static ClientBinary client;

  @TempDir Path runDir;

  @BeforeAll
  static void compile() throws Exception {
    client = ClientBinary.compile(built, "-Os", "-static");
  }

  private String conf() {
    return "{\"cniVersion\":\"1.0.0\",\"name\":\"net\",\"type\":\"margay-cni\",\"margayRunDir\":\""
        + runDir
        + "\"}";
  }

  private static Map<String, String> env(String command) {
    Map<String, String> env = new HashMap<>();
    env.put("CNI_COMMAND", command);
    env.put("CNI_CONTAINERID", "c1");
    env.put("CNI_NETNS", "/proc/self/ns/net");
    env.put("CNI_NETNS_OVERRIDE", "1");
    env.put("CNI_IFNAME", "eth0");
    env.put("CNI_PATH", "/opt/cni/bin");
    return env;
  }

  private static JsonNode json(Run run) throws Exception {
    return JSON.readTree(run.stdout());
  }

  private static int code(Run run) throws Exception {
    assertThat(run.exitCode()).as(run.stdout()).isEqualTo(1);
    JsonNode error = json(run);
    assertThat(error.get("cniVersion").asText()).isNotEmpty();
    assertThat(error.get("msg").asText()).isNotEmpty();
    return error.get("code").asInt();
  }

  @Test
  void version_is_answered_alone_in_the_version_asked() throws Exception {
    Run run =
        client.run(
            Map.of(
                "CNI_COMMAND",
                "VERSION",
                "CNI_NETNS",
                "dummy",
                "CNI_IFNAME",
                "dummy",
                "CNI_PATH",
                "dummy"),
            "{\"cniVersion\":\"0.4.0\"}");
    assertThat(run.exitCode()).isZero();
    assertThat(json(run).get("cniVersion").asText()).isEqualTo("0.4.0");
    List<String> supported = new ArrayList<>();
    json(run).get("supportedVersions").forEach(version -> supported.add(version.asText()));
    assertThat(supported).isEqualTo(CniVersion.texts());
    assertThat(json(client.run(Map.of("CNI_COMMAND", "VERSION"), "")).get("cniVersion").asText())
        .isEqualTo("1.1.0");
  }

  @Test
  void without_a_command_the_banner_goes_to_stderr_and_names_a_version() throws Exception {
    Run run = client.run(Map.of(), "");
    assertThat(run.exitCode()).isZero();
    assertThat(run.stdout()).isEmpty();
    assertThat(run.stderr())
        .matches(
            "(?s)CNI margay-cni plugin v\\d+\\.\\d+\\.\\d+\n.*0\\.1\\.0, 0\\.2\\.0.*1\\.1\\.0\n");
  }

  static Stream<Arguments> badEnvironments() {
    return Stream.of(
        Arguments.of("ADD", Map.of("CNI_NETNS", ""), "CNI_NETNS"),
        Arguments.of(
            "ADD", Map.of("CNI_CONTAINERID", "", "CNI_PATH", ""), "CNI_CONTAINERID, CNI_PATH"),
        Arguments.of("CHECK", Map.of("CNI_IFNAME", ""), "CNI_IFNAME"),
        Arguments.of("DEL", Map.of("CNI_CONTAINERID", ""), "CNI_CONTAINERID"),
        Arguments.of("STATUS", Map.of("CNI_PATH", ""), "CNI_PATH"),
        Arguments.of("GC", Map.of("CNI_PATH", ""), "CNI_PATH"),
        Arguments.of("GET", Map.of(), "use CHECK"),
        Arguments.of("FROB", Map.of(), "FROB"),
        Arguments.of("ADD", Map.of("CNI_CONTAINERID", "a/b"), "CNI_CONTAINERID"),
        Arguments.of("DEL", Map.of("CNI_CONTAINERID", "-a"), "CNI_CONTAINERID"),
        Arguments.of("ADD", Map.of("CNI_IFNAME", "sixteencharslong"), "CNI_IFNAME"),
        Arguments.of("ADD", Map.of("CNI_IFNAME", ".."), "CNI_IFNAME"),
        Arguments.of("ADD", Map.of("CNI_IFNAME", "a:b"), "CNI_IFNAME"),
        Arguments.of("ADD", Map.of("CNI_ARGS", "x".repeat(40_000)), "CNI_ARGS"));
  }

  @ParameterizedTest(name = "{0} with {1}")
  @MethodSource("badEnvironments")
  void a_bad_environment_is_code_4_and_named(
      String command, Map<String, String> changes, String named) throws Exception {
    Map<String, String> env = env(command);
    env.putAll(changes);
    Run run = client.run(env, "not even JSON");
    assertThat(code(run)).isEqualTo(4);
    assertThat(json(run).get("msg").asText()).contains(named);
  }

  static Stream<Arguments> badConfigurations() {
    return Stream.of(
        Arguments.of("", 6),
        Arguments.of("[]", 6),
        Arguments.of("{\"name\":\"n\"} x", 6),
        Arguments.of("{\"name\":\"n\",}", 6),
        Arguments.of("{\"name\":\"n\",\"x\":01}", 6),
        Arguments.of("{\"name\":\"n\",\"x\":\"\u0001\"}", 6),
        Arguments.of("[".repeat(10_000), 6),
        Arguments.of("{\"a\":" + "[".repeat(100) + "]".repeat(100) + "}", 6),
        Arguments.of("{\"name\":\"n\",\"cniVersion\":1}", 6),
        Arguments.of("{\"cniVersion\":\"9.9.9\"}", 7),
        Arguments.of("{\"name\":\"a/b\",\"cniVersion\":\"9.9.9\"}", 7),
        Arguments.of("{\"name\":7}", 7),
        Arguments.of("{\"name\":\"n\",\"cniVersion\":\"1.0.1\"}", 1),
        Arguments.of("{\"NAME\":\"n\",\"CNIVERSION\":\"1.0.1\"}", 1),
        Arguments.of("{\"name\":\"n\",\"margayRunDir\":\"relative\"}", 7),
        Arguments.of("{\"name\":\"n\",\"MargayRunDir\":\"/" + "x".repeat(80) + "\"}", 7));
  }

  @ParameterizedTest(name = "{0} is code {1}")
  @MethodSource("badConfigurations")
  void a_bad_configuration_gets_its_code_in_the_order_of_the_checks(String stdin, int expected)
      throws Exception {
    assertThat(code(client.run(env("ADD"), stdin))).isEqualTo(expected);
  }

  @Test
  void null_is_absence() throws Exception {
    Run run = client.run(env("ADD"), "{\"cniVersion\":null,\"name\":null,\"margayRunDir\":null}");
    assertThat(code(run)).as("of the name").isEqualTo(7);
    assertThat(json(run).get("msg").asText()).contains("key name");
    assertThat(json(run).get("cniVersion").asText()).isEqualTo("0.2.0");
    Run status =
        client.run(
            env("STATUS"), "{\"cniVersion\":\"1.1.0\",\"name\":\"net\",\"margayRunDir\":null}");
    assertThat(status.stdout()).doesNotContain("margayRunDir");
  }

  @Test
  void invalid_utf8_and_a_huge_configuration_are_code_6() throws Exception {
    byte[] overlong = "{\"name\":\"n\",\"x\":\"??\"}".getBytes(StandardCharsets.ISO_8859_1);
    overlong[17] = (byte) 0xc0;
    overlong[18] = (byte) 0x80;
    assertThat(code(client.run(env("ADD"), overlong))).isEqualTo(6);
    assertThat(code(client.run(env("ADD"), new byte[10 << 20]))).isEqualTo(6);
  }

  @Test
  void the_namespace_must_be_one_and_not_the_plugins_own() throws Exception {
    Map<String, String> own = env("ADD");
    own.remove("CNI_NETNS_OVERRIDE");
    assertThat(code(client.run(own, conf()))).isEqualTo(8);
    Map<String, String> file = env("ADD");
    file.put("CNI_NETNS", Files.createFile(runDir.resolve("plain")).toString());
    assertThat(code(client.run(file, conf()))).isEqualTo(8);
    Map<String, String> gone = env("CHECK");
    gone.put("CNI_NETNS", "/run/netns/gone");
    assertThat(code(client.run(gone, conf()))).isEqualTo(8);
  }

  @Test
  void without_an_agent_add_tries_for_a_while_and_answers_11_in_the_asked_version()
      throws Exception {
    ClientBinary impatient =
        ClientBinary.compile(
            Files.createDirectory(built.resolve("impatient")), "-DMARGAY_CONNECT_PATIENCE_MS=200");
    Run run = impatient.run(env("ADD"), conf());
    assertThat(code(run)).isEqualTo(11);
    assertThat(json(run).get("cniVersion").asText()).isEqualTo("1.0.0");
  }

  @Test
  void without_an_agent_status_answers_50_at_once() throws Exception {
    assertThat(code(client.run(env("STATUS"), conf().replace("1.0.0", "1.1.0")))).isEqualTo(50);
  }

  @Test
  void without_an_agent_del_is_queued_once_and_drained_later() throws Exception {
    Map<String, String> env = env("DEL");
    env.put("CNI_NETNS", "");
    for (int i = 0; i < 3; i++) {
      Run run = client.run(env, conf());
      assertThat(run.exitCode()).as(run.stdout()).isZero();
      assertThat(run.stdout()).isEmpty();
    }
    env.put("CNI_IFNAME", "net1");
    assertThat(client.run(env, conf()).exitCode()).isZero();
    List<String> drained = new ArrayList<>();
    DeletionQueue queue = new DeletionQueue(runDir.resolve("delq"));
    assertThat(
            queue.drain(
                call -> {
                  drained.add(call.request().toString());
                  assertThat(new String(call.request().stdin(), StandardCharsets.UTF_8))
                      .isEqualTo(conf());
                  return CniReply.success("");
                }))
        .isEqualTo(2);
    assertThat(drained).containsExactlyInAnyOrder("DEL c1/eth0", "DEL c1/net1");
    assertThat(queue.drain(_ -> CniReply.success(""))).isZero();
  }

  @Test
  void a_queued_deletion_that_fails_stays_and_garbage_is_set_aside() throws Exception {
    client.run(env("DEL"), conf());
    Files.write(runDir.resolve("delq/0000000000000000.del"), new byte[] {1, 2, 3});
    DeletionQueue queue = new DeletionQueue(runDir.resolve("delq"));
    assertThat(queue.drain(_ -> CniReply.failure("{}"))).isZero();
    assertThat(runDir.resolve("delq/0000000000000000.del.bad")).exists();
    assertThat(queue.drain(_ -> CniReply.success(""))).isEqualTo(1);
  }

  @Test
  void a_queued_deletion_is_forgotten_by_the_name_of_its_attachment() throws Exception {
    DeletionQueue queue = new DeletionQueue(runDir.resolve("delq"));
    AttachmentId id = new AttachmentId("c1", new InterfaceName("eth0"));
    queue.forget(id);
    client.run(env("DEL"), conf());
    queue.forget(new AttachmentId("c1", new InterfaceName("eth1")));
    assertThat(queue.drain(_ -> CniReply.failure("{}"))).isZero();
    assertThat(runDir.resolve("delq/").toFile().list((_, name) -> name.endsWith(".del")))
        .hasSize(1);
    queue.forget(id);
    assertThat(runDir.resolve("delq/").toFile().list((_, name) -> name.endsWith(".del"))).isEmpty();
  }

  @Test
  void the_queue_is_bounded() throws Exception {
    Path queue = Files.createDirectories(runDir.resolve("delq"));
    for (int i = 0; i < DeletionQueue.MAX_QUEUED; i++) {
      Files.createFile(queue.resolve(i + ".del"));
    }
    assertThat(code(client.run(env("DEL"), conf()))).isEqualTo(11);
  }

  @Test
  void a_request_arrives_whole_with_both_namespaces_and_the_reply_is_printed_as_it_is()
      throws Exception {
    Map<String, String> env = env("ADD");
    env.put("CNI_ARGS", "IgnoreUnknown=1;K8S_POD_NAME=p");
    env.put("TRACEPARENT", "00-abc-def-01");
    env.put("UNRELATED", "not sent");
    BlockingQueue<CniRequest> seen = new LinkedBlockingQueue<>();
    BlockingQueue<Netns.NetnsId> namespaces = new LinkedBlockingQueue<>();
    try (CniServer server =
        CniServer.start(
            runDir.resolve("cni.sock"),
            call -> {
              seen.add(call.request());
              identify(call, namespaces);
              return new CniReply(3, "{\"reply\":\"é\"}\n", "log line\n");
            })) {
      Run run = client.run(env, conf());
      assertThat(run).isEqualTo(new Run(3, "{\"reply\":\"é\"}\n", "log line\n"));
      assertThat(server).isNotNull();
    }
    CniRequest request = seen.remove();
    assertThat(request.program()).isEqualTo("margay-cni");
    assertThat(new String(request.stdin(), StandardCharsets.UTF_8)).isEqualTo(conf());
    for (CniVariable variable : CniVariable.values()) {
      assertThat(request.get(variable))
          .as(variable.variable())
          .isEqualTo(env.getOrDefault(variable.variable(), ""));
    }
    try (Netns own = Netns.ofThread()) {
      assertThat(namespaces).containsExactly(own.id(), own.id());
    }
  }

  private static void identify(CniCall call, BlockingQueue<Netns.NetnsId> namespaces) {
    try {
      namespaces.add(Netns.NetnsId.of(call.callerNetns().orElseThrow().number()));
      namespaces.add(Netns.NetnsId.of(call.podNetns().orElseThrow().number()));
    } catch (LinuxException failure) {
      throw new AssertionError(failure);
    }
  }

  @Test
  void a_del_without_a_namespace_still_reaches_the_agent() throws Exception {
    Map<String, String> env = env("DEL");
    env.put("CNI_NETNS", "/run/netns/gone");
    BlockingQueue<Boolean> podNamespace = new LinkedBlockingQueue<>();
    try (CniServer server =
        CniServer.start(
            runDir.resolve("cni.sock"),
            call -> {
              podNamespace.add(call.podNetns().isPresent());
              return CniReply.success("");
            })) {
      assertThat(client.run(env, conf()).exitCode()).isZero();
      assertThat(server).isNotNull();
    }
    assertThat(podNamespace).containsExactly(false);
  }

  @Test
  void the_largest_configuration_fits() throws Exception {
    String head = conf().substring(0, conf().length() - 1) + ",\"padding\":\"";
    String sent = head + "x".repeat((1 << 20) - head.length() - 2) + "\"}";
    BlockingQueue<Integer> sizes = new LinkedBlockingQueue<>();
    try (CniServer server =
        CniServer.start(
            runDir.resolve("cni.sock"),
            call -> {
              sizes.add(call.request().stdin().length);
              return CniReply.success("");
            })) {
      assertThat(client.run(env("DEL"), sent).exitCode()).isZero();
      assertThat(server).isNotNull();
    }
    assertThat(sizes).containsExactly(sent.length());
  }

  @Test
  void an_add_waits_for_an_agent_that_is_starting() throws Exception {
    Process waiting = client.start(env("ADD"), conf().getBytes(StandardCharsets.UTF_8));
    try (CniServer server =
        CniServer.start(runDir.resolve("cni.sock"), _ -> CniReply.success("{}"))) {
      assertThat(ClientBinary.finish(waiting)).isEqualTo(new Run(0, "{}", ""));
      assertThat(server).isNotNull();
    }
  }

  @Test
  void a_signal_ends_the_wait_with_an_error_object() throws Exception {
    CountDownLatch arrived = new CountDownLatch(1);
    CountDownLatch abandoned = new CountDownLatch(1);
    try (CniServer server =
        CniServer.start(
            runDir.resolve("cni.sock"),
            call -> {
              arrived.countDown();
              while (!call.isAbandoned().getAsBoolean()) {
                Thread.onSpinWait();
              }
              abandoned.countDown();
              return CniReply.success("too late");
            })) {
      Process process = client.start(env("ADD"), conf().getBytes(StandardCharsets.UTF_8));
      arrived.await();
      process.toHandle().destroy(); // SIGTERM, and the streams stay open
      assertThat(code(ClientBinary.finish(process))).isEqualTo(11);
      abandoned.await();
      assertThat(server).isNotNull();
    }
  }

  @Test
  void an_add_whose_result_nobody_can_read_is_taken_back() throws Exception {
    BlockingQueue<String> commands = new LinkedBlockingQueue<>();
    try (CniServer server =
        CniServer.start(
            runDir.resolve("cni.sock"),
            call -> {
              commands.add(call.request().get(CniVariable.COMMAND));
              return CniReply.success("{}");
            })) {
      // /dev/full takes no octet.
      Process process =
          ClientBinary.start(
              List.of("/bin/sh", "-c", "exec " + client.path() + " >/dev/full"),
              env("ADD"),
              conf().getBytes(StandardCharsets.UTF_8));
      assertThat(ClientBinary.finish(process).exitCode()).isEqualTo(1);
      assertThat(server).isNotNull();
    }
    assertThat(commands).containsExactly("ADD", "DEL");
  }

  @Test
  void a_closed_stdout_is_noticed_before_anything_is_done() throws Exception {
    Process process =
        ClientBinary.start(
            List.of("/bin/sh", "-c", "exec " + client.path() + " >&-"),
            env("ADD"),
            conf().getBytes(StandardCharsets.UTF_8));
    assertThat(ClientBinary.finish(process).exitCode()).isEqualTo(1);
  }

  @Test
  void as_margay_ipam_it_says_so_to_the_agent_and_queues_deletions_all_the_same() throws Exception {
    ClientBinary ipam = client.as("margay-ipam");
    assertThat(ipam.run(Map.of(), "").stderr()).startsWith("CNI margay-ipam plugin");
    assertThat(ipam.run(env("DEL"), conf()).exitCode()).isZero();
    assertThat(runDir.resolve("delq")).isDirectoryContaining("glob:**.del");
    BlockingQueue<String> programs = new LinkedBlockingQueue<>();
    try (CniServer server =
        CniServer.start(
            runDir.resolve("cni.sock"),
            call -> {
              programs.add(call.request().program());
              return new CniReply(0, "{}\n", "");
            })) {
      assertThat(ipam.run(env("ADD"), conf())).isEqualTo(new Run(0, "{}\n", ""));
      assertThat(server).isNotNull();
    }
    assertThat(programs).containsExactly("margay-ipam");
  }
}
