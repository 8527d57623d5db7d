package io.margay.bgp.policy;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.margay.bgp.message.RouteAttributes;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import java.lang.management.ManagementFactory;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

/// Policy is asked once for each of more than a hundred thousand attribute sets of a full table,
/// and the guard for each of its prefixes, before anything is compiled well: what it allocates is
/// what it costs.
class PolicyCostTest {

  private static final int CALLS = 20_000;

  private static long octetsPerCall(Runnable call) {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    for (int i = 0; i < CALLS; i++) {
      call.run();
    }
    long before = threads.getCurrentThreadAllocatedBytes();
    for (int i = 0; i < CALLS; i++) {
      call.run();
    }
    return (threads.getCurrentThreadAllocatedBytes() - before) / CALLS;
  }

  @Test
  void judging_an_intact_route_allocates_the_verdict_alone() {
    ImportPolicy policy =
        new ImportPolicy(
            Routes.SPEAKER,
            PeerPolicy.builder().importMode(ImportMode.ACCEPT).build(),
            Routes.source(PeerKind.EBGP, 9));
    RouteAttributes received = Routes.external(Routes.communities("65100:1"));
    assertThat(octetsPerCall(() -> policy.judge(IpFamily.IPV4, null, received)))
        .isLessThanOrEqualTo(48);
  }

  @Test
  void announcing_a_route_allocates_what_is_announced_and_little_else() {
    ExportPolicy policy =
        new ExportPolicy(
            Routes.SPEAKER,
            PeerPolicy.builder().exportMode(ExportMode.ALL).build(),
            Routes.session(PeerKind.EBGP, 20));
    RouteAttributes best = Routes.external(Routes.communities("65100:1"));
    RouteSource from = Routes.source(PeerKind.EBGP, 9);
    assertThat(octetsPerCall(() -> policy.export(IpFamily.IPV4, null, best, from)))
        .isLessThanOrEqualTo(512);
  }

  @Test
  void asking_the_guard_allocates_nothing() {
    Set<Prefix> ranges = new HashSet<>();
    for (int i = 0; i < 4_000; i++) {
      ranges.add(Prefix.parse("10." + i / 256 + "." + i % 256 + ".0/26"));
    }
    OwnRanges guard = OwnRanges.of(ranges);
    assertThat(octetsPerCall(() -> guard.overlapping(IpFamily.IPV4, 0x0b000000L, 0, 24))).isZero();
    assertThat(octetsPerCall(() -> guard.overlapping(IpFamily.IPV4, 0x0a050000L, 0, 24))).isZero();
  }
}
