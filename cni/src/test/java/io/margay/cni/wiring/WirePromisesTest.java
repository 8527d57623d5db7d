package io.margay.cni.wiring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.margay.cni.journal.Attachment;
import io.margay.cni.journal.Duty;
import io.margay.cni.journal.PodRoutes;
import io.margay.cni.journal.Workload;
import io.margay.cni.spec.AttachmentId;
import io.margay.cni.spec.Bandwidth;
import io.margay.cni.spec.CniError;
import io.margay.cni.spec.CniException;
import io.margay.cni.spec.PortMapping;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.MacAddress;
import io.margay.model.resource.Protocol;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// CHECK names what ADD set and somebody changed, with what was expected; wiring again mends it.
@Tag("netns")
final class WirePromisesTest {

  private static final String HOST_END = "cali0123456789a";
  private static final IpAddress IPV4 = IpAddress.parse("10.65.0.7");
  private static final List<IpAddress> DUAL = List.of(IPV4, IpAddress.parse("fd00:65::7"));

  private TestNamespace node;
  private TestNamespace pod;
  private VethPodNetwork network;

  @BeforeEach
  void make() throws Exception {
    node = new TestNamespace();
    pod = new TestNamespace();
    network = node.inside(VethPodNetwork::open);
  }

  @AfterEach
  void unmake() {
    network.close();
    pod.close();
    node.close();
  }

  private Attachment attachment(boolean isRouter) throws Exception {
    return new Attachment(
        new AttachmentId("c1", new InterfaceName("eth0")),
        "net",
        new Workload.Pod("default", "web"),
        pod.id(),
        pod.path().toString(),
        new InterfaceName(HOST_END),
        MacAddress.parse("02:11:22:33:44:55"),
        1400,
        Map.of(),
        List.of(new PortMapping(8080, 80, Protocol.parse("TCP"), Optional.empty())),
        Optional.empty(),
        Map.of(),
        new PodRoutes(Map.of(), true, List.of(), isRouter),
        new Duty.Whole());
  }

  private void wire(Attachment attachment, List<IpAddress> addresses) throws Exception {
    node.inside(
        () -> {
          network.unwire(attachment.id(), Optional.of(attachment.hostEnd()));
          network.wire(attachment, addresses, pod.fd());
          return "";
        });
  }

  private List<String> problems(Attachment attachment, List<IpAddress> addresses) throws Exception {
    return node.inside(() -> network.problems(attachment, addresses, pod.fd()));
  }

  private void damage(String where, String command) throws Exception {
    if (where.equals("pod")) {
      pod.exec(command);
    } else {
      node.exec(command);
    }
  }

  @ParameterizedTest(name = "{0}: {1}")
  @CsvSource({
    "node, ip link set " + HOST_END + " mtu 1300, MTU 1300 and not 1400",
    "pod, ip link set eth0 mtu 1500, MTU 1500 and not 1400",
    "pod, ip neigh del 169.254.1.1 dev eth0, permanent neighbour 169.254.1.1 with MAC address"
        + " ee:ee:ee:ee:ee:ee",
    "pod, ip neigh replace 169.254.1.1 lladdr 02:00:00:00:00:01 dev eth0 nud permanent, permanent"
        + " neighbour 169.254.1.1 with MAC address ee:ee:ee:ee:ee:ee",
    "pod, ip -6 neigh del fe80::1 dev eth0, permanent neighbour fe80::1 with MAC address"
        + " ee:ee:ee:ee:ee:ee",
    "node, sysctl -qw net.ipv4.conf."
        + HOST_END
        + ".route_localnet=0, 'route_localnet is 0, not 1'",
    "node, sysctl -qw net.ipv4.ip_forward=1 net.ipv4.ip_forward=0, 'forwarding is 0, not 1'",
    "pod, sysctl -qw net.ipv4.ip_forward=0, 'ip_forward of the pod is 0, not 1'",
    "pod, sysctl -qw net.ipv6.conf.all.forwarding=0, 'forwarding of the pod is 0, not 1'",
    "pod, sysctl -qw net.ipv6.conf.eth0.accept_ra=2, 'accept_ra of the pod is 2, not 0'",
    "pod, sysctl -qw net.ipv6.conf.eth0.disable_ipv6=1, 'disable_ipv6 of the pod is 1, not 0'",
    "pod, sysctl -qw net.ipv6.conf.lo.disable_ipv6=1, 'disable_ipv6 of the pod is 1, not 0'"
  })
  void what_add_set_is_named_when_it_is_otherwise_and_mended(
      String where, String command, String expected) throws Exception {
    Attachment attachment = attachment(true);
    wire(attachment, DUAL);
    assertThat(problems(attachment, DUAL)).isEmpty();
    damage(where, command);
    assertThat(problems(attachment, DUAL)).anyMatch(problem -> problem.contains(expected));
    wire(attachment, DUAL);
    assertThat(problems(attachment, DUAL)).isEmpty();
  }

  @Test
  void a_plugin_behind_us_may_give_the_pod_a_smaller_mtu() throws Exception {
    Attachment attachment = attachment(true);
    wire(attachment, DUAL);
    damage("pod", "ip link set eth0 mtu 1300");
    assertThat(problems(attachment, DUAL)).isEmpty();
  }

  @Test
  void ipv6_that_came_to_a_wire_without_it_is_named() throws Exception {
    Attachment attachment = attachment(false);
    wire(attachment, List.of(IPV4));
    assertThat(problems(attachment, List.of(IPV4))).isEmpty();
    damage("node", "sysctl -qw net.ipv6.conf." + HOST_END + ".disable_ipv6=0");
    assertThat(problems(attachment, List.of(IPV4)))
        .singleElement()
        .asString()
        .contains("disable_ipv6 is 0, not 1");
  }

  @Test
  void a_pod_that_made_itself_a_router_is_no_damage() throws Exception {
    Attachment attachment = attachment(false);
    wire(attachment, DUAL);
    damage("pod", "sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1");
    assertThat(problems(attachment, DUAL)).isEmpty();
  }

  /// On a wire that another plugin made, `veth1234567890a` on the node.
  private Attachment chained(String container) throws Exception {
    Attachment whole = attachment(false);
    return new Attachment(
        new AttachmentId(container, new InterfaceName("eth0")),
        whole.network(),
        whole.workload(),
        whole.netns(),
        whole.netnsPath(),
        new InterfaceName("veth1234567890a"),
        whole.podMac(),
        whole.mtu(),
        Map.of(),
        whole.hostPorts(),
        Optional.of(new Bandwidth(0, 0, 1_000_000, 160_000)),
        Map.of(),
        PodRoutes.USUAL,
        new Duty.Policed(false));
  }

  private void restart() throws Exception {
    network.close();
    network = node.inside(VethPodNetwork::open);
  }

  private List<String> equipmentProblems(Attachment attachment) throws Exception {
    return node.inside(() -> network.equipmentProblems(attachment));
  }

  private void equip(Attachment attachment) throws Exception {
    node.inside(
        () -> {
          network.equip(attachment);
          return "";
        });
  }

  @Test
  void limits_on_another_plugins_wire_outlive_the_agent_and_go_with_the_wire() throws Exception {
    node.exec("ip link add veth1234567890a type veth peer name other");
    Attachment attachment = chained("c1");
    equip(attachment);
    assertThat(equipmentProblems(attachment)).isEmpty();
    restart();
    assertThat(equipmentProblems(attachment)).isEmpty();
    node.exec("sysctl -qw net.ipv4.conf.veth1234567890a.route_localnet=0");
    assertThat(equipmentProblems(attachment))
        .singleElement()
        .asString()
        .contains("route_localnet is 0, not 1");
    node.exec("ip link del veth1234567890a");
    assertThat(equipmentProblems(attachment)).singleElement().asString().contains("is gone");
    restart();
    assertThat(node.exec("ip -o link show up")).doesNotContain("mgyb");
  }

  @Test
  void of_two_wires_whose_names_end_alike_the_second_is_refused_its_limit_and_the_first_keeps_it()
      throws Exception {
    node.exec("ip link add veth1234567890a type veth peer name other");
    Attachment first = chained("c1");
    equip(first);
    assertThatThrownBy(() -> equip(chained("c2")))
        .isInstanceOfSatisfying(
            CniException.class,
            refused -> assertThat(refused.error().code()).isEqualTo(CniError.INTERFACE_NOT_OURS));
    assertThat(node.exec("ip -o link")).contains("margay-ifb:chained:c1/eth0");
  }
}
