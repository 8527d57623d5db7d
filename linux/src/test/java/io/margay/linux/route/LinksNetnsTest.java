package io.margay.linux.route;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.margay.linux.Errno;
import io.margay.linux.NetlinkException;
import io.margay.linux.netlink.NetlinkFailure;
import io.margay.linux.netns.Netns;
import io.margay.linux.netns.Sysctl;
import io.margay.linux.netns.TestNetns;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.MacAddress;
import io.margay.model.net.Prefix;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("netns")
class LinksNetnsTest {

  private static final MacAddress HOST_MAC = MacAddress.parse("ee:ee:ee:ee:ee:ee");
  private static final MacAddress POD_MAC = MacAddress.parse("02:42:0a:00:00:07");

  private static VethSpec veth(String host, TestNetns pod) {
    return new VethSpec(
        new InterfaceName(host),
        HOST_MAC,
        new InterfaceName("eth0"),
        POD_MAC,
        pod.fd(),
        1440,
        "margay:abc/eth0");
  }

  @Test
  void a_veth_is_born_with_its_peer_inside_the_pod() throws Exception {
    try (TestNetns host = TestNetns.create();
        TestNetns pod = TestNetns.create();
        Rtnetlink rt = Rtnetlink.inNetns(host.fd())) {
      Link link = rt.links().createVeth(veth("cali12345678901", pod));

      assertThat(link.name().value()).isEqualTo("cali12345678901");
      assertThat(link.alias()).isEqualTo("margay:abc/eth0");
      assertThat(link.kind()).isEqualTo("veth");
      assertThat(link.mtu()).isEqualTo(1440);
      assertThat(link.mac()).contains(HOST_MAC);
      assertThat(link.isUp()).isTrue();
      assertThat(link.peerNetnsId()).isPresent();
      assertThat(rt.links().get(link.index())).isEqualTo(link);
      assertThat(rt.links().list()).contains(link);
      assertThat(host.ip("-j link show cali12345678901"))
          .contains(
              "\"ifalias\":\"margay:abc/eth0\"", "ee:ee:ee:ee:ee:ee", "\"mtu\":1440", "\"UP\"");
      assertThat(pod.ip("-j link show eth0")).contains("02:42:0a:00:00:07", "\"mtu\":1440");
    }
  }

  @Test
  void creating_pairs_takes_this_long() throws Exception {
    try (TestNetns host = TestNetns.create();
        TestNetns pod = TestNetns.create();
        Rtnetlink rt = Rtnetlink.inNetns(host.fd());
        Rtnetlink inPod = Rtnetlink.inNetns(pod.fd())) {
      long[] nanos = new long[30];
      for (int i = 0; i < nanos.length; i++) {
        long start = System.nanoTime();
        rt.links().createVeth(veth("cali" + i, pod));
        nanos[i] = System.nanoTime() - start;
        Link eth0 = inPod.links().find(new InterfaceName("eth0")).orElseThrow();
        inPod.links().rename(eth0.index(), new InterfaceName("was" + i));
        rt.links()
            .setGroup(rt.links().find(new InterfaceName("cali" + i)).orElseThrow().index(), 9);
      }
      java.util.Arrays.sort(nanos);
      System.out.println("veth in place p50 " + nanos[15] / 1000 + " us, max " + nanos[29] / 1000);
      long start = System.nanoTime();
      assertThat(rt.links().deleteGroup(9)).isTrue();
      System.out.println("30 deleted by group in " + (System.nanoTime() - start) / 1000 + " us");
      assertThat(rt.links().list()).extracting(l -> l.name().value()).containsExactly("lo");
      assertThat(rt.links().deleteGroup(9)).isFalse();
    }
  }

  @Test
  void ipv4_settings_of_one_link_are_set_by_a_message() throws Exception {
    try (TestNetns host = TestNetns.create();
        TestNetns pod = TestNetns.create();
        Rtnetlink rt = Rtnetlink.inNetns(host.fd())) {
      Link link = rt.links().createVeth(veth("cali0", pod));
      Sysctl forwarding = Sysctl.ofInterface(IpFamily.IPV4, link.name(), "forwarding");
      Sysctl reversePath = Sysctl.ofInterface(IpFamily.IPV4, link.name(), "rp_filter");
      rt.links().setIpv4(link.index(), true, 1);
      assertThat(Netns.readSysctl(host.fd(), forwarding)).isEqualTo("1");
      assertThat(Netns.readSysctl(host.fd(), reversePath)).isEqualTo("1");
      rt.links().setIpv4(link.index(), false, 2);
      assertThat(Netns.readSysctl(host.fd(), forwarding)).isEqualTo("0");
      assertThat(Netns.readSysctl(host.fd(), reversePath)).isEqualTo("2");
    }
  }

  @Test
  void a_taken_name_is_refused_and_its_owner_left_alone() throws Exception {
    try (TestNetns host = TestNetns.create();
        TestNetns pod = TestNetns.create();
        Rtnetlink rt = Rtnetlink.inNetns(host.fd())) {
      host.ip("link add cali1 type veth peer name other");
      Link before = rt.links().find(new InterfaceName("cali1")).orElseThrow();

      assertThatThrownBy(() -> rt.links().createVeth(veth("cali1", pod)))
          .isInstanceOfSatisfying(
              NetlinkException.class, e -> assertThat(e.is(Errno.EEXIST)).isTrue())
          .hasMessageContaining("create veth cali1: EEXIST");
      assertThat(rt.links().find(new InterfaceName("cali1"))).contains(before);
      assertThat(pod.ip("-j link")).doesNotContain("eth0");
    }
  }

  @Test
  void links_change_and_go() throws Exception {
    try (TestNetns host = TestNetns.create();
        Rtnetlink rt = Rtnetlink.inNetns(host.fd())) {
      host.ip("link add va type veth peer name vb");
      Links links = rt.links();
      int index = links.find(new InterfaceName("va")).orElseThrow().index();
      links.setUp(index);
      assertThat(links.get(index).isUp()).isTrue();
      links.setDown(index);
      assertThat(links.get(index).isUp()).isFalse();
      links.rename(index, new InterfaceName("gone"));
      links.setAlias(index, "margay:x/eth0");
      assertThat(host.ip("-j link show gone")).contains("margay:x/eth0");
      assertThat(links.delete(index)).isTrue();
      assertThat(links.delete(index)).isFalse();
      assertThat(links.find(new InterfaceName("vb"))).isEmpty();
      assertThatThrownBy(() -> links.get(index))
          .isInstanceOfSatisfying(
              NetlinkException.class, e -> assertThat(e.is(Errno.ENODEV)).isTrue());
    }
  }

  @Test
  void a_pod_end_is_set_up_in_one_batch_without_waiting_for_duplicate_detection() throws Exception {
    try (TestNetns host = TestNetns.create();
        TestNetns pod = TestNetns.create();
        Rtnetlink rt = Rtnetlink.inNetns(host.fd());
        Rtnetlink inPod = Rtnetlink.inNetns(pod.fd())) {
      rt.links().createVeth(veth("cali1", pod));
      int eth0 = inPod.links().find(new InterfaceName("eth0")).orElseThrow().index();
      IpAddress gateway = IpAddress.parse("169.254.1.1");
      IpAddress gateway6 = IpAddress.parse("fe80::ecee:eeff:feee:eeee");
      Address v4 = new Address(eth0, IpAddress.parse("10.1.0.5"), 32, Scope.UNIVERSE);
      Address v6 = new Address(eth0, IpAddress.parse("fd00:1::5"), 128, Scope.UNIVERSE);

      inPod
          .batch()
          .setUp(1)
          .setUp(eth0)
          .add(v4)
          .add(v6)
          .replace(new Neighbour(eth0, gateway, HOST_MAC))
          .replace(new Neighbour(eth0, gateway6, HOST_MAC))
          .replace(podRoute(gateway.toHostPrefix(), Scope.LINK, NextHop.onDevice(eth0)))
          .replace(podRoute(Prefix.parse("0.0.0.0/0"), Scope.UNIVERSE, NextHop.via(gateway, eth0)))
          .replace(podRoute(Prefix.parse("::/0"), Scope.UNIVERSE, NextHop.via(gateway6, eth0)))
          .sendAll();

      assertThat(inPod.addresses().list(eth0)).contains(v4, v6);
      assertThat(inPod.links().get(eth0).isRunning()).isTrue();
      assertThat(pod.ip("-6 addr show dev eth0 tentative")).doesNotContain("fd00:1::5");
      assertThat(pod.ip("-4 route")).contains("default via 169.254.1.1 dev eth0");
      assertThat(pod.ip("-6 route")).contains("default via fe80::ecee:eeff:feee:eeee");
      assertThat(pod.ip("neigh show nud permanent")).contains("169.254.1.1", "fe80::ecee");
      assertThat(inPod.neighbours().listPermanent(IpFamily.IPV4))
          .containsExactly(new Neighbour(eth0, gateway, HOST_MAC));
      assertThat(inPod.addresses().delete(v6)).isTrue();
      assertThat(inPod.addresses().delete(v6)).isFalse();
    }
  }

  private static Route podRoute(Prefix prefix, Scope scope, NextHop hop) {
    return new Route(
        prefix,
        Route.MAIN_TABLE,
        3,
        RouteType.UNICAST,
        scope,
        0,
        List.of(hop),
        java.util.Optional.empty());
  }

  @Test
  void one_bad_of_ten_is_reported_alone() throws Exception {
    try (TestNetns host = TestNetns.create();
        Rtnetlink rt = Rtnetlink.inNetns(host.fd())) {
      host.ip("link set lo up");
      RtnetlinkBatch batch = rt.batch();
      List<Address> wanted = new ArrayList<>();
      for (int i = 0; i < 10; i++) {
        Address address =
            new Address(
                i == 6 ? 4711 : 1, IpAddress.parse("10.9.0." + (i + 1)), 32, Scope.UNIVERSE);
        wanted.add(address);
        batch.add(address);
      }
      List<NetlinkFailure> failures = batch.send();

      assertThat(failures).hasSize(1);
      assertThat(failures.getFirst().index()).isEqualTo(6);
      assertThat(failures.getFirst().message().object()).isEqualTo(wanted.get(6));
      assertThat(failures.getFirst().errno()).isEqualTo(Errno.ENODEV);
      wanted.remove(6);
      assertThat(rt.addresses().list(1)).containsAll(wanted);
    }
  }
}
