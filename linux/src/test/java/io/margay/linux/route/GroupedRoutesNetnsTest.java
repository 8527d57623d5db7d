package io.margay.linux.route;

import io.margay.linux.LinuxException;
import io.margay.linux.netns.TestNetns;
import io.margay.model.net.InterfaceName;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;

@Tag("netns")
class GroupedRoutesNetnsTest extends GroupedRoutesContract {

  private TestNetns netns;
  private Rtnetlink rt;

  @BeforeEach
  void raise() throws Exception {
    netns = TestNetns.create();
    RoutesNetnsTest.raiseDevices(netns);
    rt = Rtnetlink.inNetns(netns.fd());
    RoutesNetnsTest.awaitCarrier(rt.routes(), "10.0.1.2", true);
    RoutesNetnsTest.awaitCarrier(rt.routes(), "10.0.2.2", true);
  }

  @AfterEach
  void tearDown() throws Exception {
    rt.close();
    netns.close();
  }

  @Override
  RouteKernel routes() {
    return rt.routes();
  }

  @Override
  NextHopKernel objects() {
    return rt.nextHopObjects();
  }

  @Override
  int red() {
    return index("red");
  }

  @Override
  int blue() {
    return index("blue");
  }

  private int index(String name) {
    try {
      return rt.links().find(new InterfaceName(name)).orElseThrow().index();
    } catch (LinuxException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  void setCarrier(String device, boolean has) throws Exception {
    String neighbour = device.equals("red") ? "10.0.1.2" : "10.0.2.2";
    RoutesNetnsTest.setCarrier(netns, rt.routes(), device, neighbour, has);
  }

  @Override
  void removeObject(int id) throws Exception {
    netns.ip("nexthop del id " + NextHopObject.text(id));
  }
}
