package io.margay.linux.route;

import io.margay.linux.testing.FakeRoutes;
import io.margay.model.net.Prefix;
import org.junit.jupiter.api.BeforeEach;

class FakeNextHopsTest extends NextHopKernelContract {

  private final FakeRoutes fake = new FakeRoutes();

  @BeforeEach
  void devices() {
    fake.addDevice(2, Prefix.parse("10.0.1.0/24"), Prefix.parse("fd00:1::/64"));
    fake.addDevice(3, Prefix.parse("10.0.2.0/24"), Prefix.parse("fd00:2::/64"));
  }

  @Override
  NextHopKernel objects() {
    return fake;
  }

  @Override
  RouteKernel routes() {
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
}
