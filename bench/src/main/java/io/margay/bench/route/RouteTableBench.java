package io.margay.bench.route;

import io.margay.linux.LinuxException;
import io.margay.linux.route.Link;
import io.margay.linux.route.NextHop;
import io.margay.linux.route.RouteApplyResult;
import io.margay.linux.route.RouteClass;
import io.margay.linux.route.RouteSpec;
import io.margay.linux.route.RouteTable;
import io.margay.linux.route.RouteWatch;
import io.margay.linux.route.Rtnetlink;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;

/// The agent's table of routes against the kernel of the namespace it runs in, which has a device
/// `up0` with 10.0.0.1/24: the first load, a comparison that finds nothing, a change of some, and
/// what strangers' routes cost. Beside it, `ip -batch` of the same routes. Arguments: number of
/// routes, number of strangers' routes, a directory.
public final class RouteTableBench {

  private RouteTableBench() {}

  /// Runs it and prints a line each.
  public static void main(String[] arguments)
      throws LinuxException, IOException, InterruptedException {
    int count = Integer.parseInt(arguments[0]);
    int strangers = Integer.parseInt(arguments[1]);
    Path directory = Path.of(arguments[2]);
    PrintStream out = System.out;
    try (Rtnetlink netlink = Rtnetlink.open()) {
      int device = netlink.links().find(new InterfaceName("up0")).orElseThrow().index();
      Counter heard = new Counter();
      try (RouteWatch _ = netlink.watchRoutes(heard)) {
        RouteTable table = new RouteTable(netlink.routes(), _ -> false);
        table.adopt();
        Map<Prefix, RouteSpec> wanted = new HashMap<>();
        for (int i = 0; i < count; i++) {
          wanted.put(prefix(100, i), through(device, 2, 3));
        }
        long start = System.nanoTime();
        table.setRoutes(RouteClass.BGP, wanted);
        RouteApplyResult loaded = table.apply();
        report(out, "load of " + loaded.added() + " routes over two next hops", start);

        start = System.nanoTime();
        RouteApplyResult same = table.resync();
        report(out, "comparison, " + same.writes() + " written", start);

        start = System.nanoTime();
        for (int i = 0; i < 1000; i++) {
          table.update(RouteClass.BGP, prefix(100, i), through(device, 3));
        }
        RouteApplyResult changed = table.apply();
        report(out, "change of " + changed.replaced() + " routes", start);

        Path batch = directory.resolve("strangers");
        batch(batch, 20, strangers, "proto static");
        start = System.nanoTime();
        ip(batch);
        report(out, "ip -batch of " + strangers + " strangers' routes", start);
        start = System.nanoTime();
        same = table.resync();
        report(out, "comparison beside them, " + same.writes() + " written", start);
        out.println("notices heard of all this: " + heard.told.sum());

        start = System.nanoTime();
        table.setRoutes(RouteClass.BGP, Map.of());
        report(out, "removal of " + table.apply().deleted() + " routes", start);
      }
      Path batch = directory.resolve("peer");
      batch(batch, 100, count, "proto 118");
      long start = System.nanoTime();
      ip(batch);
      report(out, "ip -batch of " + count + " routes over two next hops", start);
    }
  }

  private static Prefix prefix(int first, int i) {
    int high = i >> 10;
    return Prefix.parse(
        (first + (high >> 8))
            + "."
            + (high & 0xff)
            + "."
            + (i >> 2 & 0xff)
            + "."
            + (i & 3) * 64
            + "/26");
  }

  private static RouteSpec through(int device, int... gateways) {
    List<NextHop> hops = new ArrayList<>();
    for (int gateway : gateways) {
      hops.add(NextHop.via(IpAddress.parse("10.0.0." + gateway), device));
    }
    return RouteSpec.through(hops);
  }

  private static void batch(Path file, int first, int count, String protocol) throws IOException {
    StringBuilder lines = new StringBuilder();
    for (int i = 0; i < count; i++) {
      lines
          .append("route add ")
          .append(prefix(first, i))
          .append(' ')
          .append(protocol)
          .append(" nexthop via 10.0.0.2 dev up0 nexthop via 10.0.0.3 dev up0\n");
    }
    Files.writeString(file, lines);
  }

  private static void ip(Path batch) throws IOException, InterruptedException {
    Process process = new ProcessBuilder("ip", "-batch", batch.toString()).inheritIO().start();
    if (process.waitFor() != 0) {
      throw new IOException("ip -batch " + batch + " exited with " + process.exitValue());
    }
  }

  private static void report(PrintStream out, String what, long start) {
    out.printf("%s: %d ms%n", what, (System.nanoTime() - start) / 1_000_000);
  }

  private static final class Counter implements RouteWatch.Events {
    private final LongAdder told = new LongAdder();

    @Override
    public void onRoute(Prefix prefix) {
      told.increment();
    }

    @Override
    public void onNextHop() {
      told.increment();
    }

    @Override
    public void onLink(Link link, boolean wasDown) {}

    @Override
    public void onLoss(String reason) {
      told.increment();
    }
  }
}
