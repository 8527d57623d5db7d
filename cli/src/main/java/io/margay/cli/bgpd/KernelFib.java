package io.margay.cli.bgpd;

import io.margay.bgp.rib.Reachability;
import io.margay.bgp.speaker.FibChange;
import io.margay.bgp.speaker.FibDelta;
import io.margay.bgp.speaker.FibListener;
import io.margay.bgp.speaker.FibNextHop;
import io.margay.bgp.speaker.NextHopTracker;
import io.margay.linux.LinuxException;
import io.margay.linux.netlink.NetlinkListener;
import io.margay.linux.netlink.NetlinkMessage;
import io.margay.linux.netlink.NetlinkSocket;
import io.margay.linux.route.BulkRoutes;
import io.margay.linux.route.Link;
import io.margay.linux.route.RouteFailure;
import io.margay.linux.route.Rtnetlink;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The speaker's best routes in the kernel's main table, and what the kernel knows of next hops.
///
/// The loop `bgpd-fib` owns all of it. It takes everything in that is waiting, writes one batch,
/// and so on: what arrives faster than the kernel takes it coalesces here instead of queueing.
final class KernelFib implements FibListener, NextHopTracker {

  /// The origin of bgpd's routes (`ip route show proto 119`). Nobody's in `rtnetlink.h` or in
  /// iproute2's `rt_protos`; the agent's is 117.
  static final int PROTOCOL = 119;

  /// As large as the kernel's own default for IPv6: whatever else leads to a prefix wins over what
  /// peers say of it.
  static final int METRIC = 1024;

  /// Routes written before the loop looks at what has arrived: about 10 ms.
  private static final int BATCH_ROUTES = 1_000;

  /// Pause before refused routes are tried again, and next hops are looked at again.
  private static final Duration RETRY = Duration.ofSeconds(1);

  /// Pause after a change of links, so that a burst of them is one.
  private static final Duration LINK_SETTLE = Duration.ofMillis(20);

  /// Least pause between two comparisons with the kernel, and as a multiple of what one takes.
  private static final Duration COMPARE = Duration.ofSeconds(30);

  private static final int COMPARE_SHARE = 50;

  /// Longest time that removing all routes may take, at a stop.
  private static final Duration CLEAR_TIMEOUT = Duration.ofSeconds(60);

  private static final Logger LOG = LoggerFactory.getLogger(KernelFib.class);

  private final Rtnetlink rtnetlink;
  private final KernelPaths paths;
  private final BulkRoutes<List<FibNextHop>> routes;
  private final Consumer<Throwable> failed;
  private final BlockingQueue<Runnable> posted = new LinkedBlockingQueue<>();
  private final CountDownLatch ended = new CountDownLatch(1);
  private final boolean hadLeftovers;
  private NetlinkListener listener;
  private Set<IpAddress> tracked = Set.of();
  private Map<IpAddress, Reachability> told = Map.of();
  private Consumer<Map<IpAddress, Reachability>> reachability = _ -> {};
  private volatile Set<Integer> devices = Set.of();
  private volatile FibStatus status = FibStatus.NOTHING_YET;
  private long nextRetry;
  private long nextCompare;
  private boolean linksMoved;
  private boolean routesMayBeGone;
  private long refusedLogged = Long.MIN_VALUE;
  private boolean stopping;
  private boolean removing;

  /// Reads what an earlier process left, without changing it.
  ///
  /// @param failed told when a bug ends the loop, once, on the loop
  static KernelFib start(Consumer<Throwable> failed) throws LinuxException {
    Rtnetlink rtnetlink = Rtnetlink.open();
    KernelFib fib;
    try {
      fib = new KernelFib(rtnetlink, failed);
    } catch (LinuxException refused) {
      rtnetlink.close();
      throw refused;
    }
    Thread.ofPlatform().name("bgpd-fib").daemon().start(fib::run);
    return fib;
  }

  private KernelFib(Rtnetlink rtnetlink, Consumer<Throwable> failed) throws LinuxException {
    this.rtnetlink = rtnetlink;
    this.failed = failed;
    paths = new KernelPaths(rtnetlink, this::wantedHops);
    routes = new BulkRoutes<>(rtnetlink.routes(), PROTOCOL, METRIC, paths::resolve);
    routes.adopt();
    int leftovers = 0;
    for (IpFamily family : IpFamily.values()) {
      leftovers += routes.leftovers(family);
    }
    hadLeftovers = leftovers > 0;
    if (hadLeftovers) {
      LOG.atInfo()
          .addKeyValue("routes", leftovers)
          .log("an earlier bgpd left routes; they forward until its neighbors have told all");
    }
    listener =
        NetlinkListener.start(
            "bgpd",
            NetlinkSocket.ROUTE,
            List.of(
                NetlinkListener.RTNLGRP_LINK,
                NetlinkListener.RTNLGRP_IPV4_IFADDR,
                NetlinkListener.RTNLGRP_IPV6_IFADDR),
            new LinkEvents());
  }

  private Optional<List<FibNextHop>> wantedHops(Prefix prefix) {
    return routes.wantedHops(prefix);
  }

  /// Whether an earlier process left routes: whether this start is a restart.
  boolean hadLeftovers() {
    return hadLeftovers;
  }

  /// How far the kernel is. From any thread.
  FibStatus status() {
    return status;
  }

  /// Where findings about next hops go.
  void reportTo(Consumer<Map<IpAddress, Reachability>> sink) {
    posted.add(
        () -> {
          reachability = sink;
          told = Map.of();
          look();
        });
  }

  @Override
  public void onRoutes(FibDelta delta) {
    posted.add(
        () -> {
          for (FibChange change : delta.changes()) {
            switch (change) {
              case FibChange.Install(Prefix prefix, List<FibNextHop> hops) ->
                  routes.want(prefix, hops);
              case FibChange.Withdraw(Prefix prefix) -> routes.unwant(prefix);
            }
          }
        });
  }

  @Override
  public void onReadyToSweep(IpFamily family) {
    posted.add(
        () -> {
          if (routes.leftovers(family) > 0) {
            LOG.atInfo()
                .addKeyValue("family", family)
                .addKeyValue("routes", routes.leftovers(family))
                .log("routes of an earlier bgpd that no neighbor confirmed are removed");
          }
          routes.allowSweep(family);
        });
  }

  @Override
  public void track(Set<IpAddress> nextHops) {
    posted.add(
        () -> {
          tracked = nextHops;
          look();
        });
  }

  /// Ends the loop and leaves the routes as they are.
  void abandon() {
    posted.add(() -> stopping = true);
    awaitEnd(COMPARE);
  }

  /// Removes all routes of ours, then ends the loop.
  void removeAll() {
    posted.add(
        () -> {
          stopping = true;
          removing = true;
          routes.clear();
        });
    if (!awaitEnd(CLEAR_TIMEOUT)) {
      LOG.atError()
          .addKeyValue("timeout", CLEAR_TIMEOUT)
          .log("not all routes were removed in time; `ip route flush proto 119` removes the rest");
    }
  }

  private boolean awaitEnd(Duration atMost) {
    try {
      return ended.await(atMost.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  private void run() {
    try {
      nextRetry = System.nanoTime() + RETRY.toNanos();
      nextCompare = System.nanoTime() + COMPARE.toNanos();
      takeIn();
      while (!stopping || (removing && routes.hasWork())) {
        onTime();
        write();
        takeIn();
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException | Error bug) {
      LOG.atError().setCause(bug).log("the kernel route loop ends on a bug");
      failed.accept(bug);
    } finally {
      listener.close();
      rtnetlink.close();
      ended.countDown();
    }
  }

  /// Runs what was posted; waits for something only when there is nothing to write.
  private void takeIn() throws InterruptedException {
    if (!routes.hasWork() && !stopping) {
      Runnable first = posted.poll(untilNext(), TimeUnit.NANOSECONDS);
      if (first != null) {
        first.run();
      }
    }
    List<Runnable> all = new ArrayList<>();
    posted.drainTo(all);
    all.forEach(Runnable::run);
  }

  private long untilNext() {
    long pause = linksMoved ? LINK_SETTLE.toNanos() : nextRetry - System.nanoTime();
    return Math.max(0, pause);
  }

  private void onTime() {
    if (linksMoved) {
      linksMoved = false;
      paths.forgetAll();
      look();
    }
    if (System.nanoTime() - nextRetry >= 0) {
      nextRetry = System.nanoTime() + RETRY.toNanos();
      look();
      routes.retry();
    }
    if (System.nanoTime() - nextCompare >= 0) {
      routesMayBeGone = true;
    }
  }

  /// Asks the kernel again how next hops are reached, and tells the speaker what changed.
  private void look() {
    paths.forget();
    routes.linksChanged();
    Map<IpAddress, Reachability> found = new HashMap<>();
    for (IpAddress nextHop : tracked) {
      found.put(
          nextHop,
          paths
              .path(nextHop)
              .<Reachability>map(path -> new Reachability.Reachable(path.metric()))
              .orElseGet(Reachability.Unreachable::new));
    }
    devices = Set.copyOf(paths.devices());
    if (!found.equals(told)) {
      told = found;
      reachability.accept(found);
    }
  }

  private void write() throws InterruptedException {
    try {
      if (routesMayBeGone) {
        routesMayBeGone = false;
        long began = System.nanoTime();
        routes.adopt();
        long took = System.nanoTime() - began;
        nextCompare = System.nanoTime() + Math.max(COMPARE.toNanos(), COMPARE_SHARE * took);
      }
      List<RouteFailure> refused = routes.hasWork() ? routes.apply(BATCH_ROUTES) : List.of();
      if (!refused.isEmpty()) {
        logRefused(refused);
      }
      status = FibStatus.of(routes);
    } catch (LinuxException unknown) {
      LOG.atError()
          .addKeyValue("reason", unknown.getMessage())
          .log("the kernel's routes can't be read or written; trying again");
      Thread.sleep(RETRY);
    }
  }

  private void logRefused(List<RouteFailure> refused) {
    long now = System.nanoTime();
    if (refusedLogged == Long.MIN_VALUE || now - refusedLogged > COMPARE.toNanos()) {
      refusedLogged = now;
      RouteFailure first = refused.getFirst();
      LOG.atWarn()
          .addKeyValue("routes", refused.size())
          .addKeyValue("first", first.change().route())
          .addKeyValue("reason", first.cause().getMessage())
          .log("the kernel refuses routes; they are tried again every second");
    }
  }

  /// On the listener's thread. A device of ours that went down or away took routes along without a
  /// word; any change may change how a next hop is reached.
  private final class LinkEvents implements NetlinkListener.Events {

    private static final int DELLINK = 17;
    private static final int NEWLINK = 16;

    @Override
    public void onMessage(NetlinkMessage message) {
      boolean isLink = message.type() == NEWLINK || message.type() == DELLINK;
      boolean takesRoutes = false;
      if (isLink) {
        try {
          Link link = Link.parse(message);
          if (!devices.contains(link.index())) {
            return; // a pod's, and a rack has many
          }
          takesRoutes = message.type() == DELLINK || !link.isUp();
        } catch (LinuxException unreadable) {
          takesRoutes = true;
        }
      }
      moved(takesRoutes);
    }

    private void moved(boolean takesRoutes) {
      posted.add(
          () -> {
            linksMoved = true;
            routesMayBeGone |= takesRoutes;
          });
    }

    @Override
    public void onOverrun() {
      moved(true);
    }

    @Override
    public void onFailure(LinuxException cause) {
      LOG.atError()
          .addKeyValue("reason", cause.getMessage())
          .log("changes of links are no longer heard of; they are noticed within a second");
    }
  }
}
