package io.margay.agent.dataplane;

import io.margay.agent.firewall.FirewallManager;
import io.margay.agent.loop.Loop;
import io.margay.linux.nft.NftException;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Remembers that connections of TCP were cut at host endpoints, and has the rules drop what would
/// pick one up in its middle for so long. The kernel remembers it for the process that comes next.
///
/// Not for ever: on a node whose connections were never tracked, or whose table somebody emptied,
/// what is open begins in its middle, and must go on if policy allows it.
///
/// Belongs to the dataplane loop.
final class RecentCuts {

  /// Longer than a sender repeats what nobody acknowledges: 924 s by default (`tcp_retries2`, RFC
  /// 1122 §4.2.3.5).
  static final Duration MEMORY = Duration.ofMinutes(20);

  private static final Logger LOG = LoggerFactory.getLogger(RecentCuts.class);

  private final Loop dataplane;
  private final FirewallManager firewall;
  private final long memoryNanos;
  private boolean remembered;
  private long forgetAt;

  RecentCuts(Loop dataplane, FirewallManager firewall, Duration memory) {
    this.dataplane = dataplane;
    this.firewall = firewall;
    this.memoryNanos = memory.toNanos();
  }

  /// Takes over what a former process remembered. Before anything is written.
  ///
  /// @throws NftException if the kernel does not tell
  void adopt() throws NftException {
    if (firewall.findsMidstreamGuard()) {
      remember();
    }
  }

  /// Whether the rules that are written next, and since when this first was so, drop what comes
  /// back.
  boolean areRemembered() {
    return remembered;
  }

  /// A connection is to be cut. With the next write the kernel drops what would bring it back.
  void remember() {
    forgetAt = System.nanoTime() + memoryNanos;
    if (!remembered) {
      remembered = true;
      firewall.setMidstreamGuard(true);
      dataplane.schedule(Duration.ofNanos(memoryNanos), this::forget);
    }
  }

  private void forget() {
    long left = forgetAt - System.nanoTime();
    if (left > 0) {
      dataplane.schedule(Duration.ofNanos(left), this::forget);
      return;
    }
    remembered = false;
    firewall.setMidstreamGuard(false);
    LOG.atInfo().log(
        "no connection was cut at a host endpoint lately; those in their middle are policy's again");
  }
}
