package io.margay.agent.dataplane;

import io.margay.bgp.speaker.FibChange;
import io.margay.bgp.speaker.FibDelta;
import io.margay.bgp.speaker.FibNextHop;
import io.margay.linux.route.NextHop;
import io.margay.linux.route.RouteClass;
import io.margay.linux.route.RouteSpec;
import io.margay.linux.route.RouteTable;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What BGP wants in the kernel: routes that peers announce, and those to peers behind gateways.
/// Belongs to the dataplane loop.
final class LearnedRoutes {

  private static final Logger LOG = LoggerFactory.getLogger(LearnedRoutes.class);

  private final RouteTable routes;
  private final Gateways gateways;
  private Set<Prefix> peers = Set.of();

  /// What peers say of single addresses, which counts where no peer has that address.
  private final Map<Prefix, List<FibNextHop>> hosts = new HashMap<>();

  private final Set<IpFamily> complete = EnumSet.noneOf(IpFamily.class);

  LearnedRoutes(RouteTable routes, LinkIndex links) {
    this.routes = routes;
    this.gateways = new Gateways(links);
  }

  /// Looks next hops up from now on that are on no link of the node.
  void follow(GatewayPaths paths) {
    gateways.follow(paths);
  }

  void onRoutes(FibDelta delta) {
    for (FibChange change : delta.changes()) {
      boolean counts = !peers.contains(change.prefix());
      switch (change) {
        case FibChange.Install(Prefix prefix, List<FibNextHop> hops) -> {
          if (prefix.isHost()) {
            hosts.put(prefix, hops);
          }
          if (counts) {
            install(prefix, hops);
          }
        }
        case FibChange.Withdraw(Prefix prefix) -> {
          hosts.remove(prefix);
          if (counts) {
            uninstall(prefix);
          }
        }
      }
    }
  }

  /// See [Dataplane#setPeerRoutes].
  void setPeers(Map<IpAddress, IpAddress> byGateway) {
    Map<Prefix, List<FibNextHop>> wanted = new HashMap<>();
    byGateway.forEach(
        (peer, gateway) -> wanted.put(peer.toHostPrefix(), List.of(new FibNextHop(gateway, null))));
    for (Prefix gone : peers) {
      if (wanted.containsKey(gone)) {
        continue;
      }
      List<FibNextHop> learned = hosts.get(gone);
      if (learned == null) {
        uninstall(gone);
      } else {
        install(gone, learned);
      }
    }
    peers = Set.copyOf(wanted.keySet());
    wanted.forEach(this::install);
  }

  private void uninstall(Prefix prefix) {
    gateways.forget(prefix);
    routes.remove(RouteClass.BGP, prefix);
  }

  private void install(Prefix prefix, List<FibNextHop> hops) {
    List<NextHop> found = gateways.resolve(prefix, hops);
    if (found.isEmpty()) {
      routes.remove(RouteClass.BGP, prefix);
    } else {
      routes.update(RouteClass.BGP, prefix, RouteSpec.through(found));
    }
  }

  /// Looks next hops up anew.
  ///
  /// @return whether some lead elsewhere now
  boolean lookAgain() {
    Map<Prefix, List<FibNextHop>> moved = gateways.lookAgain();
    moved.forEach(this::install);
    return !moved.isEmpty();
  }

  /// Peers have told all of a family. When they have of each, what nobody announces goes.
  void onComplete(IpFamily family) {
    complete.add(family);
    if (complete.size() == IpFamily.values().length) {
      LOG.atInfo().log(
          "peers have told all: BGP routes of an earlier process that nobody announces are"
              + " removed");
      routes.allowSweep(RouteClass.BGP);
    }
  }
}
