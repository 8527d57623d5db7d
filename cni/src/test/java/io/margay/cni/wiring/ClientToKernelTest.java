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

/// The whole walk but datastore and firewall: the C client, run inside a node's namespace as a
/// runtime runs it, the socket, the verbs, the kernel.
@Tag("netns")
final class ClientToKernelTest {

  private static final ObjectMapper JSON = new ObjectMapper();

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
    for (String file : List.of("margay-cni.c", "agent.c", "conf.c")) {
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
                      Optional::empty);
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
    ProcessBuilder builder =
        new ProcessBuilder("ip", "netns", "exec", node.name(), binary.toString());
    builder.environment().clear();
    builder.environment().put("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    builder.environment().put("CNI_COMMAND", command);
    builder.environment().put("CNI_CONTAINERID", container);
    builder.environment().put("CNI_NETNS", pod.path().toString());
    builder.environment().put("CNI_IFNAME", "eth0");
    builder.environment().put("CNI_PATH", directory.toString());
    builder
        .environment()
        .put("CNI_ARGS", "K8S_POD_NAMESPACE=default;K8S_POD_NAME=pod-" + container);
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
    public void apply(PodEndpoint endpoint) throws CniException {
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
