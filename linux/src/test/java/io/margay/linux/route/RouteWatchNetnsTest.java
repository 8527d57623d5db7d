package io.margay.linux.route;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.linux.netns.TestNetns;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("netns")
class RouteWatchNetnsTest implements RouteWatch.Events {

  private static final Prefix REMOTE = Prefix.parse("10.2.0.0/26");
  private static final Prefix REMOTE6 = Prefix.parse("fd00:b::/122");

  private final LinkedBlockingQueue<String> heard = new LinkedBlockingQueue<>();
  private TestNetns netns;
  private Rtnetlink rt;
  private RouteTable table;
  private RouteWatch watch;

  @BeforeEach
  void fresh() throws Exception {
    netns = TestNetns.create();
    RoutesNetnsTest.raiseDevices(netns);
    rt = Rtnetlink.inNetns(netns.fd());
    table = new RouteTable(rt.routes(), _ -> false);
    table.adopt();
    watch = rt.watchRoutesIn(netns.fd(), this);
    table.setRoutes(
        RouteClass.BGP,
        Map.of(
            REMOTE, via("10.0.1.2"),
            REMOTE6, via("fd00:1::2")));
    assertThat(table.apply().pending()).isEmpty();
  }

  private RouteSpec via(String gateway) throws Exception {
    int red = rt.links().find(new InterfaceName("red")).orElseThrow().index();
    return RouteSpec.through(List.of(NextHop.via(IpAddress.parse(gateway), red)));
  }

  @AfterEach
  void tearDown() throws Exception {
    watch.close();
    rt.close();
    netns.close();
  }

  @Override
  public void onRoute(Prefix prefix) {
    heard.add(prefix.toString());
  }

  @Override
  public void onNextHop() {
    heard.add("next hop");
  }

  @Override
  public void onLink(Link link, boolean wasDown) {
    heard.add(link.name() + (link.isRunning() ? " up" : " down") + (wasDown ? " after down" : ""));
  }

  @Override
  public void onLoss(String reason) {
    heard.add("loss: " + reason);
  }

  /// What is heard until a route of ours, told last, is removed by somebody else.
  private List<String> heardUntil(String last) throws Exception {
    List<String> all = new ArrayList<>();
    while (true) {
      String next = heard.poll(20, TimeUnit.SECONDS);
      assertThat(next).as("after %s", all).isNotNull();
      if (next.equals(last)) {
        return all;
      }
      all.add(next);
    }
  }

  @Test
  void our_own_writes_and_strangers_routes_are_not_heard() throws Exception {
    table.remove(RouteClass.BGP, REMOTE6);
    table.apply();
    for (int i : IntStream.range(0, 50).toArray()) {
      netns.ip("route add 10.3." + i + ".0/24 dev red proto static");
    }
    netns.ip("route del 10.3.0.0/24");
    netns.ip("route del " + REMOTE);
    assertThat(heardUntil(REMOTE.toString())).isEmpty();
  }

  @Test
  void a_route_of_ours_that_is_removed_or_changed_is_heard() throws Exception {
    netns.ip("-6 route del " + REMOTE6);
    assertThat(heardUntil(REMOTE6.toString())).isEmpty();
    netns.ip("route change " + REMOTE + " via 10.0.1.3 proto 117");
    assertThat(heardUntil(REMOTE.toString())).isEmpty();
    netns.ip("route replace " + REMOTE + " via 10.0.2.3 proto static");
    assertThat(heardUntil(REMOTE.toString())).isEmpty();
    netns.ip("-6 route add fd00:c::/122 via fd00:1::3 proto 117");
    assertThat(heardUntil("fd00:c::/122")).as("one that we never wanted").isEmpty();
  }

  @Test
  void objects_of_ours_are_heard_and_not_what_we_write_or_strangers() throws Exception {
    GroupedRoutes grouped = GroupedRoutes.of(rt, Route.OUR_PROTOCOL, NextHopLayout.MULTIPATH);
    RouteTable over = new RouteTable(grouped, _ -> false);
    over.adopt();
    over.update(
        RouteClass.BGP,
        REMOTE,
        RouteSpec.through(
            List.of(
                NextHop.via(IpAddress.parse("10.0.1.2")),
                NextHop.via(IpAddress.parse("10.0.2.2")))));
    assertThat(over.apply().pending()).isEmpty();
    netns.ip("nexthop add id 5 via 10.0.1.7 dev red proto static");
    netns.ip("nexthop del id 5");
    netns.ip("route del " + REMOTE6);
    assertThat(heardUntil(REMOTE6.toString())).isEmpty();
    NextHopObject.Group group =
        rt.nextHopObjects().dumpObjects(Route.OUR_PROTOCOL).stream()
            .filter(NextHopObject.Group.class::isInstance)
            .map(NextHopObject.Group.class::cast)
            .findFirst()
            .orElseThrow();
    netns.ip("nexthop del id " + NextHopObject.text(group.members().getFirst().id()));
    assertThat(heardUntil("next hop")).isEmpty();
    heardUntil("next hop");
    netns.ip("nexthop del id " + NextHopObject.text(group.id()));
    heardUntil("next hop");
    assertThat(over.resync().added()).isOne();
  }

  @Test
  void links_are_heard_when_they_change_what_they_can_do() throws Exception {
    netns.ip("link set red down");
    assertThat(heardUntil("red down"))
        .allMatch(news -> news.startsWith("redpeer") || news.equals(REMOTE6.toString()));
    netns.ip("link set red up");
    heardUntil("red up after down");
    netns.ip("link set red down");
    heardUntil("red down");
    netns.ip("link del red");
    heardUntil("red down after down");
  }

  @Test
  void the_number_of_routes_that_were_not_as_believed_is_told() throws Exception {
    assertThat(table.adopt()).isZero();
    netns.ip("route del " + REMOTE);
    netns.ip("-6 route replace " + REMOTE6 + " via fd00:1::3 proto 117");
    netns.ip("route add 10.9.0.0/26 via 10.0.1.2 proto 117");
    assertThat(table.adopt()).isEqualTo(3);
    table.apply();
    assertThat(table.adopt()).isZero();
    assertThat(table.concerns(REMOTE)).isTrue();
    assertThat(table.concerns(Prefix.parse("10.9.0.0/26"))).as("known, though unwanted").isTrue();
    assertThat(table.concerns(Prefix.parse("10.9.0.0/27"))).isFalse();
  }
}
