package io.margay.cni.wiring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.margay.cni.journal.Attachment;
import io.margay.cni.journal.PodRoutes;
import io.margay.cni.journal.Workload;
import io.margay.cni.spec.AttachmentId;
import io.margay.cni.spec.Bandwidth;
import io.margay.cni.spec.CniError;
import io.margay.cni.spec.CniException;
import io.margay.cni.spec.PortMapping;
import io.margay.linux.route.Links;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.MacAddress;
import io.margay.model.resource.Protocol;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The wire on the real kernel: a node and a pod, each a namespace.
@Tag("netns")
final class VethPodNetworkTest {

  private static final IpAddress IPV4 = IpAddress.parse("10.65.0.7");
  private static final IpAddress IPV6 = IpAddress.parse("fd00:65::7");
  private static final List<IpAddress> DUAL = List.of(IPV4, IPV6);
  private static final String HOST_END = "cali0123456789a";

  private TestNamespace node;
  private TestNamespace pod;
  private VethPodNetwork network;

  @BeforeEach
  void make() throws Exception {
    node = new TestNamespace();
    pod = new TestNamespace();
    node.exec("ip link set lo up");
    node.exec("ip addr add 10.99.0.1/32 dev lo");
    node.exec("ip addr add fd00:99::1/128 dev lo nodad");
    network = node.inside(VethPodNetwork::open);
  }

  @AfterEach
  void unmake() {
    network.close();
    pod.close();
    node.close();
  }

  private Attachment attachment(String container) throws Exception {
    return attachment(container, "eth0", HOST_END);
  }

  private Attachment attachment(String container, String ifName, String hostEnd) throws Exception {
    return new Attachment(
        new AttachmentId(container, new InterfaceName(ifName)),
        "net",
        new Workload.Pod("default", "web"),
        pod.id(),
        pod.path().toString(),
        new InterfaceName(hostEnd),
        MacAddress.parse("02:11:22:33:44:55"),
        1400,
        Map.of());
  }

  private void wire(Attachment attachment, List<IpAddress> addresses) throws Exception {
    node.inside(
        () -> {
          network.wire(attachment, addresses, pod.fd());
          return "";
        });
  }

  private List<String> problems(Attachment attachment) throws Exception {
    return node.inside(() -> network.problems(attachment, DUAL, pod.fd()));
  }

  private void unwire(Attachment attachment) throws Exception {
    node.inside(
        () -> {
          network.unwire(attachment.id(), Optional.of(attachment.hostEnd()));
          return "";
        });
  }

  /// What the agent's route table does.
  private void route() throws IOException {
    node.exec("ip route replace 10.65.0.7/32 dev " + HOST_END);
    node.exec("ip -6 route replace fd00:65::7/128 dev " + HOST_END);
  }

  /// What libnetwork does with the pod's end, as `ip` does it.
  @Test
  void a_half_wire_serves_a_pod_that_its_runtime_sets_up() throws Exception {
    Attachment attachment = attachment("c1");
    node.inside(
        () -> {
          network.wireHere(attachment, DUAL, new InterfaceName("temp0"));
          return network.isThere(attachment);
        });
    route();
    node.exec("ip link set temp0 netns " + pod.name() + " name eth7");
    pod.exec("ip link set lo up");
    pod.exec("ip addr add 10.65.0.7/32 dev eth7");
    pod.exec("ip -6 addr add fd00:65::7/128 dev eth7 nodad");
    pod.exec("ip link set eth7 up");
    pod.exec("ip route add 169.254.1.1/32 dev eth7");
    pod.exec("ip route add default via 169.254.1.1");
    pod.exec("ip -6 route add fe80::1/128 dev eth7");
    pod.exec("ip -6 route add default via fe80::1 dev eth7");
    pod.exec("ping -c1 -W5 10.99.0.1");
    pod.exec("ping -c1 -W5 fd00:99::1");
    node.exec("ping -c1 -W5 10.65.0.7");
    node.exec("ping -c1 -W5 fd00:65::7");
    unwire(attachment);
    assertThat(node.exec("ip -o link")).doesNotContain(HOST_END);
  }

  @Test
  void pod_and_node_reach_each_other_without_a_single_arp_or_neighbour_message() throws Exception {
    Attachment attachment = attachment("c1");
    Process sniffer =
        new ProcessBuilder(
                "ip",
                "netns",
                "exec",
                pod.name(),
                "tcpdump",
                "-n",
                "-l",
                "-i",
                "any",
                "arp or (icmp6 and ip6[40] >= 133 and ip6[40] <= 137)")
            .start();
    try (BufferedReader said =
        new BufferedReader(
            new InputStreamReader(sniffer.getErrorStream(), StandardCharsets.UTF_8))) {
      awaitLine(said, Pattern.compile("listening on"));
      wire(attachment, DUAL);
      route();
      pod.exec("ping -c1 -W5 10.99.0.1");
      pod.exec("ping -c1 -W5 fd00:99::1");
      node.exec("ping -c1 -W5 10.65.0.7");
      node.exec("ping -c1 -W5 fd00:65::7");
      sniffer.toHandle().destroy();
      Matcher count = awaitLine(said, Pattern.compile("(\\d+) packets captured"));
      assertThat(count.group(1)).isEqualTo("0");
    } finally {
      sniffer.destroyForcibly().waitFor();
    }
  }

  @Test
  void a_host_end_that_was_down_gets_back_what_the_kernel_took() throws Exception {
    Attachment attachment = attachment("c1");
    wire(attachment, DUAL);
    node.exec("ip link set " + HOST_END + " down");
    mend(attachment);
    node.exec("ip link set " + HOST_END + " up");
    assertThat(problems(attachment)).anyMatch(problem -> problem.contains("fe80::1"));
    mend(attachment);
    assertThat(problems(attachment)).isEmpty();
    route();
    pod.exec("ping -c1 -W5 fd00:99::1");
    pod.exec("ping -c1 -W5 10.99.0.1");
    mend(attachment);
    assertThat(problems(attachment)).isEmpty();
    mend(attachment("c2"));
  }

  private void mend(Attachment attachment) throws Exception {
    node.inside(
        () -> {
          network.mend(attachment, DUAL);
          return "";
        });
  }

  private static Matcher awaitLine(BufferedReader said, Pattern pattern) throws IOException {
    for (String line = said.readLine(); line != null; line = said.readLine()) {
      Matcher matcher = pattern.matcher(line);
      if (matcher.find()) {
        return matcher;
      }
    }
    throw new AssertionError("no line matches " + pattern);
  }

  @Test
  void everything_asked_for_is_on_both_ends() throws Exception {
    wire(attachment("c1"), DUAL);
    assertThat(node.exec("ip -d link show " + HOST_END))
        .contains(
            "mtu 1400",
            "ee:ee:ee:ee:ee:ee",
            "alias margay:c1/eth0",
            "state UP",
            "addrgenmode none");
    assertThat(node.exec("ip addr show " + HOST_END))
        .contains("inet 169.254.1.1/32 scope host", "inet6 fe80::1/64 scope link")
        .doesNotContain("tentative")
        .doesNotContain("fe80::ecee");
    assertThat(node.exec("ip neigh show dev " + HOST_END))
        .contains(
            "10.65.0.7 lladdr 02:11:22:33:44:55 PERMANENT",
            "fd00:65::7 lladdr 02:11:22:33:44:55 PERMANENT");
    assertThat(
            node.exec(
                "sysctl -n net.ipv4.conf."
                    + HOST_END
                    + ".forwarding net.ipv4.conf."
                    + HOST_END
                    + ".rp_filter net.ipv6.conf."
                    + HOST_END
                    + ".accept_ra"))
        .isEqualTo("1\n1\n0\n");
    assertThat(pod.exec("ip addr show eth0"))
        .contains(
            "mtu 1400",
            "02:11:22:33:44:55",
            "inet 10.65.0.7/32 scope global",
            "inet6 fd00:65::7/128 scope global nodad")
        .doesNotContain("tentative");
    assertThat(pod.exec("ip addr show lo")).contains("127.0.0.1/8", "::1/128");
    assertThat(pod.exec("ip route"))
        .contains("default via 169.254.1.1 dev eth0", "169.254.1.1 dev eth0", "scope link");
    assertThat(pod.exec("ip -6 route")).contains("default via fe80::1 dev eth0");
    assertThat(pod.exec("sysctl -n net.ipv4.ip_forward")).isEqualTo("0\n");
    assertThat(problems(attachment("c1"))).isEmpty();
  }

  @Test
  void a_further_attachment_leaves_a_router_pod_a_router() throws Exception {
    PodRoutes router = new PodRoutes(Map.of(), true, List.of(), true);
    wire(attachment("c1").with(router), DUAL);
    assertThat(pod.exec("sysctl -n net.ipv4.ip_forward")).isEqualTo("1\n");
    wire(attachment("c1", "net1", "cali0123456789b"), List.of(IpAddress.parse("10.65.0.8")));
    assertThat(pod.exec("sysctl -n net.ipv4.ip_forward")).isEqualTo("1\n");
  }

  @Test
  void
      a_pod_that_flushed_its_neighbours_still_finds_the_way_and_the_node_keeps_its_own_source_address()
          throws Exception {
    wire(attachment("c1"), DUAL);
    route();
    pod.exec("ip neigh flush nud permanent dev eth0");
    pod.exec("ip -6 neigh flush nud permanent dev eth0");
    pod.exec("ping -c1 -W5 10.99.0.1");
    assertThat(node.exec("ip route get 10.65.0.7")).contains("src 10.99.0.1");
  }

  @Test
  void an_ipv4_pod_has_no_ipv6_on_its_wire() throws Exception {
    wire(attachment("c1"), List.of(IPV4));
    assertThat(node.exec("ip -6 addr show " + HOST_END)).isEmpty();
    node.exec("ip route replace 10.65.0.7/32 dev " + HOST_END);
    pod.exec("ping -c1 -W5 10.99.0.1");
  }

  @Test
  void an_ipv6_pod_works_alone_and_where_the_namespace_had_ipv6_off() throws Exception {
    pod.exec("sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1");
    wire(attachment("c1"), List.of(IPV6));
    node.exec("ip -6 route replace fd00:65::7/128 dev " + HOST_END);
    pod.exec("ping -c1 -W5 fd00:99::1");
  }

  @ParameterizedTest(name = "{0}")
  @ValueSource(
      strings = {
        "pod ip route del default",
        "pod ip route del 169.254.1.1",
        "pod ip -6 route del default",
        "pod ip addr del 10.65.0.7/32 dev eth0",
        "pod ip addr del fd00:65::7/128 dev eth0",
        "pod ip link set eth0 down",
        "pod ip link del eth0",
        "node ip addr del 169.254.1.1/32 dev " + HOST_END,
        "node ip neigh del 10.65.0.7 dev " + HOST_END,
        "node ip -6 neigh del fd00:65::7 dev " + HOST_END,
        "node ip link set " + HOST_END + " down",
        "node ip link set " + HOST_END + " alias stranger"
      })
  void check_sees_each_kind_of_damage_and_a_repeated_wiring_mends_it(String damage)
      throws Exception {
    Attachment attachment = attachment("c1");
    wire(attachment, DUAL);
    String command = damage.substring(damage.indexOf(' ') + 1);
    if (damage.startsWith("pod")) {
      pod.exec(command);
    } else {
      node.exec(command);
    }
    assertThat(problems(attachment)).isNotEmpty();
    if (!damage.endsWith("stranger")) {
      unwire(attachment);
      wire(attachment, DUAL);
      assertThat(problems(attachment)).isEmpty();
    }
  }

  @Test
  void what_later_plugins_add_is_no_damage() throws Exception {
    wire(attachment("c1"), DUAL);
    pod.exec("ip addr add 192.0.2.1/32 dev eth0");
    pod.exec("ip route add 192.0.2.128/25 via 169.254.1.1");
    assertThat(problems(attachment("c1"))).isEmpty();
  }

  @Test
  void unwiring_frees_the_name_at_once_and_leaves_nothing() throws Exception {
    Attachment attachment = attachment("c1");
    for (int round = 0; round < 5; round++) {
      wire(attachment, DUAL);
      unwire(attachment);
      assertThat(node.exec("ip -o link")).doesNotContain(HOST_END);
      unwire(attachment);
    }
    network.close();
    assertThat(node.exec("ip -o link").lines().count()).as("only lo is left").isEqualTo(1);
    assertThat(pod.exec("ip -o link").lines().count()).isEqualTo(1);
    network = node.inside(VethPodNetwork::open);
  }

  @Test
  void a_later_process_deletes_what_waited_for_deletion() throws Exception {
    wire(attachment("c1"), DUAL);
    node.exec("ip link set " + HOST_END + " group " + LinkReaper.GROUP);
    node.inside(VethPodNetwork::open).close();
    assertThat(node.exec("ip -o link").lines().count()).isEqualTo(1);
  }

  @Test
  void
      a_new_container_of_the_pod_takes_the_host_end_over_and_the_late_del_of_the_old_one_is_harmless()
          throws Exception {
    Attachment old = attachment("c1");
    wire(old, DUAL);
    try (TestNamespace second = new TestNamespace()) {
      Attachment successor = attachment("c2");
      node.inside(
          () -> {
            network.wire(successor, DUAL, second.fd());
            network.unwire(old.id(), Optional.of(old.hostEnd()));
            network.unwire(old.id(), Optional.empty());
            assertThat(network.problems(successor, DUAL, second.fd())).isEmpty();
            return "";
          });
    }
  }

  /// What a process leaves that dies between the birth of a host end and its alias.
  private void leaveHalfBorn() throws Exception {
    node.exec("ip link add " + HOST_END + " type veth peer name left");
    node.exec("ip link set " + HOST_END + " group " + Links.NEWBORN_GROUP);
  }

  @Test
  void a_half_born_host_end_is_replaced_by_a_repeated_wiring() throws Exception {
    leaveHalfBorn();
    Attachment attachment = attachment("c1");
    wire(attachment, DUAL);
    assertThat(problems(attachment)).isEmpty();
    assertThat(node.exec("ip -o link show " + HOST_END))
        .doesNotContain("group " + Links.NEWBORN_GROUP);
  }

  @Test
  void a_half_born_host_end_is_gone_once_a_later_process_has_started() throws Exception {
    leaveHalfBorn();
    try (VethPodNetwork later = node.inside(VethPodNetwork::open)) {
      assertThat(later).isNotNull();
      assertThat(node.exec("ip -o link")).doesNotContain(HOST_END).doesNotContain("left");
    }
  }

  @Test
  void an_attachment_is_found_by_its_alias_when_nothing_else_is_known() throws Exception {
    wire(attachment("c1"), DUAL);
    node.exec("ip link set " + HOST_END + " down");
    node.exec("ip link set " + HOST_END + " name moved");
    node.inside(
        () -> {
          network.unwire(attachment("c1").id(), Optional.empty());
          return "";
        });
    assertThat(node.exec("ip -o link")).doesNotContain("moved");
  }

  @Test
  void strangers_interfaces_are_refused_and_stay() throws Exception {
    pod.exec("ip link add eth0 type veth peer name other");
    assertRefused(() -> wire(attachment("c1"), DUAL));
    assertThat(node.exec("ip -o link")).doesNotContain(HOST_END);
    assertThat(pod.exec("ip -o link")).contains("eth0");
    node.exec("ip link add " + HOST_END + " type veth peer name other");
    assertRefused(() -> wire(attachment("c1", "eth1", HOST_END), DUAL));
    assertThat(node.exec("ip -o link")).contains(HOST_END);
  }

  private static void assertRefused(org.assertj.core.api.ThrowableAssert.ThrowingCallable wiring) {
    assertThatThrownBy(wiring)
        .isInstanceOfSatisfying(
            CniException.class,
            refused -> assertThat(refused.error().code()).isEqualTo(CniError.INTERFACE_NOT_OURS));
  }

  private static final String IFB = "mgyb0123456789a";

  /// One megabit a second each way, 20,000 octets at once.
  private Attachment limited(String container) throws Exception {
    Attachment plain = attachment(container);
    return new Attachment(
        plain.id(),
        plain.network(),
        plain.workload(),
        plain.netns(),
        plain.netnsPath(),
        plain.hostEnd(),
        plain.podMac(),
        plain.mtu(),
        plain.labels(),
        List.of(),
        Optional.of(new Bandwidth(1_000_000, 160_000, 1_000_000, 160_000)),
        plain.annotations(),
        plain.routes(),
        plain.duty());
  }

  @Test
  void traffic_is_limited_each_way_and_nothing_is_left_of_it() throws Exception {
    Attachment attachment = limited("c1");
    wire(attachment, DUAL);
    route();
    assertThat(problems(attachment)).isEmpty();
    assertThat(node.exec("tc -j qdisc show dev " + HOST_END))
        .contains("\"kind\":\"tbf\"", "\"rate\":125000", "\"burst\":20000", "\"lat\":25000");
    assertThat(node.exec("tc -j qdisc show dev " + IFB)).contains("\"rate\":125000");
    assertThat(node.exec("tc -j filter show dev " + HOST_END + " ingress"))
        .contains("\"to_dev\":\"" + IFB + "\"");
    assertThat(node.exec("ip -d -o link show " + IFB)).contains("margay-ifb:c1/eth0");
    // 40,000 octets wait for tokens, 125,000 of which come in a second.
    Duration least = Duration.ofMillis(300);
    assertThat(transfer(node, pod, IPV4)).as("to the pod").isGreaterThan(least);
    assertThat(transfer(pod, node, IpAddress.parse("fd00:99::1")))
        .as("from the pod")
        .isGreaterThan(least);

    unwire(attachment);
    assertThat(node.exec("ip -o link")).doesNotContain(IFB).doesNotContain(HOST_END);
    network.close();
    assertThat(node.exec("ip -o link").lines().count()).as("only lo is left").isEqualTo(1);
    network = node.inside(VethPodNetwork::open);
  }

  /// How long 60,000 octets take.
  private static Duration transfer(TestNamespace from, TestNamespace to, IpAddress address)
      throws Exception {
    InetSocketAddress server =
        new InetSocketAddress(InetAddress.getByAddress(address.toBytes()), 7777);
    try (ServerSocketChannel listener = to.inside(() -> ServerSocketChannel.open().bind(server));
        SocketChannel client = from.inside(() -> SocketChannel.open(server));
        SocketChannel accepted = listener.accept()) {
      long start = System.nanoTime();
      Thread writer =
          Thread.ofVirtual()
              .start(
                  () -> {
                    try {
                      client.write(ByteBuffer.allocate(60_000));
                    } catch (IOException failed) {
                      throw new UncheckedIOException(failed);
                    }
                  });
      accepted.socket().setSoTimeout(20_000);
      assertThat(accepted.socket().getInputStream().readNBytes(60_000)).hasSize(60_000);
      writer.join();
      return Duration.ofNanos(System.nanoTime() - start);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "tc qdisc del dev cali0123456789a root",
        "tc qdisc del dev cali0123456789a ingress",
        "tc qdisc change dev mgyb0123456789a root handle 1: tbf rate 2mbit burst 20000 latency"
            + " 25ms",
        "ip link set mgyb0123456789a down",
        "ip link del mgyb0123456789a"
      })
  void a_limit_that_is_gone_is_found(String damage) throws Exception {
    Attachment attachment = limited("c1");
    wire(attachment, DUAL);
    node.exec(damage);
    assertThat(problems(attachment)).isNotEmpty();
    unwire(attachment);
    wire(attachment, DUAL);
    assertThat(problems(attachment)).isEmpty();
  }

  @Test
  void an_ifb_whose_pod_is_gone_is_removed_and_the_others_are_known_again() throws Exception {
    wire(limited("c1"), DUAL);
    network.close();
    network = node.inside(VethPodNetwork::open);
    assertThat(problems(limited("c1"))).isEmpty();
    node.exec("ip link del " + HOST_END);
    network.close();
    network = node.inside(VethPodNetwork::open);
    assertThat(node.exec("ip -o link")).doesNotContain(IFB);
    wire(limited("c2"), DUAL);
    network.close();
    network = node.inside(VethPodNetwork::open);
    node.exec("ip link del " + HOST_END);
    unwire(limited("c2"));
    assertThat(node.exec("ip -o link")).doesNotContain(IFB);
  }

  @Test
  void a_successor_takes_the_limit_over_and_a_strangers_device_is_left_alone() throws Exception {
    wire(limited("c1"), DUAL);
    node.exec("ip link del " + HOST_END);
    wire(limited("c2"), DUAL);
    unwire(limited("c1"));
    assertThat(problems(limited("c2"))).isEmpty();
    unwire(limited("c2"));
    node.exec("ip link add " + IFB + " type ifb");
    assertRefused(() -> wire(limited("c3"), DUAL));
    assertThat(node.exec("ip -o link")).contains(IFB).doesNotContain(HOST_END);
  }

  @Test
  void the_nodes_own_127_0_0_1_reaches_pods_with_host_ports_only() throws Exception {
    Attachment plain = attachment("c1");
    wire(plain, DUAL);
    String setting = "cat /proc/sys/net/ipv4/conf/" + HOST_END + "/route_localnet";
    assertThat(node.exec(setting)).isEqualToIgnoringNewLines("0");
    unwire(plain);
    wire(
        new Attachment(
            plain.id(),
            plain.network(),
            plain.workload(),
            plain.netns(),
            plain.netnsPath(),
            plain.hostEnd(),
            plain.podMac(),
            plain.mtu(),
            plain.labels(),
            List.of(new PortMapping(8080, 80, Protocol.Named.TCP, Optional.empty())),
            Optional.empty(),
            plain.annotations(),
            plain.routes(),
            plain.duty()),
        DUAL);
    assertThat(node.exec(setting)).isEqualToIgnoringNewLines("1");
  }

  @Test
  void a_second_attachment_leaves_the_first_ones_default_route_in_place() throws Exception {
    wire(attachment("c1"), DUAL);
    Attachment second = attachment("c1", "net1", "calibbbbbbbbbbb");
    wire(second, List.of(IpAddress.parse("10.65.0.8"), IpAddress.parse("fd00:65::8")));
    assertThat(problems(attachment("c1"))).isEmpty();
    assertThat(pod.exec("ip route get 10.99.0.1")).contains("dev eth0");
    assertThat(pod.exec("ip -6 route get fd00:99::1")).contains("dev eth0");
    route();
    pod.exec("ping -c1 -W5 10.99.0.1");
  }
}
