package io.margay.agent.dataplane;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.agent.loop.TestLoop;
import io.margay.linux.LinuxException;
import io.margay.linux.route.Link;
import io.margay.linux.route.Links;
import io.margay.linux.route.NextHop;
import io.margay.linux.route.Route;
import io.margay.linux.route.RouteClass;
import io.margay.linux.route.RouteSpec;
import io.margay.linux.route.RouteTable;
import io.margay.linux.route.RouteWatch;
import io.margay.linux.testing.FakeRoutes;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// The loop's own timers are the only clock: what is not heard of stays as it is for half a minute,
/// longer than any of this takes.
class RouteKeeperTest {

  private static final int UPLINK = 2;
  private static final int UP = 1 | 0x40;
  private static final Prefix A = Prefix.parse("10.65.1.0/26");
  private static final Prefix B = Prefix.parse("10.65.2.0/26");
  private static final Prefix STRANGERS = Prefix.parse("192.0.2.0/24");

  private final TestLoop test = new TestLoop("dataplane");
  private final FakeRoutes kernel = new FakeRoutes();
  private final RouteTable table = new RouteTable(kernel, _ -> false);
  private final List<RouteWatch.Events> watched = new ArrayList<>();
  private final List<InterfaceName> down = new ArrayList<>();
  private int relinked;
  private int changed;

  @BeforeEach
  void start() throws Exception {
    kernel.addDevice(UPLINK, Prefix.parse("172.16.0.0/31"));
    table.adopt();
    table.setRoutes(RouteClass.BGP, Map.of(A, toTor(), B, toTor()));
    test.loop().start(this::write);
    RouteKeeper keeper =
        new RouteKeeper(
            test.loop(),
            table,
            () -> relinked++,
            () -> changed++,
            refused -> {
              throw new IllegalStateException(refused);
            });
    keeper.tellLinkDown(down::add);
    test.run(() -> keeper.begin(watched::add));
    assertThat(prefixes()).containsExactlyInAnyOrder(A, B);
  }

  private void write() {
    try {
      table.apply();
    } catch (LinuxException refused) {
      throw new IllegalStateException(refused);
    }
  }

  private static RouteSpec toTor() {
    return RouteSpec.through(List.of(NextHop.via(IpAddress.parse("172.16.0.0"), UPLINK)));
  }

  @AfterEach
  void close() {
    test.close();
  }

  private List<Prefix> prefixes() {
    return test.see(() -> kernel.all().stream().map(Route::prefix).toList());
  }

  private RouteWatch.Events kernelSays() {
    return watched.getFirst();
  }

  private void tamper(Prefix prefix) {
    test.run(() -> kernel.tamper(prefix));
  }

  private void awaitAll() {
    test.await(() -> kernel.all().size(), size -> size == 2);
  }

  private static Link link(String name, String alias, int flags, int group) {
    return new Link(
        7,
        new InterfaceName(name),
        alias,
        "veth",
        flags,
        1500,
        Optional.empty(),
        group,
        0,
        0,
        OptionalInt.empty());
  }

  /// Waits until what was told has been looked at: another route that is told of comes back.
  private void afterALook() {
    tamper(B);
    kernelSays().onRoute(B);
    test.await(() -> kernel.all().stream().anyMatch(r -> r.prefix().equals(B)), there -> there);
  }

  @Test
  void a_route_of_ours_that_another_process_removed_comes_back_when_it_is_heard() {
    tamper(A);
    assertThat(prefixes()).containsExactly(B);
    kernelSays().onRoute(A);
    awaitAll();
  }

  @Test
  void a_write_to_a_prefix_of_ours_may_have_made_room_for_what_was_refused() {
    kernelSays().onRoute(A);
    test.await(() -> changed, times -> times > 0);
  }

  @Test
  void routes_that_are_not_ours_cause_no_reading() throws Exception {
    tamper(A);
    IntStream.range(0, RouteKeeper.MAX_NEWS).forEach(_ -> kernelSays().onRoute(STRANGERS));
    kernelSays()
        .onLink(link("cali1", "margay:c1/eth0", UP, 0), false); // one that has just been born
    kernelSays().onLink(link("cali2", "", UP, Links.NEWBORN_GROUP), false);
    kernelSays().onLink(link("cali1", "margay:c1/eth0", 0, 0), false); // one that is being deleted
    Thread.sleep(5 * RouteKeeper.COLLECTING.toMillis());
    assertThat(prefixes()).as("nobody read the kernel").containsExactly(B);
    assertThat(test.see(() -> relinked)).isZero();
    afterALook();
    assertThat(prefixes()).containsExactlyInAnyOrder(A, B);
  }

  @Test
  void a_link_that_comes_or_goes_has_all_routes_read() {
    tamper(A);
    kernelSays().onLink(link("eth0", "", 1, 0), true);
    awaitAll();
    assertThat(test.see(() -> relinked)).isEqualTo(1);
    tamper(A);
    kernelSays().onLink(link("cali1", "margay:c1/eth0", UP, 0), true); // somebody had set it down
    awaitAll();
    assertThat(test.see(() -> relinked)).isEqualTo(2);
    tamper(A);
    kernelSays().onLink(link("vxlan.calico", "margay:overlay", 0, 0), false); // ours, and no pod's
    awaitAll();
    assertThat(test.see(() -> relinked)).isEqualTo(3);
  }

  @Test
  void a_next_hop_object_that_somebody_wrote_has_all_routes_read() {
    tamper(A);
    kernelSays().onNextHop();
    awaitAll();
  }

  @Test
  void of_a_link_that_is_down_those_are_told_who_use_it_and_of_a_pods_nobody() {
    kernelSays().onLink(link("cali1", "margay:c1/eth0", 0, 0), false);
    kernelSays().onLink(link("eth1", "", UP, 0), false);
    kernelSays().onLink(link("eth0", "", 1, 0), false);
    assertThat(down).containsExactly(new InterfaceName("eth0"));
  }

  @Test
  void when_news_were_lost_or_are_too_many_all_routes_are_read() {
    tamper(A);
    kernelSays().onLoss("more was written than could be heard");
    awaitAll();
    tamper(A);
    IntStream.rangeClosed(0, RouteKeeper.MAX_NEWS)
        .forEach(
            i ->
                kernelSays()
                    .onRoute(new Prefix(IpAddress.parse("198.18." + i / 256 + "." + i % 256), 32)));
    awaitAll();
  }
}
