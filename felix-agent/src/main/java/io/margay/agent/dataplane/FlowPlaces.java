package io.margay.agent.dataplane;

import io.margay.agent.firewall.FlowSuspects;
import io.margay.agent.firewall.Surroundings;
import io.margay.agent.firewall.Ways;
import io.margay.linux.LinuxException;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/// Where connections come and go, as rounds of [FlowReevaluation] see it: each address is looked up
/// once a round, and only if a rule may ask for it. Belongs to the dataplane loop.
final class FlowPlaces {

  private final FlowSuspects suspects;
  private final NodeNetwork network;

  FlowPlaces(FlowSuspects suspects, NodeNetwork network) {
    this.suspects = suspects;
    this.network = network;
  }

  /// @throws LinuxException if the kernel does not tell
  Surroundings around(FlowRound round) throws LinuxException {
    Set<IpAddress> own = round.own;
    if (own == null) {
      own = network.own().read();
      round.own = own;
      if (suspects.hasHosts()) {
        round.holders = holders(network.held().read());
        round.virtual = network.virtual().read();
      }
    }
    return new Surroundings(
        own,
        round.holders,
        round.virtual,
        address -> suspects.isJudgedByWay(address) ? ways(round, address) : workload(address),
        address -> ways(round, address));
  }

  private static Map<IpAddress, Set<InterfaceName>> holders(
      Map<InterfaceName, Set<IpAddress>> held) {
    Map<IpAddress, Set<InterfaceName>> holders = new HashMap<>();
    held.forEach(
        (name, addresses) ->
            addresses.forEach(
                address -> holders.computeIfAbsent(address, _ -> new HashSet<>()).add(name)));
    return holders;
  }

  private Set<InterfaceName> workload(IpAddress address) {
    InterfaceName own = suspects.interfaceOf(address);
    return own == null ? Set.of() : Set.of(own);
  }

  private Set<InterfaceName> ways(FlowRound round, IpAddress address) throws LinuxException {
    Set<InterfaceName> own = workload(address);
    if (!own.isEmpty()) {
      return own;
    }
    Set<InterfaceName> known = round.ways.get(address);
    if (known == null) {
      Ways routing = round.routing;
      if (routing == null) {
        routing = network.routing().read();
        round.routing = routing;
      }
      known = routing.to(address);
      round.ways.put(address, known);
    }
    return known;
  }
}
