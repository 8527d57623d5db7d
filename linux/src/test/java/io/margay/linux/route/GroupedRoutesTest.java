package io.margay.linux.route;

import static io.margay.linux.route.RouteClass.BGP;
import static org.assertj.core.api.Assertions.assertThat;

import io.margay.linux.testing.FakeRoutes;
import io.margay.model.net.Prefix;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

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
}
