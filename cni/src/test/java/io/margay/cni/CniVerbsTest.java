package io.margay.cni;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.margay.cni.journal.Attachment;
import io.margay.cni.journal.AttachmentJournal;
import io.margay.cni.journal.JournalEntry;
import io.margay.cni.journal.Workload;
import io.margay.cni.protocol.CniCall;
import io.margay.cni.protocol.CniFrame;
import io.margay.cni.protocol.CniReply;
import io.margay.cni.protocol.CniRequest;
import io.margay.cni.protocol.CniVariable;
import io.margay.cni.protocol.DeletionQueue;
import io.margay.cni.spec.AttachmentId;
import io.margay.cni.spec.Bandwidth;
import io.margay.cni.spec.CniError;
import io.margay.linux.netns.Netns;
import io.margay.linux.socket.OwnedFd;
import io.margay.model.k8s.KubernetesPod;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.Prefix;
import io.margay.model.resource.EndpointPort;
import io.margay.model.resource.Metadata;
import io.margay.model.resource.Protocol;
import io.margay.model.resource.ResourceValidator;
import io.margay.model.resource.WorkloadEndpoint;
import io.margay.model.selector.Selector;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The verbs on in-memory addresses, wires and policy that behave like the real ones, and a journal
/// on disk.
final class CniVerbsTest {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Path OWN_NETNS = Path.of("/proc/self/ns/net");
  private static final String CONF =
      "{\"cniVersion\":\"1.0.0\",\"name\":\"net\",\"ipam\":{\"type\":\"margay-ipam\",\"assign_ipv6\":true},"
          + "\"args\":{\"cni\":{\"labels\":[{\"key\":\"app\",\"value\":\"web\"}]}}}";

  @TempDir Path directory;
  private final InMemoryAddresses addresses = new InMemoryAddresses();
  private final InMemoryNetwork network = new InMemoryNetwork();
  private final InMemoryPolicy policy = new InMemoryPolicy();
  private Optional<CniError> readiness = Optional.empty();
  private final List<String> asked = new ArrayList<>();
  private AttachmentJournal journal;
  private CniVerbs verbs;
  private boolean abandoned;
  private Optional<KubernetesPod> said = Optional.empty();

  @BeforeEach
  void start() throws Exception {
    journal = AttachmentJournal.open(directory);
    // The pod's namespace is this process's own; the agent's is some other one.
    CniNode node = new CniNode("node-1", "cali", 1500, new Netns.NetnsId(1, 1));
    verbs =
        new CniVerbs(
            node,
            journal,
            addresses,
            network,
            policy,
            _ -> said,
            new ReleaseQueue(Runnable::run),
            new DeletionQueue(directory.resolve("delq")),
            (source, wish) -> {
              asked.add(source + " " + wish.families() + wish.ipv4Pools());
              return readiness;
            });
  }

  private static Map<CniVariable, String> pod(String container) {
    Map<CniVariable, String> env = new EnumMap<>(CniVariable.class);
    env.put(CniVariable.CONTAINERID, container);
    env.put(CniVariable.NETNS, OWN_NETNS.toString());
    env.put(CniVariable.IFNAME, "eth0");
    env.put(CniVariable.PATH, "/opt/cni/bin");
    env.put(CniVariable.ARGS, "IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=web-0");
    return env;
  }

  private CniReply call(String command, Map<CniVariable, String> env, String conf)
      throws Exception {
    Map<CniVariable, String> full = new HashMap<>(env);
    full.put(CniVariable.COMMAND, command);
    CniRequest request = new CniRequest(full, "margay-cni", conf.getBytes(StandardCharsets.UTF_8));
    if (full.getOrDefault(CniVariable.NETNS, "").isEmpty()) {
      return verbs.handle(
          new CniCall(request, Optional.empty(), Optional.empty(), () -> abandoned));
    }
    try (OwnedFd fd = OwnedFd.openForReading(OWN_NETNS)) {
      return verbs.handle(new CniCall(request, Optional.empty(), Optional.of(fd), () -> abandoned));
    }
  }

  private JsonNode add(String container) throws Exception {
    CniReply reply = call("ADD", pod(container), CONF);
    assertThat(reply.exitCode()).as(reply.stdout()).isZero();
    return JSON.readTree(reply.stdout());
  }

  private void del(String container) throws Exception {
    CniReply reply = call("DEL", pod(container), CONF);
    assertThat(reply).isEqualTo(CniReply.success(""));
  }

  private static int code(CniReply reply) throws Exception {
    assertThat(reply.exitCode()).as(reply.stdout()).isEqualTo(1);
    return JSON.readTree(reply.stdout()).get("code").asInt();
  }

  private void assertNothingIsLeft() {
    assertThat(addresses.handles).isEmpty();
    assertThat(addresses.endpoints).isEmpty();
    assertThat(network.wires).isEmpty();
    assertThat(policy.applied).isEmpty();
    assertThat(journal.all()).isEmpty();
  }

  @Test
  void add_answers_what_it_built_and_wrote() throws Exception {
    JsonNode result = add("c1");
    assertThat(result.get("interfaces").get(0).get("name").asText()).isEqualTo("cali0d7763386da");
    assertThat(result.get("interfaces").get(1).get("sandbox").asText())
        .isEqualTo(OWN_NETNS.toString());
    assertThat(result.get("ips").get(0).get("address").asText()).isEqualTo("10.0.0.1/32");
    assertThat(result.get("ips").get(1).get("address").asText()).isEqualTo("fd00::1/128");
    assertThat(addresses.endpoints).containsOnlyKeys("default/node--1-k8s-web--0-eth0");
    WorkloadEndpoint endpoint = addresses.endpoints.values().iterator().next();
    assertThat(endpoint.metadata().labels())
        .containsEntry("app", "web")
        .containsEntry("projectcalico.org/namespace", "default")
        .containsEntry("projectcalico.org/orchestrator", "k8s");
    assertThat(endpoint.spec().ipNetworks())
        .containsExactly(Prefix.parse("10.0.0.1/32"), Prefix.parse("fd00::1/128"));
    assertThat(endpoint.spec().profiles()).containsExactly("kns.default", "ksa.default.default");
    assertThat(policy.applied).containsOnlyKeys("default/node--1-k8s-web--0-eth0");
    assertThat(network.wires).containsOnlyKeys("cali0d7763386da");
    assertThat(journal.all()).singleElement().isInstanceOf(JournalEntry.Committed.class);
  }

  private static KubernetesPod saying(String app) {
    return new KubernetesPod(
        Metadata.named("default", "web-0").withLabels(Map.of("app", app)),
        KubernetesPod.Spec.EMPTY);
  }

  private @Nullable String appWritten() {
    return addresses.endpoints.values().iterator().next().metadata().labels().get("app");
  }

  private @Nullable String appInForce() {
    return policy.applied.values().iterator().next().document().metadata().labels().get("app");
  }

  @Test
  void what_the_pods_document_says_is_in_the_endpoint_from_its_add_on() throws Exception {
    said = Optional.of(saying("db"));

    add("c1");

    assertThat(appWritten()).isEqualTo("db");
    assertThat(appInForce()).isEqualTo("db");
    assertThat(((JournalEntry.Committed) journal.all().getFirst()).attachment().labels())
        .as("what the node itself knows")
        .containsEntry("app", "web");
  }

  @Test
  void a_repeated_add_applies_the_document_of_now() throws Exception {
    add("c1");
    said = Optional.of(saying("db"));
    add("c1");
    assertThat(appInForce()).isEqualTo("db");
    said = Optional.empty();
    add("c1");
    assertThat(appInForce()).isEqualTo("web");
  }

  @Test
  void a_pods_annotations_beat_the_configuration_and_its_document_beats_both() throws Exception {
    String conf =
        CONF.replace(
            "\"args\"",
            "\"runtimeConfig\":{\"io.kubernetes.cri.pod-annotations\":"
                + "{\"margay.io/labels\":\"{\\\"app\\\":\\\"cache\\\"}\",\"x\":\"y\"}},\"args\"");
    assertThat(call("ADD", pod("c1"), conf).exitCode()).isZero();
    assertThat(appWritten()).isEqualTo("cache");
    del("c1");

    said = Optional.of(saying("db"));
    assertThat(call("ADD", pod("c1"), conf).exitCode()).isZero();
    assertThat(appWritten()).isEqualTo("db");
  }

  @Test
  void a_pod_does_not_bring_the_labels_of_a_namespace_along() throws Exception {
    String conf =
        CONF.replace(
            "\"labels\":[",
            "\"labels\":[{\"key\":\"pcns.kubernetes.io/metadata.name\",\"value\":\"other\"},");
    assertThat(call("ADD", pod("c1"), conf).exitCode()).isZero();
    assertThat(appWritten()).isEqualTo("web");
    assertThat(addresses.endpoints.values().iterator().next().metadata().labels().keySet())
        .noneMatch(Selector::isHandedDown);
  }

  @Test
  void a_bad_annotation_stops_add_before_anything_is_claimed_and_never_stops_del()
      throws Exception {
    String conf =
        CONF.replace(
            "\"args\"",
            "\"runtimeConfig\":{\"io.kubernetes.cri.pod-annotations\":{\"margay.io/labels\":\"x\"}},"
                + "\"args\"");
    assertThat(code(call("ADD", pod("c1"), conf))).isEqualTo(CniError.BAD_CONFIG);
    assertNothingIsLeft();
    add("c1");
    assertThat(call("DEL", pod("c1"), conf)).isEqualTo(CniReply.success(""));
    assertNothingIsLeft();
  }

  /// Where an ADD is made to fail.
  enum Failure {
    ASSIGN,
    ASSIGN_OUTCOME_UNKNOWN,
    WIRE,
    POD_END,
    POLICY,
    ABANDONED
  }

  @ParameterizedTest
  @EnumSource
  void a_failed_add_leaves_nothing_and_the_next_one_succeeds(Failure failure) throws Exception {
    switch (failure) {
      case ASSIGN -> addresses.failure = Optional.of(CniError.POOL_EXHAUSTED);
      case ASSIGN_OUTCOME_UNKNOWN -> addresses.failsAfterCommit = true;
      case WIRE -> network.fails = true;
      case POD_END -> network.breaksOff = true;
      case POLICY -> policy.fails = true;
      case ABANDONED -> abandoned = true;
    }
    assertThat(code(call("ADD", pod("c1"), CONF))).isPositive();
    assertNothingIsLeft();
    addresses.failure = Optional.empty();
    addresses.failsAfterCommit = false;
    network.fails = false;
    network.breaksOff = false;
    policy.fails = false;
    abandoned = false;
    add("c1");
  }

  @Test
  void an_add_that_gets_neither_address_nor_wire_tells_of_the_address() throws Exception {
    addresses.failure = Optional.of(CniError.POOL_EXHAUSTED);
    network.fails = true;
    assertThat(code(call("ADD", pod("c1"), CONF))).isEqualTo(CniError.POOL_EXHAUSTED);
    assertNothingIsLeft();
  }

  @Test
  void a_failed_add_while_the_datastore_is_away_owes_the_release_and_pays_it_later()
      throws Exception {
    network.fails = true;
    addresses.awayForReleases = true;
    assertThat(code(call("ADD", pod("c1"), CONF))).isEqualTo(CniError.KERNEL_REFUSED);
    assertThat(journal.all()).singleElement().isInstanceOf(JournalEntry.Releasing.class);
    assertThat(verbs.repeatReleases()).isEqualTo(1);
    addresses.awayForReleases = false;
    assertThat(verbs.repeatReleases()).isZero();
    assertNothingIsLeft();
  }

  @Test
  void a_repeated_add_answers_the_same_and_assigns_nothing() throws Exception {
    JsonNode first = add("c1");
    addresses.failure = Optional.of(CniError.DATASTORE_UNREACHABLE);
    assertThat(add("c1")).isEqualTo(first);
  }

  @Test
  void a_repeated_add_mends_a_broken_wire() throws Exception {
    JsonNode first = add("c1");
    network.wires.clear();
    assertThat(add("c1")).isEqualTo(first);
    assertThat(network.wires).hasSize(1);
  }

  @Test
  void an_add_that_a_crash_interrupted_gets_the_same_addresses_again() throws Exception {
    JsonNode first = add("c1");
    JournalEntry committed = journal.all().getFirst();
    journal.write(new JournalEntry.Prepared(committed.attachment(), committed.bootId()));
    assertThat(add("c1")).isEqualTo(first);
  }

  @Test
  void at_start_the_unfinished_and_the_previous_boot_are_taken_away_and_the_rest_is_returned()
      throws Exception {
    add("c1");
    JournalEntry.Committed committed = (JournalEntry.Committed) journal.all().getFirst();
    assertThat(verbs.recover()).containsExactly(committed);
    journal.write(new JournalEntry.Prepared(committed.attachment(), committed.bootId()));
    assertThat(verbs.recover()).isEmpty();
    assertNothingIsLeft();
    add("c1");
    committed = (JournalEntry.Committed) journal.all().getFirst();
    journal.write(
        new JournalEntry.Committed(committed.attachment(), "another boot", committed.addresses()));
    assertThat(verbs.recover()).isEmpty();
    assertNothingIsLeft();
  }

  @Test
  void del_is_success_however_often_and_without_namespace_and_arguments() throws Exception {
    add("c1");
    del("c1");
    assertNothingIsLeft();
    Map<CniVariable, String> bare = pod("c1");
    bare.remove(CniVariable.NETNS);
    bare.remove(CniVariable.ARGS);
    assertThat(call("DEL", bare, CONF)).isEqualTo(CniReply.success(""));
    assertThat(call("DEL", bare, CONF)).isEqualTo(CniReply.success(""));
    del("never-seen");
    assertNothingIsLeft();
  }

  @Test
  void del_succeeds_while_the_datastore_is_away_and_the_release_is_repeated() throws Exception {
    add("c1");
    addresses.awayForReleases = true;
    del("c1");
    del("c1");
    del("unknown");
    assertThat(network.wires).isEmpty();
    assertThat(policy.applied).isEmpty();
    assertThat(addresses.handles).hasSize(1);
    addresses.awayForReleases = false;
    assertThat(verbs.repeatReleases()).isZero();
    assertNothingIsLeft();
  }

  @Test
  void the_late_del_of_a_pods_old_container_leaves_the_new_one_alone() throws Exception {
    add("old");
    add("new");
    del("old");
    assertThat(network.wires.values())
        .extracting(wire -> wire.id().containerId())
        .containsExactly("new");
    assertThat(addresses.endpoints.values())
        .extracting(endpoint -> endpoint.spec().containerID())
        .containsExactly("new");
    assertThat(policy.applied).hasSize(1);
    assertThat(addresses.handles).containsOnlyKeys("net.new");
    del("new");
    assertNothingIsLeft();
  }

  @Test
  void two_interfaces_of_a_container_are_two_attachments() throws Exception {
    add("c1");
    Map<CniVariable, String> second = pod("c1");
    second.put(CniVariable.IFNAME, "net1");
    assertThat(call("ADD", second, CONF).exitCode()).isZero();
    assertThat(network.wires).hasSize(2);
    assertThat(addresses.handles).containsOnlyKeys("net.c1", "net.c1.net1");
    assertThat(call("DEL", second, CONF).exitCode()).isZero();
    assertThat(addresses.handles).containsOnlyKeys("net.c1");
  }

  @Test
  void check_is_silent_when_all_is_well_and_names_the_first_thing_that_is_not() throws Exception {
    String withResult =
        CONF.replace(
            "{\"cniVersion\":\"1.0.0\"", "{\"cniVersion\":\"1.0.0\",\"prevResult\":" + add("c1"));
    assertThat(call("CHECK", pod("c1"), withResult)).isEqualTo(CniReply.success(""));
    assertThat(code(call("CHECK", pod("c1"), withResult.replace("10.0.0.1/32", "10.0.0.9/32"))))
        .isEqualTo(CniError.CHECK_FAILED);
    network.wires.clear();
    CniReply reply = call("CHECK", pod("c1"), withResult);
    assertThat(code(reply)).isEqualTo(CniError.CHECK_FAILED);
    assertThat(reply.stdout()).contains("no wire");
    assertThat(code(call("CHECK", pod("c2"), withResult))).isEqualTo(CniError.UNKNOWN_CONTAINER);
  }

  @Test
  void check_needs_a_version_that_has_it_and_a_previous_result() throws Exception {
    add("c1");
    assertThat(code(call("CHECK", pod("c1"), CONF))).isEqualTo(CniError.BAD_CONFIG);
    assertThat(code(call("CHECK", pod("c1"), CONF.replace("1.0.0", "0.3.1"))))
        .isEqualTo(CniError.INCOMPATIBLE_VERSION);
  }

  @Test
  void status_tells_what_the_node_says() throws Exception {
    Map<CniVariable, String> env = Map.of(CniVariable.PATH, "/opt/cni/bin");
    String conf = CONF.replace("1.0.0", "1.1.0");
    assertThat(call("STATUS", env, conf)).isEqualTo(CniReply.success(""));
    readiness = Optional.of(new CniError(CniError.NOT_READY, "the pools are used up"));
    assertThat(code(call("STATUS", env, conf))).isEqualTo(50);
    assertThat(code(call("STATUS", env, CONF))).isEqualTo(CniError.INCOMPATIBLE_VERSION);
    readiness = Optional.empty();
    asked.clear();
    call("STATUS", env, conf.replace("\"assign_ipv6\":true", "\"ipv4_pools\":[\"blue\"]"));
    assertThat(asked).containsExactly("OURS [IPV4][blue]");
  }

  @ParameterizedTest(name = "valid attachments {0}")
  @ValueSource(strings = {"[]", "null", "[{\"containerID\":\"other\",\"ifname\":\"eth0\"}]"})
  void gc_deletes_what_is_not_listed_unless_its_namespace_is_alive(String valid) throws Exception {
    Map<CniVariable, String> env = Map.of(CniVariable.PATH, "/opt/cni/bin");
    String conf = CONF.replace("1.0.0\"", "1.1.0\",\"cni.dev/valid-attachments\":" + valid);
    add("c1");
    CniReply spared = call("GC", env, conf);
    assertThat(spared.exitCode()).isZero();
    assertThat(spared.stderr()).contains("c1/eth0 is not listed", OWN_NETNS.toString(), "kept");
    assertThat(call("GC", env, conf.replace("\"net\"", "\"net\",\"disableGC\":\"true\"")).stderr())
        .contains("disableGC");
    assertThat(network.wires).as("alive").hasSize(1);
    JournalEntry.Committed alive = (JournalEntry.Committed) journal.all().getFirst();
    Attachment a = alive.attachment();
    Attachment dead =
        new Attachment(
            a.id(),
            a.network(),
            a.workload(),
            a.netns(),
            "/run/netns/gone",
            a.hostEnd(),
            a.podMac(),
            a.mtu(),
            a.labels());
    journal.write(new JournalEntry.Committed(dead, alive.bootId(), alive.addresses()));
    assertThat(call("GC", env, conf.replace("\"net\"", "\"another\"")))
        .isEqualTo(CniReply.success(""));
    assertThat(network.wires).as("another network's").hasSize(1);
    assertThat(call("GC", env, conf)).isEqualTo(CniReply.success(""));
    assertNothingIsLeft();
  }

  @Test
  void gc_without_a_list_deletes_nothing() throws Exception {
    add("c1");
    assertThat(code(call("GC", Map.of(CniVariable.PATH, "p"), CONF.replace("1.0.0", "1.1.0"))))
        .isEqualTo(CniError.BAD_CONFIG);
    assertThat(network.wires).hasSize(1);
  }

  @Test
  void the_checks_come_in_order_environment_json_name_version() throws Exception {
    Map<CniVariable, String> bad = pod("a/b");
    assertThat(code(call("ADD", bad, "no JSON"))).isEqualTo(4);
    assertThat(code(call("GET", bad, "no JSON"))).isEqualTo(4);
    assertThat(code(call("ADD", pod("c1"), "no JSON"))).isEqualTo(6);
    assertThat(code(call("ADD", pod("c1"), "{\"cniVersion\":\"9\"}"))).isEqualTo(7);
    assertThat(code(call("ADD", pod("c1"), "{\"name\":\"n\",\"cniVersion\":\"9\",\"mtu\":\"x\"}")))
        .isEqualTo(1);
    assertThat(code(call("ADD", pod("c1"), "{\"name\":\"n\",\"mtu\":\"x\"}"))).isEqualTo(7);
    Map<CniVariable, String> without = pod("c1");
    without.remove(CniVariable.NETNS);
    assertThat(code(call("ADD", without, CONF))).isEqualTo(4);
    assertNothingIsLeft();
  }

  @Test
  void errors_are_written_in_the_version_asked_for() throws Exception {
    CniReply reply =
        call("ADD", pod("c1"), "{\"name\":\"n\",\"cniVersion\":\"0.3.1\",\"mtu\":\"x\"}");
    assertThat(JSON.readTree(reply.stdout()).get("cniVersion").asText()).isEqualTo("0.3.1");
  }

  @Test
  void another_workload_under_the_same_host_name_is_refused() throws Exception {
    add("c1");
    JournalEntry.Committed committed = (JournalEntry.Committed) journal.all().getFirst();
    Map<CniVariable, String> other = pod("c2");
    other.put(CniVariable.ARGS, "K8S_POD_NAMESPACE=default;K8S_POD_NAME=other");
    Attachment a = committed.attachment();
    InterfaceName clash =
        HostEnd.name(
            "cali", new Workload.Pod("default", "other"), new AttachmentId("c2", a.id().ifName()));
    journal.write(
        new JournalEntry.Committed(
            new Attachment(
                a.id(),
                a.network(),
                a.workload(),
                a.netns(),
                a.netnsPath(),
                clash,
                a.podMac(),
                a.mtu(),
                a.labels()),
            committed.bootId(),
            committed.addresses()));
    assertThat(code(call("ADD", other, CONF))).isEqualTo(CniError.INTERFACE_NOT_OURS);
  }

  @ParameterizedTest
  @ValueSource(strings = {"My_Net", "net.A", "a_b", "k8s-pod-network"})
  void the_endpoint_is_valid_whatever_its_network_is_called(String name) throws Exception {
    Map<CniVariable, String> env = pod("My_Box.1");
    env.remove(CniVariable.ARGS);
    CniReply reply = call("ADD", env, CONF.replace("\"net\"", "\"" + name + "\""));
    assertThat(reply.exitCode()).as(reply.stdout()).isZero();
    assertThat(addresses.endpoints.values())
        .singleElement()
        .satisfies(endpoint -> assertThat(ResourceValidator.validate(endpoint)).isEmpty());
  }

  @Test
  void a_del_that_its_client_gave_up_on_does_nothing() throws Exception {
    add("c1");
    abandoned = true;
    assertThat(code(call("DEL", pod("c1"), CONF))).isEqualTo(CniError.TRY_LATER);
    assertThat(network.wires).hasSize(1);
    assertThat(addresses.handles).hasSize(1);
    abandoned = false;
    del("c1");
    assertNothingIsLeft();
  }

  @Test
  void a_queued_del_does_not_reach_a_newer_add_even_when_it_is_read_already() throws Exception {
    Path queued = Files.createDirectories(directory.resolve("delq"));
    Map<CniVariable, String> env = pod("c1");
    env.put(CniVariable.COMMAND, "DEL");
    DeletionQueue queue = new DeletionQueue(queued);
    // Named as the client does: FNV-1a of c1/eth0.
    Path file = queued.resolve("9e27a0abdbb07ad3.del");
    Files.write(
        file,
        CniFrame.encode(new CniRequest(env, "margay-cni", CONF.getBytes(StandardCharsets.UTF_8))));
    List<String> replies = new ArrayList<>();
    queue.drain(
        deletion -> {
          try {
            add("c1");
          } catch (Exception failure) {
            throw new IllegalStateException(failure);
          }
          CniReply reply = verbs.handle(deletion);
          replies.add(reply.stdout());
          return reply;
        });
    assertThat(replies).singleElement().asString().contains("\"code\":11");
    assertThat(file).doesNotExist();
    assertThat(network.wires).hasSize(1);
    assertThat(addresses.handles).hasSize(1);
  }

  private static String withHostPorts(String mappings) {
    return CONF.substring(0, CONF.length() - 1)
        + ",\"runtimeConfig\":{\"portMappings\":"
        + mappings
        + "}}";
  }

  private static Map<CniVariable, String> otherPod(String container) {
    Map<CniVariable, String> env = pod(container);
    env.put(CniVariable.ARGS, "K8S_POD_NAMESPACE=default;K8S_POD_NAME=other");
    return env;
  }

  @Test
  void host_ports_are_in_the_endpoint_and_come_back_after_a_restart() throws Exception {
    String conf =
        withHostPorts("[{\"HostPort\":8080,\"ContainerPort\":80,\"HostIP\":\"10.9.9.9\"}]");
    assertThat(call("ADD", pod("c1"), conf).exitCode()).isZero();
    EndpointPort expected =
        new EndpointPort("", Protocol.Named.TCP, 80, 8080, "10.9.9.9", Map.of());
    assertThat(addresses.endpoints.values())
        .singleElement()
        .satisfies(
            endpoint -> {
              assertThat(endpoint.spec().ports()).containsExactly(expected);
              assertThat(ResourceValidator.validate(endpoint)).isEmpty();
            });
    policy.applied.clear();
    start();
    assertThat(call("ADD", pod("c1"), conf).exitCode()).as("adopted").isZero();
    assertThat(policy.applied.values())
        .singleElement()
        .satisfies(
            endpoint -> assertThat(endpoint.document().spec().ports()).containsExactly(expected));
  }

  @Test
  void a_host_port_that_another_pod_has_is_refused_before_anything_is_built() throws Exception {
    String conf = withHostPorts("[{\"HostPort\":8080,\"ContainerPort\":80}]");
    assertThat(call("ADD", pod("c1"), conf).exitCode()).isZero();
    CniReply refused =
        call(
            "ADD",
            otherPod("c2"),
            withHostPorts("[{\"HostPort\":8080,\"ContainerPort\":1,\"HostIP\":\"10.9.9.9\"}]"));
    assertThat(code(refused)).isEqualTo(CniError.HOST_PORT_TAKEN);
    assertThat(JSON.readTree(refused.stdout()).get("msg").asText())
        .isEqualTo(
            "hostPort 8080/tcp of 10.9.9.9 is taken by pod default/web-0 (c1/eth0), which has"
                + " hostPort 8080/tcp; delete that first or use another port");
    assertThat(network.wires).hasSize(1);
    assertThat(addresses.handles).hasSize(1);
    assertThat(journal.all()).hasSize(1);
    assertThat(
            call("ADD", otherPod("c2"), withHostPorts("[{\"HostPort\":8081,\"ContainerPort\":80}]"))
                .exitCode())
        .isZero();
    assertThat(call("ADD", pod("c3"), conf).exitCode())
        .as("the pod, restarted, takes its port over")
        .isZero();
  }

  @Test
  void a_host_port_is_free_again_after_the_pod_and_after_an_add_that_failed() throws Exception {
    String conf = withHostPorts("[{\"HostPort\":8080,\"ContainerPort\":80}]");
    network.fails = true;
    assertThat(code(call("ADD", pod("c1"), conf))).isEqualTo(CniError.KERNEL_REFUSED);
    network.fails = false;
    assertThat(call("ADD", otherPod("c2"), conf).exitCode()).isZero();
    assertThat(call("DEL", otherPod("c2"), conf)).isEqualTo(CniReply.success(""));
    assertThat(call("ADD", pod("c3"), conf).exitCode()).isZero();
  }

  @Test
  void a_host_port_of_a_family_the_pod_lacks_is_refused() throws Exception {
    String conf =
        withHostPorts("[{\"HostPort\":80,\"ContainerPort\":80,\"HostIP\":\"fd00:9::1\"}]");
    assertThat(call("ADD", pod("c1"), conf).exitCode()).as("dual stack").isZero();
    CniReply refused =
        call("ADD", otherPod("c2"), conf.replace("\"assign_ipv6\":true", "\"assign_ipv6\":false"));
    assertThat(code(refused)).isEqualTo(CniError.HOST_PORT_TAKEN);
    del("c1");
    refused =
        call("ADD", otherPod("c2"), conf.replace("\"assign_ipv6\":true", "\"assign_ipv6\":false"));
    assertThat(code(refused)).isEqualTo(CniError.BAD_CONFIG);
    assertThat(JSON.readTree(refused.stdout()).get("msg").asText())
        .contains("hostPort 80/tcp of fd00:9::1 found, but the pod gets no IPv6 address");
    assertNothingIsLeft();
  }

  @Test
  void a_burst_that_no_packet_fits_is_refused() throws Exception {
    String conf =
        CONF.substring(0, CONF.length() - 1)
            + ",\"runtimeConfig\":{\"bandwidth\":{\"egressRate\":1000000,\"egressBurst\":BURST}}}";
    CniReply refused = call("ADD", pod("c1"), conf.replace("BURST", "12111"));
    assertThat(code(refused)).isEqualTo(CniError.BAD_CONFIG);
    assertThat(JSON.readTree(refused.stdout()).get("msg").asText())
        .isEqualTo(
            "key bandwidth.egressBurst: 12111 found, at least 12112 bits expected: one packet of"
                + " MTU 1500");
    assertNothingIsLeft();
    assertThat(call("ADD", pod("c1"), conf.replace("BURST", "12112")).exitCode()).isZero();
    assertThat(network.wires.values())
        .extracting(Attachment::bandwidth)
        .containsExactly(Optional.of(new Bandwidth(0, 0, 1_000_000, 12_112)));
  }

  @Test
  void containers_without_kubernetes_are_named_by_their_id() {
    InterfaceName eth0 = new InterfaceName("eth0");
    String id = "0123456789abcdef0123456789abcdef";
    assertThat(HostEnd.name("cali", new Workload.Container(id), new AttachmentId(id, eth0)).value())
        .isEqualTo("cali0123456789a");
    InterfaceName box1 =
        HostEnd.name(
            "cali", new Workload.Container("default-box1"), new AttachmentId("default-box1", eth0));
    InterfaceName box10 =
        HostEnd.name(
            "cali",
            new Workload.Container("default-box10"),
            new AttachmentId("default-box10", eth0));
    assertThat(box1).as("ids that share their first characters").isNotEqualTo(box10);
  }
}
