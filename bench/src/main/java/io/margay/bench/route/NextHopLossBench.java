package io.margay.bench.route;

import com.sun.management.ThreadMXBean;
import io.margay.linux.LinuxException;
import io.margay.linux.route.GroupedRoutes;
import io.margay.linux.route.NextHop;
import io.margay.linux.route.NextHopChange;
import io.margay.linux.route.NextHopFailure;
import io.margay.linux.route.NextHopKernel;
import io.margay.linux.route.NextHopLayout;
import io.margay.linux.route.NextHopObject;
import io.margay.linux.route.Route;
import io.margay.linux.route.RouteApplyResult;
import io.margay.linux.route.RouteChange;
import io.margay.linux.route.RouteClass;
import io.margay.linux.route.RouteFailure;
import io.margay.linux.route.RouteKernel;
import io.margay.linux.route.RouteSpec;
import io.margay.linux.route.RouteTable;
import io.margay.linux.route.Rtnetlink;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What each layout of routes over two next hops costs in the namespace it runs in, which has a
/// device `up0` with 10.0.0.1/24 and fd00::1/64: the first write of all, the loss of one next hop,
/// its return, a comparison. Arguments: numbers of routes.
public final class NextHopLossBench {

  private static final ThreadMXBean CPU = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private final Rtnetlink netlink;
  private final int device;
  private int messages;

  private NextHopLossBench(Rtnetlink netlink, int device) {
    this.netlink = netlink;
    this.device = device;
  }

  /// Runs it and prints a line for each step.
  public static void main(String[] counts) throws LinuxException {
    try (Rtnetlink netlink = Rtnetlink.open()) {
      int device = netlink.links().find(new InterfaceName("up0")).orElseThrow().index();
      NextHopLossBench bench = new NextHopLossBench(netlink, device);
      bench.run(NextHopLayout.NONE, 4, 10_000, false);
      for (String count : counts) {
        for (int version : List.of(4, 6)) {
          for (NextHopLayout layout : NextHopLayout.values()) {
            bench.run(layout, version, Integer.parseInt(count), true);
          }
        }
      }
    }
  }

  private void run(NextHopLayout layout, int version, int count, boolean isShown)
      throws LinuxException {
    RouteTable table =
        new RouteTable(
            new GroupedRoutes(
                new CountedRoutes(), new CountedObjects(), Route.OUR_PROTOCOL, layout),
            _ -> false);
    table.adopt();
    String[] steps = {"first write", "loss of one next hop", "its return", "removal"};
    int[][] hops = {{2, 3}, {3}, {2, 3}, {}};
    for (int step = 0; step < steps.length; step++) {
      Map<Prefix, RouteSpec> wanted = new HashMap<>();
      for (int i = 0; i < count && hops[step].length > 0; i++) {
        wanted.put(prefix(version, i), through(version, hops[step]));
      }
      messages = 0;
      long start = System.nanoTime();
      long cpu = CPU.getCurrentThreadCpuTime();
      long kernel = kernelNanos();
      table.setRoutes(RouteClass.BGP, wanted);
      RouteApplyResult result = table.apply();
      if (!result.pending().isEmpty()) {
        throw new IllegalStateException("refused: " + result.pending().getFirst());
      }
      show(layout, version, count, steps[step], start, cpu, kernel, isShown);
      if (step == 0) {
        messages = 0;
        start = System.nanoTime();
        cpu = CPU.getCurrentThreadCpuTime();
        kernel = kernelNanos();
        if (table.resync().writes() > 0) {
          throw new IllegalStateException("a comparison wrote");
        }
        show(layout, version, count, "comparison", start, cpu, kernel, isShown);
      }
    }
  }

  private void show(
      NextHopLayout layout,
      int version,
      int count,
      String step,
      long start,
      long cpu,
      long kernel,
      boolean isShown) {
    if (isShown) {
      System.out.printf(
          "%-9s IPv%d %6d routes, %-20s %5d ms, CPU %5d ms, kernel %5d ms, %6d messages%n",
          layout,
          version,
          count,
          step,
          (System.nanoTime() - start) / 1_000_000,
          (CPU.getCurrentThreadCpuTime() - cpu) / 1_000_000,
          (kernelNanos() - kernel) / 1_000_000,
          messages);
    }
  }

  /// The kernel handles messages on the sender's thread.
  private static long kernelNanos() {
    return CPU.getCurrentThreadCpuTime() - CPU.getCurrentThreadUserTime();
  }

  private static Prefix prefix(int version, int i) {
    return Prefix.parse(
        version == 4
            ? (100 + (i >> 16)) + "." + (i >> 8 & 0xff) + "." + (i & 0xff) + ".0/24"
            : "fd01:"
                + Integer.toHexString(i >> 16)
                + ":"
                + Integer.toHexString(i & 0xffff)
                + "::/64");
  }

  private RouteSpec through(int version, int... gateways) {
    List<NextHop> hops = new ArrayList<>();
    for (int gateway : gateways) {
      hops.add(
          NextHop.via(IpAddress.parse((version == 4 ? "10.0.0." : "fd00::") + gateway), device));
    }
    return RouteSpec.through(hops);
  }

  private final class CountedRoutes implements RouteKernel {
    @Override
    public List<Route> dump(int protocol) throws LinuxException {
      return netlink.routes().dump(protocol);
    }

    @Override
    public Optional<Route> lookup(IpAddress destination) throws LinuxException {
      return netlink.routes().lookup(destination);
    }

    @Override
    public List<RouteFailure> apply(List<RouteChange> changes) throws LinuxException {
      messages += changes.size();
      return netlink.routes().apply(changes);
    }
  }

  private final class CountedObjects implements NextHopKernel {
    @Override
    public List<NextHopObject> dumpObjects(int protocol) throws LinuxException {
      return netlink.nextHopObjects().dumpObjects(protocol);
    }

    @Override
    public List<NextHopFailure> applyObjects(List<NextHopChange> changes) throws LinuxException {
      messages += changes.size();
      return netlink.nextHopObjects().applyObjects(changes);
    }
  }
}
