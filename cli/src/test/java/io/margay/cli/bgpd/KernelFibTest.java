package io.margay.cli.bgpd;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.bgp.rib.Reachability;
import io.margay.bgp.speaker.FibChange;
import io.margay.bgp.speaker.FibDelta;
import io.margay.bgp.speaker.FibNextHop;
import io.margay.linux.netns.Netns;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("netns")
class KernelFibTest {

  private static final Duration DEADLINE = Duration.ofSeconds(20);
  private static final String NAME = "mgyt-fib-" + ProcessHandle.current().pid();
  private static final FibStatus.Counts NONE = new FibStatus.Counts(0, 0, 0, 0);
  private static final IpAddress ROUTER = IpAddress.parse("10.0.0.2");

  private Netns netns;
  private final AtomicReference<Map<IpAddress, Reachability>> reachable =
      new AtomicReference<>(Map.of());

  KernelFibTest() throws IOException {
    run("ip", "netns", "add", NAME);
    netns = Netns.open(Path.of("/var/run/netns", NAME));
  }

  @BeforeEach
  void links() throws IOException {
    ip("link set lo up");
    ip("link add va type veth peer name vb");
    ip("link add vc type veth peer name vd");
    for (String link : List.of("va", "vb", "vc", "vd")) {
      ip("link set " + link + " up");
    }
    ip("addr add 10.0.0.1/24 dev va");
    ip("addr add 10.0.1.1/24 dev vc");
    ip("-6 addr add fd00::1/64 dev va nodad");
  }

  @AfterEach
  void end() throws IOException {
    netns.close();
    run("ip", "netns", "del", NAME);
  }

  private KernelFib start() throws IOException {
    KernelFib fib = Netns.callIn(netns.fd(), () -> KernelFib.start(_ -> {}));
    fib.reportTo(reachable::set);
    return fib;
  }

  private Reachability of(String address) {
    return reachable.get().getOrDefault(IpAddress.parse(address), new Reachability.Unreachable());
  }

  private static FibDelta install(String prefix, FibNextHop... hops) {
    return new FibDelta(List.of(new FibChange.Install(Prefix.parse(prefix), List.of(hops))));
  }

  private static FibNextHop via(String address) {
    return new FibNextHop(IpAddress.parse(address), null);
  }

  private static String ip(String arguments) throws IOException {
    List<String> command = new ArrayList<>(List.of("ip", "-n", NAME));
    command.addAll(List.of(arguments.split(" ")));
    return run(command.toArray(String[]::new));
  }

  private static String run(String... command) throws IOException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    try {
      if (process.waitFor() != 0) {
        throw new IOException(String.join(" ", command) + ": " + output);
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new IOException(interrupted);
    }
    return output;
  }

  private static String routes(int version) {
    try {
      return ip("-" + version + " route show proto " + KernelFib.PROTOCOL)
          .lines()
          .map(line -> line.strip().replaceAll(" +", " "))
          .reduce("", (all, line) -> all + line + "\n");
    } catch (IOException failed) {
      throw new IllegalStateException(failed);
    }
  }

  private static void await(BooleanSupplier condition) {
    long deadline = System.nanoTime() + DEADLINE.toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() > deadline) {
        throw new AssertionError("not within " + DEADLINE + ": " + routes(4) + routes(6));
      }
      Thread.onSpinWait();
    }
  }

  @Test
  void routes_of_every_shape_reach_the_kernel_and_go_at_a_stop() throws IOException {
    KernelFib fib = start();
    fib.onRoutes(install("10.1.0.0/24", via("10.0.0.2")));
    fib.onRoutes(install("10.2.0.0/24", via("10.0.0.2"), via("10.0.1.2")));
    fib.onRoutes(install("10.3.0.0/24", via("fd00::2")));
    fib.onRoutes(
        install(
            "10.4.0.0/24", new FibNextHop(IpAddress.parse("fe80::9"), new InterfaceName("vc"))));
    fib.onRoutes(install("fd01::/64", via("fd00::2")));
    await(() -> routes(4).lines().count() >= 6 && !routes(6).isEmpty());
    assertThat(routes(4))
        .contains("10.1.0.0/24 via 10.0.0.2 dev va metric 1024")
        .contains("10.2.0.0/24 metric 1024")
        .contains("nexthop via 10.0.0.2 dev va weight 1")
        .contains("nexthop via 10.0.1.2 dev vc weight 1")
        .contains("10.3.0.0/24 via inet6 fd00::2 dev va")
        .contains("10.4.0.0/24 via inet6 fe80::9 dev vc");
    assertThat(routes(6)).contains("fd01::/64 via fd00::2 dev va metric 1024");
    fib.removeAll();
    assertThat(routes(4) + routes(6)).isEmpty();
  }

  @Test
  void what_a_killed_process_left_is_taken_over_and_the_rest_swept() throws IOException {
    KernelFib first = start();
    assertThat(first.hadLeftovers()).isFalse();
    first.onRoutes(install("10.1.0.0/24", via("10.0.0.2")));
    first.onRoutes(install("10.2.0.0/24", via("10.0.0.2")));
    await(() -> routes(4).lines().count() == 2);
    first.abandon();
    KernelFib second = start();
    assertThat(second.hadLeftovers()).isTrue();
    second.onRoutes(install("10.1.0.0/24", via("10.0.0.2")));
    second.onReadyToSweep(IpFamily.IPV6);
    await(() -> second.status().families().getOrDefault(IpFamily.IPV4, NONE).wanted() == 1);
    assertThat(routes(4).lines()).hasSize(2);
    second.onReadyToSweep(IpFamily.IPV4);
    await(() -> routes(4).lines().count() == 1);
    assertThat(routes(4)).startsWith("10.1.0.0/24");
    second.removeAll();
  }

  @Test
  void a_next_hop_goes_and_comes_with_its_link() throws IOException {
    KernelFib fib = start();
    fib.track(Set.of(ROUTER, IpAddress.parse("192.0.2.1")));
    await(() -> reachable.get().size() == 2);
    assertThat(reachable.get())
        .isEqualTo(
            Map.of(
                ROUTER,
                new Reachability.Reachable(0),
                IpAddress.parse("192.0.2.1"),
                new Reachability.Unreachable()));
    fib.onRoutes(install("10.1.0.0/24", via("10.0.0.2")));
    await(() -> !routes(4).isEmpty());
    ip("link set vb down");
    await(() -> reachable.get().get(ROUTER) instanceof Reachability.Unreachable);
    ip("link set vb up");
    await(() -> reachable.get().get(ROUTER) instanceof Reachability.Reachable);
    ip("link set va down");
    await(() -> reachable.get().get(ROUTER) instanceof Reachability.Unreachable);
    ip("link set va up");
    await(() -> reachable.get().get(ROUTER) instanceof Reachability.Reachable);
    await(() -> routes(4).startsWith("10.1.0.0/24 via 10.0.0.2 dev va"));
    fib.removeAll();
  }

  @Test
  void a_next_hop_behind_a_static_route_is_resolved_and_a_default_route_resolves_nothing()
      throws IOException {
    ip("route add default via 10.0.1.2");
    ip("route add 192.0.2.0/24 via 10.0.0.2 metric 5");
    KernelFib fib = start();
    fib.track(Set.of(IpAddress.parse("192.0.2.1"), IpAddress.parse("198.51.100.1")));
    await(() -> reachable.get().size() == 2);
    assertThat(reachable.get())
        .containsEntry(IpAddress.parse("192.0.2.1"), new Reachability.Reachable(6))
        .containsEntry(IpAddress.parse("198.51.100.1"), new Reachability.Unreachable());
    fib.onRoutes(install("10.1.0.0/24", via("192.0.2.1")));
    await(() -> routes(4).startsWith("10.1.0.0/24 via 10.0.0.2 dev va"));
    fib.removeAll();
  }

  @Test
  void a_route_over_a_next_hop_is_no_way_to_it() throws IOException {
    ip("route add 192.0.2.0/24 via 10.0.0.2 metric 5");
    KernelFib fib = start();
    List<Reachability> seen = new CopyOnWriteArrayList<>();
    IpAddress hop = IpAddress.parse("192.0.2.1");
    fib.reportTo(
        found -> {
          reachable.set(found);
          seen.add(found.getOrDefault(hop, new Reachability.Unreachable()));
        });
    fib.track(Set.of(hop, ROUTER));
    await(() -> of("192.0.2.1") instanceof Reachability.Reachable);
    seen.clear();
    fib.onRoutes(install("192.0.2.0/25", via("192.0.2.1")));
    fib.onRoutes(install("10.0.0.2/32", via("10.0.0.2")));
    await(() -> routes(4).lines().count() == 2);
    // Another answer comes with a look that is later than the routes.
    ip("route add 198.51.100.0/24 via 10.0.0.2 metric 7");
    fib.track(Set.of(hop, ROUTER, IpAddress.parse("198.51.100.1")));
    await(() -> of("198.51.100.1").equals(new Reachability.Reachable(8)));
    assertThat(seen).isNotEmpty().containsOnly(new Reachability.Reachable(6));
    assertThat(of("10.0.0.2")).isEqualTo(new Reachability.Reachable(0));
    ip("route del 192.0.2.0/24");
    await(() -> of("192.0.2.1") instanceof Reachability.Unreachable);
    fib.removeAll();
  }

  @Test
  void routes_of_ours_resolve_next_hops_unless_they_lead_over_them_by_way_of_others()
      throws IOException {
    ip("route add 192.0.2.0/24 via 10.0.0.2 metric 5");
    ip("route add 198.51.100.0/24 via 10.0.0.2 metric 5");
    KernelFib fib = start();
    fib.track(
        Set.of(
            IpAddress.parse("192.0.2.1"),
            IpAddress.parse("198.51.100.1"),
            IpAddress.parse("203.0.113.1")));
    fib.onRoutes(install("203.0.113.0/24", via("10.0.0.2")));
    await(() -> of("203.0.113.1").equals(new Reachability.Reachable(1 + KernelFib.METRIC)));
    fib.onRoutes(install("192.0.2.0/25", via("198.51.100.1")));
    fib.onRoutes(install("198.51.100.0/25", via("192.0.2.1")));
    await(() -> routes(4).lines().count() == 3);
    ip("route del 198.51.100.0/24");
    await(() -> of("198.51.100.1").equals(new Reachability.Reachable(1 + KernelFib.METRIC)));
    ip("route del 192.0.2.0/24");
    await(() -> of("192.0.2.1") instanceof Reachability.Unreachable);
    await(() -> of("198.51.100.1") instanceof Reachability.Unreachable);
    assertThat(of("203.0.113.1")).isInstanceOf(Reachability.Reachable.class);
    fib.removeAll();
  }
}
