package io.margay.linux.traffic;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.margay.linux.Errno;
import io.margay.linux.NetlinkException;
import io.margay.linux.netns.TestNetns;
import io.margay.linux.route.Link;
import io.margay.linux.route.Rtnetlink;
import io.margay.model.net.InterfaceName;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// The kernel takes what we write, and `tc` reads it as we mean it.
@Tag("netns")
final class TrafficTest {

  private TestNetns netns;
  private Traffic traffic;
  private Rtnetlink rtnetlink;
  private int device;

  @BeforeEach
  void raise() throws Exception {
    netns = TestNetns.create();
    traffic = Traffic.inNetns(netns.fd());
    rtnetlink = Rtnetlink.inNetns(netns.fd());
    netns.ip("link add name va type veth peer name vb");
    device = rtnetlink.links().find(new InterfaceName("va")).orElseThrow().index();
  }

  @AfterEach
  void clean() throws Exception {
    rtnetlink.close();
    traffic.close();
    netns.close();
  }

  @Test
  void a_shaped_device_is_read_back_and_can_be_shaped_anew() throws Exception {
    assertThat(traffic.shaping(device)).isEmpty();
    TokenBucket megabit = new TokenBucket(125_000, 20_000);
    traffic.shape(device, megabit);
    assertThat(traffic.shaping(device))
        .hasValueSatisfying(found -> assertThat(found.isBy(megabit)).isTrue());
    assertThat(netns.tc("-j qdisc show dev va"))
        .contains("\"kind\":\"tbf\"", "\"rate\":125000", "\"burst\":20000", "\"lat\":25000");
    // A runtime's way to say "no limit worth the name" for the burst.
    TokenBucket wide = new TokenBucket(12_500_000_000L, 536_870_911);
    traffic.shape(device, wide);
    assertThat(traffic.shaping(device).orElseThrow().isBy(wide)).isTrue();
    assertThat(traffic.shaping(device).orElseThrow().isBy(megabit)).isFalse();
    assertThat(netns.tc("-j qdisc show dev va")).contains("\"rate\":12500000000");
    assertThat(traffic.shaping(device + 1)).as("the other end").isEmpty();

    traffic.endShaping(device);
    assertThat(traffic.shaping(device)).isEmpty();
    assertThat(netns.tc("-j qdisc show dev va")).doesNotContain("tbf");
  }

  @Test
  void what_a_device_receives_goes_through_another_that_is_marked() throws Exception {
    InterfaceName name = new InterfaceName("mgyb0");
    Link ifb = rtnetlink.links().createIfb(name, 1400, "margay-ifb:c/eth0");
    assertThat(rtnetlink.links().find(name)).contains(ifb);
    assertThat(ifb.kind()).isEqualTo("ifb");
    assertThat(ifb.mtu()).isEqualTo(1400);
    assertThat(ifb.group()).isZero();
    assertThatThrownBy(() -> rtnetlink.links().createIfb(name, 1400, "x"))
        .isInstanceOfSatisfying(
            NetlinkException.class, taken -> assertThat(taken.is(Errno.EEXIST)).isTrue());

    assertThat(traffic.redirection(device)).isEmpty();
    traffic.redirect(device, ifb.index());
    assertThat(traffic.redirection(device)).hasValue(ifb.index());
    assertThat(netns.tc("-j filter show dev va ingress"))
        .contains(
            "\"kind\":\"mirred\"",
            "\"mirred_action\":\"redirect\"",
            "\"direction\":\"egress\"",
            "\"to_dev\":\"mgyb0\"");

    traffic.endRedirection(device);
    assertThat(traffic.redirection(device)).isEmpty();
    assertThat(netns.tc("-j qdisc show dev va")).doesNotContain("ingress");
  }
}
