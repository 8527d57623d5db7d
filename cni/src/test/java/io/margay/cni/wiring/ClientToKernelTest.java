package io.margay.cni.wiring;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.margay.cni.CniNode;
import io.margay.cni.CniVerbs;
import io.margay.cni.EndpointPolicy;
import io.margay.cni.PodAddresses;
import io.margay.cni.PodEndpoint;
import io.margay.cni.ReleaseQueue;
import io.margay.cni.journal.Attachment;
import io.margay.cni.journal.AttachmentJournal;
import io.margay.cni.protocol.CniServer;
import io.margay.cni.protocol.DeletionQueue;
import io.margay.cni.spec.AttachmentId;
import io.margay.cni.spec.CniException;
import io.margay.linux.LinuxException;
import io.margay.linux.route.Route;
import io.margay.linux.route.RouteSpec;
import io.margay.linux.route.Rtnetlink;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import io.margay.model.resource.WorkloadEndpoint;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The whole walk but datastore and firewall: the C client, run inside a node's namespace as a
/// runtime runs it, the socket, the verbs, the kernel.
@Tag("netns")
final class ClientToKernelTest {

  private static final ObjectMapper JSON = new ObjectMapper();

  /// Where the distribution keeps the reference plugins.
  private static final Path DEBIAN = Path.of("/usr/lib/cni");

  @TempDir Path directory;
  private TestNamespace node;
  private Path binary;
  private VethPodNetwork network;
  private AttachmentJournal journal;
  private CniServer server;

  @BeforeEach
  void start() throws Exception {
    binary = directory.resolve("margay-cni");
    Path sources =
        Path.of(System.getProperty("margay.root", ".."))
            .resolve("cni/src/main/c")
            .toAbsolutePath()
            .normalize();
    List<String> gcc =
        new ArrayList<>(List.of("gcc", "-std=c11", "-Os", "-static", "-o", binary.toString()));
    for (String file : List.of("margay-cni.c", "client.c", "agent.c", "conf.c")) {
      gcc.add(sources.resolve(file).toString());
    }
    TestNamespace.run(gcc);
    node = new TestNamespace();
    node.exec("ip link set lo up");
    // What the agent sets once for the node: IPv6 forwards for all interfaces or for none.
    node.exec("sysctl -qw net.ipv6.conf.all.forwarding=1");
    journal = AttachmentJournal.open(directory.resolve("journal"));
    network = node.inside(VethPodNetwork::open);
    server =
        node.inside(
            () -> {
              CniVerbs verbs =
                  new CniVerbs(
                      new CniNode("node-1", "cali", 1500, node.id()),
                      journal,
                      new CountingAddresses(),
                      network,
                      new RouteAsPolicy(),
                      _ -> Optional.empty(),
                      new ReleaseQueue(Runnable::run),
                      new DeletionQueue(directory.resolve("delq")),
                      (_, _) -> Optional.empty());
              return CniServer.start(directory.resolve("cni.sock"), verbs);
            });
  }

  @AfterEach
  void stop() throws IOException {
    server.close();
    network.close();
    node.close();
  }

  private record Run(int exitCode, String stdout) {}

  private Run run(String command, TestNamespace pod, String container, String conf)
      throws Exception {
    return run(binary, command, pod, container, conf);
  }

  private Run run(Path program, String command, TestNamespace pod, String container, String conf)
      throws Exception {
    ProcessBuilder builder =
        new ProcessBuilder("ip", "netns", "exec", node.name(), program.toString());
    builder.environment().clear();
    builder.environment().put("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    builder.environment().put("CNI_COMMAND", command);
    builder.environment().put("CNI_CONTAINERID", container);
    builder.environment().put("CNI_NETNS", pod.path().toString());
    builder.environment().put("CNI_IFNAME", "eth0");
    builder.environment().put("CNI_PATH", directory + ":" + DEBIAN);
    builder
        .environment()
        .put("CNI_ARGS", "IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=pod-" + container);
    Process process = builder.redirectError(ProcessBuilder.Redirect.INHERIT).start();
    try (OutputStream stdin = process.getOutputStream()) {
      stdin.write(conf.getBytes(StandardCharsets.UTF_8));
    }
    String stdout = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Run(process.waitFor(), stdout);
  }

  private String conf(String more) {
    return "{\"cniVersion\":\"1.0.0\",\"name\":\"net\",\"margayRunDir\":\""
        + directory
        + "\",\"ipam\":{\"assign_ipv6\":true}"
        + more
        + "}";
  }

  @Test
  void pods_are_added_reach_each_other_pass_check_and_are_deleted_without_a_trace()
      throws Exception {
    try (TestNamespace first = new TestNamespace();
        TestNamespace second = new TestNamespace()) {
      Run added = run("ADD", first, "c1", conf(""));
      assertThat(added.exitCode()).as(added.stdout()).isZero();
      JsonNode result = JSON.readTree(added.stdout());
      assertThat(run("ADD", first, "c1", conf(""))).as("a repeated ADD").isEqualTo(added);
      Run other = run("ADD", second, "c2", conf(""));
      assertThat(other.exitCode()).as(other.stdout()).isZero();
      for (JsonNode ip : JSON.readTree(other.stdout()).get("ips")) {
        first.exec("ping -c1 -W5 " + ip.get("address").asText().split("/")[0]);
      }
      String withResult = conf(",\"prevResult\":" + result);
      assertThat(run("CHECK", first, "c1", withResult)).isEqualTo(new Run(0, ""));
      first.exec("ip route del default");
      Run damaged = run("CHECK", first, "c1", withResult);
      assertThat(damaged.exitCode()).isEqualTo(1);
      assertThat(damaged.stdout()).contains("\"code\":109", "0.0.0.0/0");
      assertThat(run("ADD", first, "c1", conf(""))).as("ADD mends").isEqualTo(added);
      assertThat(run("CHECK", first, "c1", withResult)).isEqualTo(new Run(0, ""));
      for (int i = 0; i < 3; i++) {
        assertThat(run("DEL", first, "c1", conf(""))).isEqualTo(new Run(0, ""));
      }
    }
    // The second pod's namespace is gone by now, as when a runtime deletes it first.
    try (TestNamespace fresh = new TestNamespace()) {
      assertThat(run("DEL", fresh, "c2", conf(""))).isEqualTo(new Run(0, ""));
    }
    network.close();
    assertThat(node.exec("ip -o link").lines().count()).as("only lo is left").isEqualTo(1);
    assertThat(node.exec("ip route show proto 117")).isEmpty();
    assertThat(journal.all()).isEmpty();
    network = node.inside(VethPodNetwork::open);
  }

  @Test
  void an_interface_of_somebody_else_in_the_pod_is_code_107_and_nothing_stays() throws Exception {
    try (TestNamespace pod = new TestNamespace()) {
      pod.exec("ip link add eth0 type veth peer name other");
      Run refused = run("ADD", pod, "c1", conf(""));
      assertThat(refused.exitCode()).isEqualTo(1);
      assertThat(refused.stdout()).contains("\"code\":107");
      assertThat(journal.all()).isEmpty();
    }
  }

  @Test
  void a_client_in_another_namespace_than_the_agents_is_refused() throws Exception {
    try (TestNamespace pod = new TestNamespace();
        TestNamespace elsewhere = new TestNamespace()) {
      TestNamespace real = node;
      node = elsewhere;
      Run refused = run("ADD", pod, "c1", conf(""));
      node = real;
      assertThat(refused.stdout()).contains("\"code\":108");
    }
  }

  @Test
  void twenty_rounds_of_add_and_del_leave_nothing() throws Exception {
    try (TestNamespace pod = new TestNamespace()) {
      for (int i = 0; i < 20; i++) {
        Run added = run("ADD", pod, "c" + i, conf(""));
        assertThat(added.exitCode()).as(added.stdout()).isZero();
        assertThat(run("DEL", pod, "c" + i, conf(""))).isEqualTo(new Run(0, ""));
      }
      network.close();
      assertThat(node.exec("ip -o link").lines().count()).isEqualTo(1);
      network = node.inside(VethPodNetwork::open);
    }
  }

  private String foreignConf(String type, String more) {
    return "{\"cniVersion\":\"1.0.0\",\"name\":\"net\",\"type\":\""
        + type
        + "\",\"margayRunDir\":\""
        + directory
        + "\""
        + more
        + "}";
  }

  private static final String OUR_IPAM =
      ",\"ipam\":{\"type\":\"margay-ipam\",\"routes\":[{\"dst\":\"0.0.0.0/0\"}]}";

  @ParameterizedTest
  @CsvSource({
    "ptp, ''",
    "bridge, ',\"bridge\":\"br0\",\"isGateway\":true'",
    "macvlan, ',\"master\":\"wire0\"'"
  })
  void debians_plugins_have_their_addresses_from_us(String type, String more) throws Exception {
    Files.createSymbolicLink(directory.resolve("margay-ipam"), binary);
    node.exec("ip link add wire0 type veth peer name wire1");
    node.exec("ip link set wire0 up");
    node.exec("ip link set wire1 up");
    Path plugin = DEBIAN.resolve(type);
    String conf = foreignConf(type, more + OUR_IPAM);
    try (TestNamespace first = new TestNamespace();
        TestNamespace second = new TestNamespace()) {
      Run one = run(plugin, "ADD", first, "c1", conf);
      assertThat(one.exitCode()).as(one.stdout()).isZero();
      JsonNode ip = JSON.readTree(one.stdout()).get("ips").get(0);
      assertThat(ip.get("address").asText()).isEqualTo("10.65.0.1/16");
      assertThat(ip.get("gateway").asText()).isEqualTo("10.65.0.254");
      Run two = run(plugin, "ADD", second, "c2", conf);
      assertThat(two.exitCode()).as(two.stdout()).isZero();
      first.exec("ping -c1 -W5 10.65.0.2");
      if (!type.equals("macvlan")) {
        first.exec("ping -c1 -W5 10.65.0.254");
      }
      String withResult =
          conf.replace(
              "\"type\":\"" + type, "\"prevResult\":" + one.stdout() + ",\"type\":\"" + type);
      assertThat(run(plugin, "CHECK", first, "c1", withResult)).isEqualTo(new Run(0, ""));
      assertThat(journal.all()).hasSize(2);
      for (int i = 0; i < 2; i++) {
        assertThat(run(plugin, "DEL", first, "c1", conf)).isEqualTo(new Run(0, ""));
        assertThat(run(plugin, "DEL", second, "c2", conf)).isEqualTo(new Run(0, ""));
      }
      assertThat(journal.all()).isEmpty();
    }
  }

  @Test
  void a_wire_of_debians_ptp_is_policed_after_it_and_a_bridge_is_refused() throws Exception {
    Files.createSymbolicLink(directory.resolve("margay-ipam"), binary);
    Path ptp = DEBIAN.resolve("ptp");
    String first = foreignConf("ptp", OUR_IPAM);
    try (TestNamespace pod = new TestNamespace()) {
      Run made = run(ptp, "ADD", pod, "c1", first);
      assertThat(made.exitCode()).as(made.stdout()).isZero();
      JsonNode previous = JSON.readTree(made.stdout());
      String chained = foreignConf("margay-cni", ",\"prevResult\":" + previous);
      Run policed = run("ADD", pod, "c1", chained);
      assertThat(policed.exitCode()).as(policed.stdout()).isZero();
      assertThat(JSON.readTree(policed.stdout())).isEqualTo(previous);
      assertThat(journal.all())
          .singleElement()
          .satisfies(
              entry ->
                  assertThat(entry.attachment().hostEnd().value())
                      .as("the host end, which ptp names first")
                      .isEqualTo(previous.get("interfaces").get(0).get("name").asText()));
      assertThat(run("CHECK", pod, "c1", chained)).isEqualTo(new Run(0, ""));
      assertThat(run("DEL", pod, "c1", chained)).isEqualTo(new Run(0, ""));
      assertThat(run(ptp, "DEL", pod, "c1", first)).isEqualTo(new Run(0, ""));
      assertThat(journal.all()).isEmpty();

      Path bridge = DEBIAN.resolve("bridge");
      String shared = foreignConf("bridge", ",\"bridge\":\"br0\"" + OUR_IPAM);
      Run port = run(bridge, "ADD", pod, "c1", shared);
      assertThat(port.exitCode()).as(port.stdout()).isZero();
      Run refused =
          run("ADD", pod, "c1", foreignConf("margay-cni", ",\"prevResult\":" + port.stdout()));
      assertThat(refused.stdout()).contains("\"code\":7", "port of a bridge", "ptp");
      assertThat(journal.all()).as("addresses in use").hasSize(1);
      assertThat(run(bridge, "DEL", pod, "c1", shared)).isEqualTo(new Run(0, ""));
      assertThat(journal.all()).isEmpty();
    }
  }

  @Test
  void host_ports_and_limits_of_a_pod_on_ptps_wire_are_set_checked_and_taken_back()
      throws Exception {
    Files.createSymbolicLink(directory.resolve("margay-ipam"), binary);
    Path ptp = DEBIAN.resolve("ptp");
    String first = foreignConf("ptp", OUR_IPAM);
    try (TestNamespace pod = new TestNamespace()) {
      Run made = run(ptp, "ADD", pod, "c1", first);
      assertThat(made.exitCode()).as(made.stdout()).isZero();
      JsonNode previous = JSON.readTree(made.stdout());
      String hostEnd = previous.get("interfaces").get(0).get("name").asText();
      String sysctl = "sysctl -n net.ipv4.conf." + hostEnd + ".route_localnet";
      String chained =
          foreignConf(
              "margay-cni",
              ",\"runtimeConfig\":{\"portMappings\":[{\"hostPort\":8080,\"containerPort\":80,"
                  + "\"protocol\":\"tcp\"}],\"bandwidth\":{\"ingressRate\":8000000,"
                  + "\"ingressBurst\":800000,\"egressRate\":4000000,\"egressBurst\":400000}},"
                  + "\"prevResult\":"
                  + previous);
      for (int i = 0; i < 2; i++) {
        Run policed = run("ADD", pod, "c1", chained);
        assertThat(policed.exitCode()).as(policed.stdout()).isZero();
      }
      assertThat(node.exec("tc qdisc show dev " + hostEnd)).contains("tbf", "8Mbit", "ingress");
      assertThat(node.exec("ip -o link")).contains("mgyb", "margay-ifb:");
      assertThat(node.exec(sysctl)).isEqualTo("1\n");
      assertThat(run("CHECK", pod, "c1", chained)).isEqualTo(new Run(0, ""));
      node.exec("tc qdisc del dev " + hostEnd + " root");
      assertThat(run("CHECK", pod, "c1", chained).stdout())
          .contains("\"code\":109", hostEnd + " is not limited to");
      assertThat(run("ADD", pod, "c1", chained).exitCode()).isZero();
      assertThat(run("CHECK", pod, "c1", chained)).isEqualTo(new Run(0, ""));

      assertThat(run("DEL", pod, "c1", chained)).isEqualTo(new Run(0, ""));
      assertThat(node.exec("tc qdisc show dev " + hostEnd))
          .doesNotContain("tbf")
          .doesNotContain("ingress");
      assertThat(node.exec("ip -o link show up")).doesNotContain("mgyb");
      assertThat(node.exec(sysctl)).isEqualTo("0\n");
      pod.exec("ping -c1 -W5 10.65.0.254");
      assertThat(run(ptp, "DEL", pod, "c1", first)).isEqualTo(new Run(0, ""));
      assertThat(journal.all()).isEmpty();
    }
  }

  @Test
  void debians_host_local_and_static_give_addresses_to_wires_of_ours() throws Exception {
    String hostLocal =
        foreignConf(
            "margay-cni",
            ",\"ipam\":{\"type\":\"host-local\",\"dataDir\":\""
                + directory.resolve("leases")
                + "\",\"ranges\":[[{\"subnet\":\"10.9.0.0/24\"}],[{\"subnet\":\"fd09::/64\"}]],"
                + "\"routes\":[{\"dst\":\"0.0.0.0/0\"}]}");
    String fixed =
        foreignConf(
            "margay-cni",
            ",\"ipam\":{\"type\":\"static\",\"addresses\":[{\"address\":\"10.9.1.7/24\"}]}");
    try (TestNamespace pod = new TestNamespace();
        TestNamespace other = new TestNamespace()) {
      Run added = run("ADD", pod, "c1", hostLocal);
      assertThat(added.exitCode()).as(added.stdout()).isZero();
      assertThat(added.stdout())
          .contains("\"address\":\"10.9.0.2/32\",\"gateway\":\"10.9.0.1\"")
          .contains("\"address\":\"fd09::2/128\",\"gateway\":\"fd09::1\"");
      Run second = run("ADD", other, "c2", fixed);
      assertThat(second.exitCode()).as(second.stdout()).isZero();
      for (String target : List.of("10.9.0.1", "fd09::1", "10.9.1.7")) {
        pod.exec("ping -c1 -W5 " + target);
      }
      String withResult =
          hostLocal.replace("\"name\"", "\"prevResult\":" + added.stdout() + ",\"name\"");
      assertThat(run("CHECK", pod, "c1", withResult)).isEqualTo(new Run(0, ""));
      assertThat(run("DEL", pod, "c1", hostLocal)).isEqualTo(new Run(0, ""));
      assertThat(directory.resolve("leases/net/10.9.0.2")).doesNotExist();
      assertThat(run("DEL", other, "c2", fixed)).isEqualTo(new Run(0, ""));
      assertThat(journal.all()).isEmpty();
    }
  }

  /// Addresses from a counter, kept by handle.
  private static final class CountingAddresses implements PodAddresses {

    private final AtomicInteger next = new AtomicInteger(1);
    private final Map<String, List<IpAddress>> handles = new ConcurrentHashMap<>();
    private final Map<AttachmentId, WorkloadEndpoint> published = new ConcurrentHashMap<>();

    @Override
    public List<IpAddress> assign(
        Attachment attachment, Wish wish, Function<List<IpAddress>, WorkloadEndpoint> document) {
      assertThat(wish.families()).containsExactlyInAnyOrder(IpFamily.IPV4, IpFamily.IPV6);
      return handles.computeIfAbsent(
          attachment.handleId(),
          _ -> {
            int number = next.getAndIncrement();
            return List.of(
                IpAddress.parse("10.65.0." + number),
                IpAddress.parse("fd00:65::" + Integer.toHexString(number)));
          });
    }

    @Override
    public List<IpAddress> hold(Attachment attachment, Wish wish) {
      throw new UnsupportedOperationException("no client asks for it");
    }

    @Override
    public List<Lease> lease(Attachment attachment, Wish wish, List<IpAddress> gateways) {
      IpAddress address =
          handles
              .computeIfAbsent(
                  attachment.handleId(),
                  _ -> List.of(IpAddress.parse("10.65.0." + next.getAndIncrement())))
              .getFirst();
      return List.of(
          new Lease(address, Prefix.parse("10.65.0.0/16"), IpAddress.parse("10.65.0.254")));
    }

    @Override
    public void publish(Attachment attachment, WorkloadEndpoint document) {
      published.put(attachment.id(), document);
    }

    @Override
    public void withdraw(Attachment attachment) {
      published.remove(attachment.id());
    }

    @Override
    public void release(Attachment attachment) {
      published.remove(attachment.id());
      handles.remove(attachment.handleId());
    }

    @Override
    public void release(String networkName, AttachmentId id) {
      published.remove(id);
      handles.remove(Attachment.handleId(networkName, id));
    }
  }

  /// The route to the pod, which in the agent is the route table's; there are no rules in this
  /// test.
  private static final class RouteAsPolicy implements EndpointPolicy {

    @Override
    public Applying begin(PodEndpoint endpoint) {
      return () -> route(endpoint);
    }

    private static void route(PodEndpoint endpoint) throws CniException {
      try (Rtnetlink rtnetlink = Rtnetlink.open()) {
        InterfaceName hostEnd = endpoint.attachment().hostEnd();
        int index = rtnetlink.links().find(hostEnd).orElseThrow().index();
        for (IpAddress address : endpoint.addresses()) {
          Route route = RouteSpec.toDevice(index).toRoute(address.toHostPrefix());
          rtnetlink.routes().replace(route);
        }
      } catch (LinuxException failure) {
        throw new CniException(105, "no route", failure);
      }
    }

    @Override
    public void remove(PodEndpoint endpoint) {
      // The kernel took the routes away when the host end went down.
    }

    @Override
    public List<String> problems(PodEndpoint endpoint) {
      return List.of();
    }
  }
}
