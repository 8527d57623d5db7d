package io.margay.agent.dataplane;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.margay.linux.route.NextHop;
import io.margay.linux.route.Route;
import io.margay.linux.route.RouteClass;
import io.margay.linux.route.RouteSpec;
import io.margay.linux.route.RouteTable;
import io.margay.linux.testing.FakeRoutes;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

class RefusedRoutesTest {

  private static final Logger LOGGER = (Logger) LoggerFactory.getLogger(RefusedRoutes.class);
  private static final int UPLINK = 2;

  /// RTPROT_STATIC.
  private static final int STATIC = 4;

  private final ListAppender<ILoggingEvent> log = new ListAppender<>();
  private final FakeRoutes kernel = new FakeRoutes();
  private final RouteTable table = new RouteTable(kernel, _ -> false);
  private final RefusedRoutes refused = new RefusedRoutes(table);

  @BeforeEach
  void start() throws Exception {
    kernel.addDevice(UPLINK, Prefix.parse("172.16.0.0/31"));
    table.adopt();
    log.start();
    LOGGER.addAppender(log);
  }

  @AfterEach
  void leave() {
    LOGGER.detachAppender(log);
  }

  private static Prefix block(int number) {
    return Prefix.parse("10.65." + number + ".0/26");
  }

  private void take(int number) {
    Route ours = RouteSpec.toDevice(UPLINK).toRoute(block(number));
    kernel.plant(
        new Route(
            ours.prefix(),
            ours.table(),
            STATIC,
            ours.type(),
            ours.scope(),
            0,
            ours.nextHops(),
            Optional.empty()));
  }

  /// What is said of a write.
  private List<ILoggingEvent> write() throws Exception {
    log.list.clear();
    refused.look(table.apply().pending());
    return List.copyOf(log.list);
  }

  private static String fields(ILoggingEvent line) {
    return String.valueOf(line.getKeyValuePairs());
  }

  @Test
  void whose_route_is_in_the_way_is_said_once_and_again_when_it_comes_back() throws Exception {
    take(1);
    table.update(RouteClass.OWN_BLOCK, block(1), RouteSpec.blackhole());
    assertThat(write())
        .singleElement()
        .extracting(RefusedRoutesTest::fields)
        .asString()
        .contains("10.65.1.0/26 direct dev 2 proto 4", "ip -4 route del 10.65.1.0/26 proto 4");
    assertThat(write()).isEmpty();
    kernel.tamper(block(1));
    assertThat(write()).isEmpty();
    kernel.tamper(block(1));
    take(1);
    table.adopt();
    assertThat(write()).hasSize(1);
  }

  @Test
  void many_in_the_way_share_a_line() throws Exception {
    IntStream.range(0, 2 * RefusedRoutes.MAX_TOLD)
        .forEach(
            i -> {
              take(i);
              table.update(RouteClass.OWN_BLOCK, block(i), RouteSpec.blackhole());
            });
    assertThat(write()).hasSize(RefusedRoutes.MAX_TOLD + 1);
    assertThat(fields(log.list.getLast())).contains("" + RefusedRoutes.MAX_TOLD);
    assertThat(write()).isEmpty();
  }

  @Test
  void a_link_that_refuses_a_table_is_one_line_until_it_takes_all() throws Exception {
    RouteSpec nowhere = RouteSpec.through(List.of(NextHop.via(IpAddress.parse("198.51.100.1"))));
    table.update(RouteClass.BGP, block(1), nowhere);
    table.update(RouteClass.BGP, block(2), nowhere);
    assertThat(write())
        .singleElement()
        .extracting(RefusedRoutesTest::fields)
        .asString()
        .contains("ENETUNREACH");
    table.update(RouteClass.BGP, block(3), nowhere);
    assertThat(write()).isEmpty();
    List.of(1, 2, 3).forEach(i -> table.remove(RouteClass.BGP, block(i)));
    assertThat(write()).isEmpty();
    table.update(RouteClass.BGP, block(1), nowhere);
    assertThat(write()).hasSize(1);
  }
}
