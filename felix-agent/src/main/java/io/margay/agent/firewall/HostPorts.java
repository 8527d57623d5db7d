package io.margay.agent.firewall;

import io.margay.agent.firewall.HostPortMove.Target;
import io.margay.linux.nft.NftElement;
import io.margay.linux.nft.NftTable;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.policy.EndpointPolicy;
import io.margay.policy.HostPort;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Ports of the node that lead to endpoints: elements of the [Layout#HOST_PORTS] maps, and the
/// chains that look them up while there are any.
///
/// Two endpoints that claim one port (CNI refuses it; a document can still say so) are told apart
/// by the name of their interface: the first has it.
final class HostPorts {

  private static final Logger LOG = LoggerFactory.getLogger(HostPorts.class);

  private final NftTable table;
  private final Map<Place, TreeMap<InterfaceName, Target>> claims = new HashMap<>();
  private final Map<IpAddress, Set<InterfaceName>> reachable = new HashMap<>();
  private final Map<Place, Optional<Target>> moved = new LinkedHashMap<>();
  private final Set<IpFamily> chained = EnumSet.noneOf(IpFamily.class);

  /// What a claim is about.
  private record Place(IpFamily family, int protocol, @Nullable IpAddress hostIp, int hostPort) {

    NftElement leadingTo(Target target) {
      return Layout.hostPort(protocol, hostIp, hostPort, target);
    }

    String map() {
      return hostIp == null ? Layout.HOST_PORTS : Layout.HOST_PORTS_AT;
    }
  }

  HostPorts(NftTable table) {
    this.table = table;
  }

  /// The endpoint behind an interface has changed.
  void replace(InterfaceName name, @Nullable EndpointPolicy before, @Nullable EndpointPolicy now) {
    Map<Place, Target> old = wanted(before);
    Map<Place, Target> wanted = wanted(now);
    if (old.equals(wanted)) {
      return;
    }
    old.forEach(
        (place, target) -> {
          if (!wanted.containsKey(place)) {
            claim(place, name, null);
          }
        });
    wanted.forEach((place, target) -> claim(place, name, target));
    old.values().forEach(target -> reach(target.address(), name, false));
    wanted.values().forEach(target -> reach(target.address(), name, true));
  }

  private static Map<Place, Target> wanted(@Nullable EndpointPolicy policy) {
    if (policy == null || policy.hostPorts().isEmpty()) {
      return Map.of();
    }
    Map<Place, Target> wanted = new LinkedHashMap<>();
    for (IpFamily family : IpFamily.values()) {
      Optional<IpAddress> address =
          policy.addresses().stream().filter(own -> own.family() == family).findFirst();
      for (HostPort port : policy.hostPorts()) {
        if (address.isPresent() && (port.hostIp() == null || port.hostIp().family() == family)) {
          wanted.putIfAbsent(
              new Place(family, port.protocol(), port.hostIp(), port.hostPort()),
              new Target(address.get(), port.port()));
        }
      }
    }
    return wanted;
  }

  private void claim(Place place, InterfaceName name, @Nullable Target target) {
    TreeMap<InterfaceName, Target> claimants = claims.computeIfAbsent(place, _ -> new TreeMap<>());
    Optional<Target> before = first(claimants);
    if (target == null) {
      claimants.remove(name);
    } else {
      claimants.put(name, target);
    }
    Optional<Target> after = first(claimants);
    if (claimants.isEmpty()) {
      claims.remove(place);
    } else if (claimants.size() > 1) {
      LOG.atWarn()
          .addKeyValue("hostPort", place)
          .addKeyValue("interfaces", claimants.keySet())
          .log("Several endpoints claim one port of the node; it leads to the first of them");
    }
    if (before.equals(after)) {
      return;
    }
    moved.putIfAbsent(place, before);
    if (after.isPresent()) {
      table.putElement(place.family(), place.map(), place.leadingTo(after.get()));
    } else {
      before.ifPresent(
          gone -> table.removeElement(place.family(), place.map(), place.leadingTo(gone).key()));
    }
  }

  private static Optional<Target> first(SortedMap<InterfaceName, Target> claimants) {
    return claimants.isEmpty() ? Optional.empty() : Optional.of(claimants.firstEntry().getValue());
  }

  /// An endpoint may reach itself by way of the node; its answers then have to go back that way.
  private void reach(IpAddress address, InterfaceName name, boolean present) {
    Set<InterfaceName> names = reachable.computeIfAbsent(address, _ -> new TreeSet<>());
    NftElement pair = Layout.hairpin(address);
    if (present) {
      names.add(name);
      table.putElement(address.family(), Layout.HAIRPIN, pair);
    } else if (names.remove(name) && names.isEmpty()) {
      table.removeElement(address.family(), Layout.HAIRPIN, pair.key());
    }
    if (names.isEmpty()) {
      reachable.remove(address);
    }
  }

  /// Sees to it that a family has the chains exactly while it has a host port: a node without any
  /// does nothing for it.
  void chain(Map<IpFamily, BaseRenderer> renderers) {
    Set<IpFamily> used = EnumSet.noneOf(IpFamily.class);
    claims.keySet().forEach(place -> used.add(place.family()));
    if (used.equals(chained)) {
      return;
    }
    renderers.forEach(
        (family, renderer) ->
            renderer
                .hostPorts()
                .forEach(
                    chain -> {
                      if (used.contains(family)) {
                        table.putChain(family, chain);
                      } else {
                        table.removeChain(family, chain.name());
                      }
                    }));
    chained.clear();
    chained.addAll(used);
  }

  /// What has moved since the last call; the kernel has it.
  List<HostPortMove> takeMoves() {
    if (moved.isEmpty()) {
      return List.of();
    }
    List<HostPortMove> moves = new ArrayList<>();
    moved.forEach(
        (place, before) -> {
          TreeMap<InterfaceName, Target> claimants = claims.get(place);
          Optional<Target> after = claimants == null ? Optional.empty() : first(claimants);
          if (!before.equals(after)) {
            moves.add(
                new HostPortMove(
                    place.family(),
                    place.protocol(),
                    place.hostIp(),
                    place.hostPort(),
                    before.orElse(null),
                    after.orElse(null)));
          }
        });
    moved.clear();
    return moves;
  }
}
