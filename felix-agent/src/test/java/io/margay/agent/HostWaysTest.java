package io.margay.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.linux.netns.Netns;
import io.margay.linux.route.Rtnetlink;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// By which interfaces connections come and go, of a node with `up0` (192.0.2.1/24).
@Tag("netns")
final class HostWaysTest {

  private final String name = "mgyt-ways-" + ProcessHandle.current().pid();
  private Netns netns;
  private Rtnetlink netlink;

  @BeforeEach
  void raise() throws Exception {
    run("ip", "netns", "add", name);
    netns = Netns.open(Path.of("/run/netns", name));
    in("ip link set lo up");
    in("ip link add up0 type veth peer name far0");
    in("ip link set up0 up");
    in("ip link set far0 up");
    in("ip addr add 192.0.2.1/24 dev up0");
    in("ip route add default via 192.0.2.254");
    netlink = Rtnetlink.inNetns(netns.fd());
  }

  @AfterEach
  void clean() throws Exception {
    netlink.close();
    netns.close();
    run("ip", "netns", "del", name);
  }

  private void in(String command) throws Exception {
    List<String> words = new ArrayList<>(List.of("ip", "netns", "exec", name));
    words.addAll(List.of(command.split(" ")));
    run(words.toArray(new String[0]));
  }

  private static void run(String... command) throws Exception {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as("%s: %s", String.join(" ", command), said).isZero();
  }

  private Set<InterfaceName> towards(String address) throws Exception {
    return HostSettings.interfacesTowards(netlink).to(IpAddress.parse(address));
  }

  @Test
  void a_route_leads_to_one_other_machine_or_nowhere() throws Exception {
    Set<InterfaceName> up = Set.of(new InterfaceName("up0"));
    assertThat(towards("192.0.2.9")).isEqualTo(up);
    assertThat(towards("198.51.100.7")).isEqualTo(up);
    assertThat(towards("192.0.2.255")).as("to all on the link, this node among them").isEmpty();
    assertThat(towards("192.0.2.1")).as("the node's own").isEmpty();
    assertThat(towards("2001:db8::7")).as("no route").isEmpty();
  }

  @Test
  void packets_that_are_marked_may_take_another_way() throws Exception {
    InterfaceName up = new InterfaceName("up0");
    InterfaceName far = new InterfaceName("far0");
    in("ip rule add fwmark 0x700/0xff00 lookup 100");
    assertThat(towards("198.51.100.7")).as("nothing in that table").containsExactly(up);
    in("ip route add 198.51.100.0/24 dev far0 table 100");
    assertThat(towards("198.51.100.7")).containsExactlyInAnyOrder(up, far);
    assertThat(towards("203.0.113.7")).containsExactly(up);
    in("ip addr add 2001:db8::1/64 dev up0 nodad");
    in("ip -6 rule add fwmark 8 lookup 100");
    in("ip -6 route add 2001:db8::/64 dev far0 table 100");
    assertThat(towards("2001:db8::7")).containsExactlyInAnyOrder(up, far);
  }

  @Test
  void link_local_addresses_are_known_on_every_link() throws Exception {
    in("ip link add cali1 type veth peer name pod0");
    in("ip link set cali1 up");
    in("ip addr add fe80::1/64 dev cali1 nodad");
    in("ip addr add fe80::1/64 dev up0 nodad");
    in("ip addr add 10.99.0.1/32 dev cali1");
    Map<InterfaceName, Set<IpAddress>> held = HostSettings.addressesOfWaysIn(netlink);
    assertThat(held.get(new InterfaceName("up0")))
        .contains(IpAddress.parse("192.0.2.1"), IpAddress.parse("fe80::1"));
    assertThat(held.get(new InterfaceName("cali1")))
        .contains(IpAddress.parse("fe80::1"))
        .doesNotContain(IpAddress.parse("10.99.0.1"));
  }
}
