package io.margay.agent.dataplane;

import io.margay.agent.firewall.FirewallManager;
import io.margay.agent.firewall.HostProtection;
import io.margay.agent.firewall.NatOutgoing;
import io.margay.agent.firewall.PacketLog;
import io.margay.agent.firewall.RuleOrigins;
import io.margay.agent.firewall.TunnelGuard;
import io.margay.agent.loop.Loop;
import io.margay.bgp.speaker.FibDelta;
import io.margay.bgp.speaker.FibListener;
import io.margay.linux.LinuxException;
import io.margay.linux.nft.NftException;
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
import io.margay.policy.HostEndpointKey;
import io.margay.policy.HostEndpointPolicy;
import io.margay.policy.PolicyUpdate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The one writer of this node's kernel state: nft tables, routes and what packets are wrapped by.
/// Owned by the dataplane loop; the public methods post to it and may be called from any thread,
/// but for [#settle].
///
/// Nothing is written before [#begin]. A write the kernel refuses is kept and tried again, when
/// something else is wished for or heard, and now and then; who waits for it goes on waiting.
public final class Dataplane implements FibListener {

  /// How soon a host endpoint follows an address of the node to another interface.
  static final Duration HOST_ADDRESSES = Duration.ofSeconds(1);

  /// How soon refused routes are tried again at the earliest, when there are [#MANY] of them: a
  /// link that is down refuses a whole table.
  private static final Duration RETRY_OF_MANY = Duration.ofSeconds(2);

  private static final int MANY = 100;

  /// How soon learned routes follow the way to a next hop that is on no link of the node.
  static final Duration GATEWAYS = Duration.ofSeconds(1);

  private static final Logger LOG = LoggerFactory.getLogger(Dataplane.class);

  private final Loop loop;
  private final FirewallManager firewall;
  private final RuleKeeper rules;
  private final RouteTable routes;
  private final RouteKeeper routeKeeper;
  private final RouteWatcher routeWatcher;
  private final RefusedRoutes refusedRoutes;
  private final LearnedRoutes learned;
  private final HostAddresses hostAddresses;
  private final PodWires pods;
  private final Retry rulesRetry;
  private final Retry routesRetry;
  private final List<Waiter> waiters = new ArrayList<>();
  private final List<Inspection> inspections = new ArrayList<>();
  private final List<Runnable> whenRouted = new ArrayList<>();
  private EndpointStatuses<EndpointKey> statuses = podStatuses(EndpointStatusListener.NONE);
  private final HostStatuses hostStatuses;
  private AppliedListener appliedListener = AppliedListener.NONE;
  private Overlay overlay = Overlay.NONE;
  private String refusedOverlay = "";
  private @Nullable BlocksWaiter blocksWaiter;
  private Optional<Set<Prefix>> toldBlocks = Optional.empty();
  private boolean begun;
  private Map<InterfaceName, Set<IpAddress>> lastHostAddresses = Map.of();
  private volatile DataplaneStatus status = DataplaneStatus.NOTHING_YET;

  /// Somebody who waits until these routes, and all rules, are in the kernel.
  private record Waiter(
      EndpointKey endpoint, Set<Prefix> routes, CompletableFuture<Void> applied) {}

  /// Somebody who wants to know what the kernel lacks of an endpoint.
  private record Inspection(EndpointKey endpoint, CompletableFuture<List<String>> faults) {}

  /// Who wants to know which of the blocks handed over last may be announced.
  private record BlocksWaiter(Set<Prefix> blocks, Consumer<Set<Prefix>> routed) {}

  /// A node whose host endpoints all have names.
  ///
  /// @param routes adopted already
  /// @param links asked on this loop only
  public Dataplane(Loop loop, FirewallManager firewall, RouteTable routes, LinkIndex links) {
    this(loop, firewall, routes, links, Map::of, RouteWatcher.NONE);
  }

  /// @param routes adopted already
  /// @param links asked on this loop only
  /// @param hostAddresses asked on this loop only, and only while a host endpoint is found by
  ///   address
  /// @param routeWatcher asked once, on this loop
  public Dataplane(
      Loop loop,
      FirewallManager firewall,
      RouteTable routes,
      LinkIndex links,
      HostAddresses hostAddresses,
      RouteWatcher routeWatcher) {
    this.loop = loop;
    this.firewall = firewall;
    this.rulesRetry = new Retry("nft", loop::schedule, System::nanoTime);
    this.routesRetry = new Retry("routes", loop::schedule, System::nanoTime);
    this.rules =
        new RuleKeeper(
            loop, firewall, rulesRetry, this::rulesRefused, () -> appliedListener.onRepaired());
    this.routes = routes;
    this.learned = new LearnedRoutes(routes, links);
    this.pods = new PodWires(routes, links, new Inspector(firewall, routes), routesRetry::refused);
    this.routeKeeper =
        new RouteKeeper(loop, routes, this::relink, routesRetry::news, this::routesRefused);
    this.routeWatcher = routeWatcher;
    this.refusedRoutes = new RefusedRoutes(routes);
    this.hostAddresses = hostAddresses;
    this.hostStatuses = new HostStatuses(firewall, links);
  }

  /// Tells from now on how each pod and each host endpoint fares.
  public void reportTo(EndpointStatusListener listener) {
    wish(
        () -> {
          statuses = podStatuses(listener);
          hostStatuses.reportTo(listener);
        });
  }

  private void wish(Runnable change) {
    wishRules(
        () -> {
          routesRetry.news();
          change.run();
        });
  }

  private void wishRules(Runnable change) {
    loop.post(
        () -> {
          rulesRetry.news();
          change.run();
        });
  }

  private void wishRoutes(Runnable change) {
    loop.post(
        () -> {
          routesRetry.news();
          change.run();
        });
  }

  private static EndpointStatuses<EndpointKey> podStatuses(EndpointStatusListener listener) {
    return new EndpointStatuses<>(listener::onStatus, listener::onGone);
  }

  /// Looks next hops up from now on that are on no link of the node.
  ///
  /// @param paths asked on this loop only
  public void resolveGateways(GatewayPaths paths) {
    wishRoutes(() -> learned.follow(paths));
  }

  /// Tells, on a thread of the kernel's watch, of each link but pods' that can't carry packets any
  /// more.
  public void tellLinkDown(Consumer<InterfaceName> listener) {
    routeKeeper.tellLinkDown(listener);
  }

  /// Tells from now on what is to be enforced, and when it is.
  public void tellApplied(AppliedListener listener) {
    loop.post(() -> appliedListener = listener);
  }

  /// Wraps packets between nodes from now on.
  public void wrapWith(Overlay wrapper) {
    wishRoutes(() -> overlay = wrapper);
  }

  /// Everything desired has been handed over once: writing may begin, and what an earlier process
  /// left of pods and blocks that are no more is removed.
  ///
  /// @param applied runs on the loop once it has been written; a route the kernel refuses does not
  ///   hold it up
  public void begin(Runnable applied) {
    wish(
        () -> {
          begun = true;
          whenRouted.add(applied);
          routes.allowSweep(RouteClass.LOCAL_WORKLOAD, RouteClass.OWN_BLOCK);
          rules.begin();
          loop.schedule(HOST_ADDRESSES, this::followHostAddresses);
          routeKeeper.begin(routeWatcher);
          loop.schedule(GATEWAYS, this::followGateways);
          loop.schedule(Overlay.RESYNC, this::resyncOverlay);
        });
  }

  /// What calc computed.
  ///
  /// @param handedIn endpoints whose waiters want to know when they are in the kernel
  public void onPolicy(List<PolicyUpdate> updates, List<HandIn> handedIn) {
    wish(
        () -> {
          updates.forEach(this::onUpdate);
          for (HandIn waiting : handedIn) {
            pods.mistrust(waiting.endpoint());
            waiters.add(
                new Waiter(
                    waiting.endpoint(), pods.prefixesOf(waiting.endpoint()), waiting.applied()));
          }
        });
  }

  /// Asks the kernel what it lacks of an endpoint once everything handed over so far is written,
  /// and repairs nothing.
  ///
  /// @return completes with a sentence for each fault
  public CompletableFuture<List<String>> inspect(EndpointKey endpoint) {
    CompletableFuture<List<String>> faults = new CompletableFuture<>();
    loop.post(() -> inspections.add(new Inspection(endpoint, faults)));
    return faults;
  }

  private List<String> faults(EndpointKey endpoint) {
    List<String> faults = new ArrayList<>(status.problem().stream().toList());
    faults.addAll(pods.faults(endpoint));
    return faults;
  }

  /// An endpoint whose caller waits.
  ///
  /// @param applied completes when its rules and routes are in the kernel, or gone from it
  public record HandIn(EndpointKey endpoint, CompletableFuture<Void> applied) {}

  private void onUpdate(PolicyUpdate update) {
    firewall.onUpdate(update);
    appliedListener.onUpdate(update);
    switch (update) {
      case PolicyUpdate.EndpointUpdated(EndpointKey key, EndpointPolicy policy) -> {
        statuses.changing(key);
        // A foreign wire's maker routes to it, and a route of ours beside that one is refused.
        pods.put(
            key,
            policy.interfaceName(),
            firewall.isForeign(policy.interfaceName()) ? List.of() : policy.addresses());
      }
      case PolicyUpdate.EndpointRemoved(EndpointKey key) -> pods.remove(key);
      case PolicyUpdate.HostEndpointUpdated(HostEndpointKey key, HostEndpointPolicy _) -> {
        readHostAddresses();
        hostStatuses.changing(key);
      }
      case PolicyUpdate.HostEndpointRemoved _ -> hostStatuses.lookAgain();
      case PolicyUpdate.SetUpdated _,
          PolicyUpdate.SetChanged _,
          PolicyUpdate.SetRemoved _,
          PolicyUpdate.PolicyUpdated _,
          PolicyUpdate.PolicyRemoved _,
          PolicyUpdate.ProfileUpdated _,
          PolicyUpdate.ProfileRemoved _ -> {}
    }
  }

  /// Blackholes for these blocks and no others.
  ///
  /// @param routed told on the loop which of them may be announced, all but those whose blackholes
  ///   the kernel refuses: with the next write, and whenever that changes, until other blocks are
  ///   handed over
  public void setBlocks(Set<Prefix> blocks, Consumer<Set<Prefix>> routed) {
    wishRoutes(
        () -> {
          Map<Prefix, RouteSpec> wanted = new HashMap<>();
          // A block of one address would be the pod's own route.
          blocks.stream()
              .filter(block -> !block.isHost())
              .forEach(block -> wanted.put(block, RouteSpec.blackhole()));
          routes.setRoutes(RouteClass.OWN_BLOCK, wanted);
          blocksWaiter = new BlocksWaiter(Set.copyOf(blocks), routed);
          toldBlocks = Optional.empty();
        });
  }

  /// Which packets leave under the node's address, and how.
  public void setNat(NatOutgoing nat) {
    wishRules(() -> firewall.setNatOutgoing(nat));
  }

  /// What keeps the node itself reachable, and what its pods may reach of it.
  public void setHostProtection(HostProtection protection) {
    wishRules(
        () -> {
          if (firewall.setHostProtection(protection)) {
            appliedListener.onHostsMoved();
          }
        });
  }

  /// From whom packets may come wrapped, and to whom the node itself sends such.
  public void setTunnelGuard(TunnelGuard guard) {
    wishRules(() -> firewall.setTunnelGuard(guard));
  }

  /// How packets are logged.
  public void setPacketLog(PacketLog log) {
    wishRules(() -> firewall.setPacketLog(log));
  }

  /// Whether endpoints may send from the prefixes that they name beside their own addresses.
  public void setMaySpoof(boolean may) {
    wishRules(() -> firewall.setMaySpoof(may));
  }

  /// Hands what the rules are written for to the taker, on the loop.
  public void tellOrigins(Consumer<RuleOrigins> taker) {
    loop.postUnlessEnded(() -> taker.accept(firewall.origins()));
  }

  /// An address that comes or goes is noticed at the next resync of the firewall.
  private void readHostAddresses() {
    if (!firewall.needsHostAddresses()) {
      return;
    }
    try {
      Map<InterfaceName, Set<IpAddress>> now = hostAddresses.read();
      if (!now.equals(lastHostAddresses)) {
        lastHostAddresses = now;
        rulesRetry.news();
        appliedListener.onHostsMoved();
      }
      firewall.setHostAddresses(now);
    } catch (LinuxException refused) {
      LOG.atWarn()
          .addKeyValue("reason", refused.getMessage())
          .log("the node's addresses can't be read; host endpoints stay where they are");
    }
  }

  @Override
  public void onRoutes(FibDelta delta) {
    wishRoutes(() -> learned.onRoutes(delta));
  }

  /// Host routes to BGP peers by these gateways, and no others; what peers say of such an address
  /// does not count until it is none of these any more.
  public void setPeerRoutes(Map<IpAddress, IpAddress> byGateway) {
    wishRoutes(() -> learned.setPeers(byGateway));
  }

  private void followGateways() {
    if (learned.lookAgain()) {
      routesRetry.news();
    }
    loop.schedule(GATEWAYS, this::followGateways);
  }

  @Override
  public void onReadyToSweep(IpFamily family) {
    wishRoutes(() -> learned.onComplete(family));
  }

  /// Brings the kernel to what is desired. Runs on the loop after each batch.
  public void settle() {
    if (begun && writeRules()) {
      writeRoutes();
    }
    inspections.forEach(asked -> asked.faults().complete(faults(asked.endpoint())));
    inspections.clear();
  }

  /// @return whether the kernel holds them: no route comes before the rules of what it leads to
  private boolean writeRules() {
    if (!rulesRetry.isDue()) {
      return false;
    }
    rulesRetry.attempting();
    boolean taken = true;
    try {
      firewall.apply();
      appliedListener.onApplied();
      hostStatuses.settled();
    } catch (NftException refused) {
      rulesRefused(refused);
      taken = false;
    }
    rulesRetry.attempted(Duration.ZERO);
    return taken;
  }

  private void writeRoutes() {
    if (overlay.hasNews()) {
      routesRetry.news();
    }
    if (!routesRetry.isDue()) {
      return;
    }
    routesRetry.attempting();
    int refused = 0;
    try {
      refused = attemptRoutes();
    } catch (LinuxException unknown) {
      routesRefused(unknown);
    }
    routesRetry.attempted(refused < MANY ? Duration.ZERO : RETRY_OF_MANY);
  }

  /// @return how many are refused
  /// @throws LinuxException when it is unknown which are
  private int attemptRoutes() throws LinuxException {
    pods.retryUnresolved();
    Optional<String> unwrapped = wrap();
    RouteApplyResult result = routes.apply();
    refusedRoutes.look(result.pending());
    Set<Prefix> pending = new HashSet<>();
    for (RouteFailure failure : result.pending()) {
      pending.add(failure.change().route().prefix());
    }
    waiters.removeIf(
        waiter -> {
          if (pods.stateOf(waiter.endpoint()) != PodWires.State.UNRESOLVED
              && Collections.disjoint(waiter.routes(), pending)) {
            waiter.applied().complete(null);
          }
          return waiter.applied().isDone();
        });
    tellBlocks(pending);
    whenRouted.forEach(Runnable::run);
    whenRouted.clear();
    status = new DataplaneStatus(pods.pods().size(), problem(result).or(() -> unwrapped));
    statuses.settled(pods.pods(), endpoint -> statusOf(endpoint, pending));
    if (!pending.isEmpty()) {
      routesRetry.refused();
    }
    return pending.size();
  }

  private void tellBlocks(Set<Prefix> pending) {
    BlocksWaiter waiter = blocksWaiter;
    if (waiter == null) {
      return;
    }
    Set<Prefix> routed =
        waiter.blocks().stream()
            .filter(block -> block.isHost() || !pending.contains(block))
            .collect(Collectors.toUnmodifiableSet());
    if (!toldBlocks.equals(Optional.of(routed))) {
      toldBlocks = Optional.of(routed);
      waiter.routed().accept(routed);
    }
  }

  /// A device that can't be made holds up no pod's own routes.
  private Optional<String> wrap() {
    try {
      Optional<String> obstacle = overlay.settle(routes);
      refusedOverlay = "";
      return obstacle;
    } catch (LinuxException refused) {
      String reason = String.valueOf(refused.getMessage());
      if (!reason.equals(refusedOverlay)) {
        refusedOverlay = reason;
        LOG.atError()
            .addKeyValue("part", "overlay")
            .addKeyValue("reason", reason)
            .log("the kernel refused a change; it is tried again, every 30 s if not sooner");
      }
      routesRetry.refused();
      return Optional.of("overlay: " + reason);
    }
  }

  private EndpointStatusListener.Status statusOf(EndpointKey endpoint, Set<Prefix> pending) {
    return switch (pods.stateOf(endpoint)) {
      case UNRESOLVED -> EndpointStatusListener.Status.ERROR;
      case UNPLUGGED -> EndpointStatusListener.Status.DOWN;
      case ROUTED ->
          Collections.disjoint(pods.prefixesOf(endpoint), pending)
              ? EndpointStatusListener.Status.UP
              : EndpointStatusListener.Status.ERROR;
    };
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

  private void rulesRefused(NftException refused) {
    String reason = String.valueOf(refused.getMessage());
    rulesRetry.refused(reason);
    routesRetry.news(); // for when the rules are taken
    hostStatuses.refused();
    refused("nft: " + reason);
  }

  private void routesRefused(LinuxException unknown) {
    String reason = String.valueOf(unknown.getMessage());
    routesRetry.refused(reason);
    refused("routes: " + reason);
  }

  private void refused(String problem) {
    status = new DataplaneStatus(pods.pods().size(), Optional.of(problem));
    statuses.refused();
  }

  private void followHostAddresses() {
    readHostAddresses();
    hostStatuses.lookAgain();
    loop.schedule(HOST_ADDRESSES, this::followHostAddresses);
  }

  /// Links came or went.
  private void relink() {
    pods.refresh();
    overlay.doubt();
  }

  private void resyncOverlay() {
    overlay.doubt();
    loop.schedule(Overlay.RESYNC, this::resyncOverlay);
  }

  /// What views show. From any thread.
  public DataplaneStatus status() {
    return status;
  }
}
