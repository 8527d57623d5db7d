package io.margay.bench.route;

import io.margay.linux.LinuxException;
import io.margay.linux.route.GroupedRoutes;
import io.margay.linux.route.NextHop;
import io.margay.linux.route.NextHopLayout;
import io.margay.linux.route.Route;
import io.margay.linux.route.RouteClass;
import io.margay.linux.route.RouteSpec;
import io.margay.linux.route.RouteTable;
import io.margay.linux.route.Rtnetlink;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// How many flows over living next hops are moved when another one is lost, and when it returns, in
/// each layout, in the namespace it runs in, which has a device `up0` with 10.0.0.1/24. Whose way a
/// flow takes is what `ip route get` says. Arguments: number of flows, a directory.
public final class FlowMoveBench {

  private static final Prefix REMOTE = Prefix.parse("100.64.0.0/16");
  private static final Pattern WAY = Pattern.compile("via (\\S+)");

  private FlowMoveBench() {}

  /// Runs it and prints a line for each layout and number of next hops.
  public static void main(String[] arguments)
      throws LinuxException, IOException, InterruptedException {
    int flows = Integer.parseInt(arguments[0]);
    Path questions = Path.of(arguments[1]).resolve("flows");
    StringBuilder lines = new StringBuilder();
    for (int i = 0; i < flows; i++) {
      lines.append("route get 100.64.").append(i >> 8).append('.').append(i & 0xff).append('\n');
    }
    Files.writeString(questions, lines);
    try (Rtnetlink netlink = Rtnetlink.open()) {
      int device = netlink.links().find(new InterfaceName("up0")).orElseThrow().index();
      for (int hops : List.of(2, 3, 4)) {
        for (NextHopLayout layout : NextHopLayout.values()) {
          RouteTable table =
              new RouteTable(GroupedRoutes.of(netlink, Route.OUR_PROTOCOL, layout), _ -> false);
          table.adopt();
          List<String> before = ways(table, questions, device, hops);
          List<String> after = ways(table, questions, device, hops - 1);
          List<String> again = ways(table, questions, device, hops);
          table.setRoutes(RouteClass.BGP, Map.of());
          table.apply();
          String lost = "10.0.0." + (hops + 1);
          long living = before.stream().filter(way -> !way.equals(lost)).count();
          System.out.printf(
              "%-9s %d next hops, %d flows: %4d of %d over living ones moved by a loss,"
                  + " %4d of %d by the return%n",
              layout,
              hops,
              flows,
              moved(before, after, lost),
              living,
              moved(after, again, lost),
              flows);
        }
      }
    }
  }

  private static long moved(List<String> before, List<String> after, String lost) {
    long moved = 0;
    for (int i = 0; i < before.size(); i++) {
      if (!before.get(i).equals(lost) && !before.get(i).equals(after.get(i))) {
        moved++;
      }
    }
    return moved;
  }

  /// Over how many next hops the route leads, and then which way each flow takes.
  private static List<String> ways(RouteTable table, Path questions, int device, int hops)
      throws LinuxException, IOException, InterruptedException {
    List<NextHop> gateways = new ArrayList<>();
    for (int i = 0; i < hops; i++) {
      gateways.add(NextHop.via(IpAddress.parse("10.0.0." + (i + 2)), device));
    }
    table.update(RouteClass.BGP, REMOTE, RouteSpec.through(gateways));
    if (!table.apply().pending().isEmpty()) {
      throw new IllegalStateException("the kernel refused the route");
    }
    Process ip = new ProcessBuilder("ip", "-o", "-batch", questions.toString()).start();
    String answers = new String(ip.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (ip.waitFor() != 0) {
      throw new IOException("ip -batch " + questions + " exited with " + ip.exitValue());
    }
    List<String> ways = new ArrayList<>();
    Matcher matcher = WAY.matcher(answers);
    while (matcher.find()) {
      ways.add(matcher.group(1));
    }
    return ways;
  }
}
