package io.margay.linux.route;

import static io.margay.linux.route.RouteClass.BGP;
import static org.assertj.core.api.Assertions.assertThat;

import io.margay.linux.testing.FakeRoutes;
import io.margay.model.net.Prefix;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GroupedRoutesTest extends GroupedRoutesContract {

  private final FakeRoutes fake = new FakeRoutes();

  @BeforeEach
  void devices() {
    fake.addDevice(2, Prefix.parse("10.0.1.0/24"), Prefix.parse("fd00:1::/64"));
    fake.addDevice(3, Prefix.parse("10.0.2.0/24"), Prefix.parse("fd00:2::/64"));
  }

  @Override
  RouteKernel routes() {
    return fake;
  }

  @Override
  NextHopKernel objects() {
    return fake;
  }

  @Override
  int red() {
    return 2;
  }

  @Override
  int blue() {
    return 3;
  }

  @Override
  void setCarrier(String device, boolean has) {
    int index = device.equals("red") ? 2 : 3;
    if (has) {
      fake.gainCarrier(index);
    } else {
      fake.loseCarrier(index);
    }
  }

  @Override
  void removeObject(int id) {
    fake.tamperObject(id);
  }

  @Test
  void a_lost_next_hop_costs_one_message_whatever_the_number_of_routes() throws Exception {
    RouteTable table = table(NextHopLayout.MULTIPATH);
    table.adopt();
    Map<Prefix, RouteSpec> wanted = new HashMap<>();
    for (int i = 0; i < MANY; i++) {
      wanted.put(prefix(i), BOTH);
    }
    table.setRoutes(BGP, wanted);
    table.apply();
    int writes = fake.writes();
    int objectWrites = fake.objectWrites().size();
    wanted.replaceAll((_, _) -> through("10.0.2.2"));
    table.setRoutes(BGP, wanted);
    assertThat(table.apply().replaced()).isEqualTo(MANY);
    assertThat(fake.writes()).as("routes written").isEqualTo(writes);
    assertThat(fake.objectWrites()).as("objects written").hasSize(objectWrites + 1);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void after_any_changes_routes_lead_where_they_should(long seed) throws Exception {
    Random random = new Random(seed);
    List<NextHopLayout> layouts = List.of(NextHopLayout.values());
    List<RouteSpec> ways =
        List.of(
            BOTH,
            through("10.0.1.2"),
            through("10.0.2.2"),
            through("10.0.1.2", "10.0.2.2", "10.0.2.3"),
            through("10.0.1.2", "198.51.100.9"),
            BOTH6,
            RouteSpec.blackhole());
    Map<Prefix, RouteSpec> wanted = new HashMap<>();
    RouteTable table = table(NextHopLayout.MULTIPATH);
    table.adopt();
    table.allowSweep(RouteClass.values());
    for (int round = 0; round < 300; round++) {
      int width = random.nextInt(12);
      RouteSpec way = ways.get(random.nextInt(ways.size()));
      for (int i = 0; i < width; i++) {
        Prefix prefix = prefix(random.nextInt(3) == 0 ? random.nextInt(12) : i);
        if (random.nextInt(5) == 0) {
          wanted.remove(prefix);
        } else {
          wanted.put(prefix, way);
        }
      }
      switch (random.nextInt(8)) {
        case 0 -> fake.loseCarrier(2 + random.nextInt(2));
        case 1 -> fake.gainCarrier(2 + random.nextInt(2));
        case 2 -> fake.tamper(prefix(random.nextInt(12)));
        case 3 -> fake.objects().stream().findAny().ifPresent(any -> fake.tamperObject(any.id()));
        case 4 -> {
          table = table(layouts.get(random.nextInt(layouts.size())));
          table.adopt();
          table.allowSweep(RouteClass.values());
        }
        default -> {}
      }
      table.setRoutes(BGP, wanted);
      table.apply();
    }
    fake.gainCarrier(2);
    fake.gainCarrier(3);
    wanted.replaceAll((_, way) -> way.equals(ways.get(4)) ? BOTH : way);
    table.setRoutes(BGP, wanted);
    assertThat(table.resync().pending()).isEmpty();
    assertThat(fake.dumpOurs()).hasSize(wanted.size());
    wanted.forEach(
        (prefix, way) ->
            assertThat(fake.dump(Route.OUR_PROTOCOL))
                .anyMatch(route -> way.toRoute(prefix).isMetBy(route)));
    assertThat(table.resync().writes()).isZero();
    table.setRoutes(BGP, Map.of());
    assertThat(table.apply().pending()).isEmpty();
    assertThat(fake.dumpOurs()).isEmpty();
    assertThat(fake.objects()).isEmpty();
  }
}
