package io.margay.agent.dataplane;

import io.margay.agent.firewall.FirewallManager;
import io.margay.agent.firewall.NatOutgoing;
import io.margay.agent.loop.Loop;
import io.margay.bgp.speaker.FibChange;
import io.margay.bgp.speaker.FibDelta;
import io.margay.bgp.speaker.FibListener;
import io.margay.bgp.speaker.FibNextHop;
import io.margay.linux.LinuxException;
import io.margay.linux.nft.NftException;
import io.margay.linux.route.NextHop;
import io.margay.linux.route.RouteApplyResult;
import io.margay.linux.route.RouteClass;
import io.margay.linux.route.RouteFailure;
import io.margay.linux.route.RouteSpec;
import io.margay.linux.route.RouteTable;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import io.margay.policy.EndpointKey;
import io.margay.policy.EndpointPolicy;
import io.margay.policy.PolicyUpdate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The one writer of this node's kernel state: nft tables and routes. Owned by the dataplane loop;
/// the public methods post to it and may be called from any thread, but for [#settle].
///
/// Nothing is written before [#begin]. A write the kernel refuses is kept and tried again; who
/// waits for it goes on waiting.
public final class Dataplane implements FibListener {

  /// How soon a refused write is tried again.
  static final Duration RETRY = Duration.ofMillis(200);

  /// How often the kernel is compared with what it should hold. The nft part asks for one number
  /// unless somebody wrote.
  static final Duration FIREWALL_RESYNC = Duration.ofSeconds(1);

  static final Duration ROUTE_RESYNC = Duration.ofSeconds(30);

  private static final Logger LOG = LoggerFactory.getLogger(Dataplane.class);

  private static final EndpointStatusListener NOBODY =
      new EndpointStatusListener() {
        @Override
        public void onStatus(EndpointKey endpoint, Status status) {}

        @Override
        public void onGone(EndpointKey endpoint) {}
      };

  private final Loop loop;
  private final FirewallManager firewall;
  private final RouteTable routes;
  private final LinkIndex links;
  private final Map<EndpointKey, Pod> pods = new HashMap<>();
  private final Set<EndpointKey> unresolved = new HashSet<>();
  private final Set<IpFamily> swept = EnumSet.noneOf(IpFamily.class);
  private final List<Waiter> waiters = new ArrayList<>();
  private final List<Runnable> whenRouted = new ArrayList<>();
  private final Set<EndpointKey> unplugged = new HashSet<>();
  private EndpointStatuses statuses = new EndpointStatuses(NOBODY);
  private @Nullable BlocksWaiter blocksWaiter;
  private boolean begun;
  private boolean retryScheduled;
  private volatile DataplaneStatus status = DataplaneStatus.NOTHING_YET;

  /// A pod's wire, as routes need it: with the addresses that are ours to route.
  private record Pod(InterfaceName hostEnd, List<IpAddress> addresses) {}

  /// Somebody who waits until these routes, and all rules, are in the kernel.
  private record Waiter(
      EndpointKey endpoint, Set<Prefix> routes, CompletableFuture<Void> applied) {}

  /// Who waits for the blackholes handed over last.
  private record BlocksWaiter(Set<Prefix> blocks, Runnable routed) {}

  /// @param routes adopted already
  /// @param links asked on this loop only
  public Dataplane(Loop loop, FirewallManager firewall, RouteTable routes, LinkIndex links) {
    this.loop = loop;
    this.firewall = firewall;
    this.routes = routes;
    this.links = links;
  }

  /// Tells from now on how each pod fares.
  public void reportTo(EndpointStatusListener listener) {
    loop.post(() -> statuses = new EndpointStatuses(listener));
  }

  /// Everything desired has been handed over once: writing may begin, and what an earlier process
  /// left of pods and blocks that are no more is removed.
  ///
  /// @param applied runs on the loop once it has been written; a route the kernel refuses does not
  ///   hold it up
  public void begin(Runnable applied) {
    loop.post(
        () -> {
          begun = true;
          whenRouted.add(applied);
          routes.allowSweep(RouteClass.LOCAL_WORKLOAD, RouteClass.OWN_BLOCK);
          loop.schedule(FIREWALL_RESYNC, this::resyncFirewall);
          loop.schedule(ROUTE_RESYNC, this::resyncRoutes);
        });
  }

  /// What calc computed.
  ///
  /// @param handedIn endpoints whose waiters want to know when they are in the kernel
  public void onPolicy(List<PolicyUpdate> updates, List<HandIn> handedIn) {
    loop.post(
        () -> {
          updates.forEach(this::onUpdate);
          for (HandIn waiting : handedIn) {
            Pod pod = pods.get(waiting.endpoint());
            if (pod != null) {
              route(waiting.endpoint(), pod);
            }
            waiters.add(
                new Waiter(
                    waiting.endpoint(),
                    pod == null
                        ? Set.of()
                        : pod.addresses().stream()
                            .map(IpAddress::toHostPrefix)
                            .collect(Collectors.toSet()),
                    waiting.applied()));
          }
        });
  }

  /// An endpoint whose caller waits.
  ///
  /// @param applied completes when its rules and routes are in the kernel, or gone from it
  public record HandIn(EndpointKey endpoint, CompletableFuture<Void> applied) {}

  private void onUpdate(PolicyUpdate update) {
    firewall.onUpdate(update);
    switch (update) {
      case PolicyUpdate.EndpointUpdated(EndpointKey key, EndpointPolicy policy) -> {
        unroute(key);
        statuses.changing(key);
        // A foreign wire's maker routes to it, and a route of ours beside that one is refused.
        Pod pod =
            new Pod(
                policy.interfaceName(),
                firewall.isForeign(policy.interfaceName()) ? List.of() : policy.addresses());
        pods.put(key, pod);
        route(key, pod);
      }
      case PolicyUpdate.EndpointRemoved(EndpointKey key) -> unroute(key);
      case PolicyUpdate.SetUpdated _,
          PolicyUpdate.SetChanged _,
          PolicyUpdate.SetRemoved _,
          PolicyUpdate.PolicyUpdated _,
          PolicyUpdate.PolicyRemoved _,
          PolicyUpdate.ProfileUpdated _,
          PolicyUpdate.ProfileRemoved _ -> {}
    }
  }

  /// A pod whose host end is not there (the node was rebooted, its DEL is still to come) has no
  /// route.
  private void route(EndpointKey key, Pod pod) {
    OptionalInt index;
    try {
      index = links.find(pod.hostEnd());
    } catch (LinuxException refused) {
      if (unresolved.add(key)) {
        LOG.atWarn()
            .addKeyValue("interface", pod.hostEnd())
            .addKeyValue("reason", refused.getMessage())
            .log("a pod's host end can't be looked up; trying again");
      }
      retryLater();
      return;
    }
    unresolved.remove(key);
    if (index.isPresent()) {
      unplugged.remove(key);
    } else {
      unplugged.add(key);
    }
    for (IpAddress address : pod.addresses()) {
      if (index.isPresent()) {
        routes.update(
            RouteClass.LOCAL_WORKLOAD,
            address.toHostPrefix(),
            RouteSpec.toDevice(index.getAsInt()));
      } else {
        routes.remove(RouteClass.LOCAL_WORKLOAD, address.toHostPrefix());
      }
    }
  }

  /// An address that another endpoint claims too (by a fault of the datastore) is that one's from
  /// now on.
  private void unroute(EndpointKey key) {
    Pod old = pods.remove(key);
    unresolved.remove(key);
    unplugged.remove(key);
    if (old == null) {
      return;
    }
    old.addresses()
        .forEach(address -> routes.remove(RouteClass.LOCAL_WORKLOAD, address.toHostPrefix()));
    pods.forEach(
        (other, pod) -> {
          if (!Collections.disjoint(pod.addresses(), old.addresses())) {
            route(other, pod);
          }
        });
  }

  /// Blackholes for these blocks and no others.
  ///
  /// @param routed runs on the loop once they are in the kernel; not at all if other blocks are
  ///   handed over before
  public void setBlocks(Set<Prefix> blocks, Runnable routed) {
    loop.post(
        () -> {
          Map<Prefix, RouteSpec> wanted = new HashMap<>();
          // A block of one address would be the pod's own route.
          blocks.stream()
              .filter(block -> !block.isHost())
              .forEach(block -> wanted.put(block, RouteSpec.blackhole()));
          routes.setRoutes(RouteClass.OWN_BLOCK, wanted);
          blocksWaiter = new BlocksWaiter(Set.copyOf(wanted.keySet()), routed);
        });
  }

  /// Pods of `masqueraded` leave for anything outside `pools` under the node's address.
  public void setNat(List<Prefix> masqueraded, List<Prefix> pools) {
    loop.post(
        () -> firewall.setNatOutgoing(new NatOutgoing(Set.copyOf(masqueraded), Set.copyOf(pools))));
  }

  @Override
  public void onRoutes(FibDelta delta) {
    loop.post(
        () -> {
          for (FibChange change : delta.changes()) {
            switch (change) {
              case FibChange.Install(Prefix prefix, List<FibNextHop> hops) -> {
                List<NextHop> found = nextHops(hops);
                if (found.isEmpty()) {
                  routes.remove(RouteClass.BGP, prefix);
                } else {
                  routes.update(RouteClass.BGP, prefix, RouteSpec.through(found));
                }
              }
              case FibChange.Withdraw(Prefix prefix) -> routes.remove(RouteClass.BGP, prefix);
            }
          }
        });
  }

  private List<NextHop> nextHops(List<FibNextHop> hops) {
    List<NextHop> found = new ArrayList<>();
    for (FibNextHop hop : hops) {
      InterfaceName via = hop.via();
      if (via == null) {
        found.add(NextHop.via(hop.address()));
        continue;
      }
      try {
        links.find(via).ifPresent(index -> found.add(NextHop.via(hop.address(), index)));
      } catch (LinuxException refused) {
        LOG.atWarn()
            .addKeyValue("nextHop", hop)
            .addKeyValue("reason", refused.getMessage())
            .log("a next hop's interface can't be looked up; it is left out");
      }
    }
    return found;
  }

  @Override
  public void onReadyToSweep(IpFamily family) {
    loop.post(
        () -> {
          swept.add(family);
          if (swept.size() == IpFamily.values().length) {
            LOG.atInfo().log(
                "peers have told all: BGP routes of an earlier process that nobody announces are"
                    + " removed");
            routes.allowSweep(RouteClass.BGP);
          }
        });
  }

  /// Brings the kernel to what is desired. Runs on the loop after each batch.
  public void settle() {
    if (!begun) {
      return;
    }
    try {
      firewall.apply();
    } catch (NftException refused) {
      failed("nft", refused);
      return;
    }
    List.copyOf(unresolved).forEach(key -> route(key, Objects.requireNonNull(pods.get(key))));
    RouteApplyResult result;
    try {
      result = routes.apply();
    } catch (LinuxException unknown) {
      failed("routes", unknown);
      return;
    }
    Set<Prefix> pending = new HashSet<>();
    for (RouteFailure failure : result.pending()) {
      pending.add(failure.change().route().prefix());
    }
    waiters.removeIf(
        waiter -> {
          if (!unresolved.contains(waiter.endpoint())
              && Collections.disjoint(waiter.routes(), pending)) {
            waiter.applied().complete(null);
          }
          return waiter.applied().isDone();
        });
    BlocksWaiter forBlocks = blocksWaiter;
    if (forBlocks != null && Collections.disjoint(forBlocks.blocks(), pending)) {
      blocksWaiter = null;
      forBlocks.routed().run();
    }
    whenRouted.forEach(Runnable::run);
    whenRouted.clear();
    status = new DataplaneStatus(pods.size(), problem(result));
    statuses.settled(pods.keySet(), endpoint -> statusOf(endpoint, pending));
    if (!pending.isEmpty()) {
      retryLater();
    }
  }

  private EndpointStatusListener.Status statusOf(EndpointKey endpoint, Set<Prefix> pending) {
    if (unresolved.contains(endpoint)) {
      return EndpointStatusListener.Status.ERROR;
    }
    if (unplugged.contains(endpoint)) {
      return EndpointStatusListener.Status.DOWN;
    }
    return Objects.requireNonNull(pods.get(endpoint)).addresses().stream()
            .map(IpAddress::toHostPrefix)
            .anyMatch(pending::contains)
        ? EndpointStatusListener.Status.ERROR
        : EndpointStatusListener.Status.UP;
  }

  private static Optional<String> problem(RouteApplyResult result) {
    return result.pending().isEmpty()
        ? Optional.empty()
        : Optional.of(
            result.pending().size()
                + " routes are refused, the first: "
                + result.pending().getFirst().change().route()
                + ": "
                + result.pending().getFirst().cause().getMessage());
  }

  private void failed(String part, Exception refused) {
    String reason = String.valueOf(refused.getMessage());
    LOG.atError()
        .addKeyValue("part", part)
        .addKeyValue("reason", reason)
        .log("the kernel refused a change; trying again");
    status = new DataplaneStatus(pods.size(), Optional.of(part + ": " + reason));
    statuses.refused();
    retryLater();
  }

  private void retryLater() {
    if (!retryScheduled) {
      retryScheduled = true;
      loop.schedule(RETRY, () -> retryScheduled = false);
    }
  }

  private void resyncFirewall() {
    try {
      firewall.resync();
    } catch (NftException refused) {
      failed("nft", refused);
    }
    loop.schedule(FIREWALL_RESYNC, this::resyncFirewall);
  }

  private void resyncRoutes() {
    pods.forEach(this::route);
    try {
      routes.adopt();
    } catch (LinuxException refused) {
      failed("routes", refused);
    }
    loop.schedule(ROUTE_RESYNC, this::resyncRoutes);
  }

  /// What views show. From any thread.
  public DataplaneStatus status() {
    return status;
  }
}
