package io.margay.linux.route;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.linux.LinuxException;
import io.margay.linux.netns.TestNetns;
import io.margay.model.net.InterfaceName;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("netns")
class NextHopObjectsNetnsTest extends NextHopKernelContract {

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
  NextHopKernel objects() {
    return rt.nextHopObjects();
  }

  @Override
  RouteKernel routes() {
    return rt.routes();
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

  @Test
  void this_kernel_has_groups_of_both_kinds() throws Exception {
    assertThat(rt.nextHopObjects().has(new GroupKind.Multipath())).isTrue();
    assertThat(rt.nextHopObjects().has(GroupKind.Resilient.DEFAULT)).isTrue();
    assertThat(rt.nextHopObjects().dumpObjects(117)).as("a probe leaves nothing").isEmpty();
  }

  @Test
  void what_the_kernel_has_can_be_left_unused() throws Exception {
    System.setProperty(RouteFeatures.PROPERTY, "off");
    try {
      assertThat(rt.nextHopObjects().has(new GroupKind.Multipath())).isFalse();
      assertThat(rt.nextHopObjects().has(GroupKind.Resilient.DEFAULT)).isFalse();
    } finally {
      System.clearProperty(RouteFeatures.PROPERTY);
    }
  }
}
