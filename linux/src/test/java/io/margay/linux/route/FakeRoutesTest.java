package io.margay.linux.route;

import io.margay.linux.testing.FakeRoutes;
import io.margay.model.net.Prefix;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;

class FakeRoutesTest extends RouteKernelContract {

  private final FakeRoutes fake = new FakeRoutes();

  @BeforeEach
  void devices() {
    fake.addDevice(
        2, Prefix.parse("10.0.1.0/24"), Prefix.parse("fd00:1::/64"), Prefix.parse("fe80::/64"));
    fake.addDevice(
        3, Prefix.parse("10.0.2.0/24"), Prefix.parse("fd00:2::/64"), Prefix.parse("fe80::/64"));
  }

  @Override
  RouteKernel kernel() {
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
  void plantForeign(Prefix prefix) {
    fake.plant(
        new Route(
            prefix,
            Route.MAIN_TABLE,
            4,
            RouteType.UNICAST,
            Scope.LINK,
            0,
            List.of(NextHop.onDevice(2)),
            Optional.empty()));
  }

  @Override
  boolean holds(Prefix prefix, int protocol) {
    return fake.all().stream()
        .anyMatch(route -> route.prefix().equals(prefix) && route.protocol() == protocol);
  }
}
