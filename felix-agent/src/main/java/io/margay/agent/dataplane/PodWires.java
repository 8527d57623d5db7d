package io.margay.agent.dataplane;

import io.margay.linux.LinuxException;
import io.margay.linux.route.RouteClass;
import io.margay.linux.route.RouteSpec;
import io.margay.linux.route.RouteTable;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import io.margay.policy.EndpointKey;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The routes to this node's pods. Belongs to the dataplane loop.
final class PodWires {

  private static final Logger LOG = LoggerFactory.getLogger(PodWires.class);

  private final RouteTable routes;
  private final LinkIndex links;
  private final Inspector inspector;
  private final Runnable retryLater;

  /// The one handed over last comes last.
  private final Map<EndpointKey, Wire> wires = new LinkedHashMap<>();

  /// Who has an address; more than one by a fault of the datastore. Of those whose host end is
  /// there, the one handed over last is routed to.
  private final Map<IpAddress, Set<EndpointKey>> claims = new HashMap<>();

  private final Set<EndpointKey> unresolved = new HashSet<>();

  /// The numbers of the host ends that are there.
  private final Map<EndpointKey, Integer> indexes = new HashMap<>();

  /// A pod's wire, as routes need it: with the addresses that are ours to route.
  private record Wire(InterfaceName hostEnd, List<IpAddress> addresses) {

    Set<Prefix> prefixes() {
      return addresses.stream().map(IpAddress::toHostPrefix).collect(Collectors.toSet());
    }
  }

  /// How a pod's wire is.
  enum State {
    ROUTED,
    /// Its host end can't be looked up; that is tried again.
    UNRESOLVED,
    /// Its host end is not there (the node was rebooted, its DEL is still to come): no route.
    UNPLUGGED
  }

  /// @param retryLater asks for another settling
  PodWires(RouteTable routes, LinkIndex links, Inspector inspector, Runnable retryLater) {
    this.routes = routes;
    this.links = links;
    this.inspector = inspector;
    this.retryLater = retryLater;
  }

  Set<EndpointKey> pods() {
    return Collections.unmodifiableSet(wires.keySet());
  }

  State stateOf(EndpointKey pod) {
    if (unresolved.contains(pod)) {
      return State.UNRESOLVED;
    }
    return indexes.containsKey(pod) ? State.ROUTED : State.UNPLUGGED;
  }

  /// What a pod's routes lead to; nothing for an unknown one.
  Set<Prefix> prefixesOf(EndpointKey pod) {
    Wire wire = wires.get(pod);
    return wire == null ? Set.of() : wire.prefixes();
  }

  void put(EndpointKey pod, InterfaceName hostEnd, List<IpAddress> addresses) {
    remove(pod);
    Wire wire = new Wire(hostEnd, addresses);
    wires.put(pod, wire);
    for (IpAddress address : addresses) {
      claims.computeIfAbsent(address, _ -> new LinkedHashSet<>()).add(pod);
    }
    route(pod, wire);
  }

  /// Looks its host end up again. Whoever asks for that may do so because something of the pod is
  /// gone from the kernel.
  void mistrust(EndpointKey pod) {
    Wire wire = wires.get(pod);
    if (wire == null) {
      return;
    }
    List<String> faults = routeFaults(pod, wire);
    if (!faults.isEmpty() && hasCarrier(wire)) {
      // It may have come since.
      faults = routeFaults(pod, wire);
    } else {
      faults = List.of();
    }
    if (!faults.isEmpty()) {
      LOG.atWarn()
          .addKeyValue("endpoint", pod)
          .addKeyValue("interface", wire.hostEnd())
          .addKeyValue("fault", faults.getFirst())
          .log("the kernel's route to a pod is not as written; all of ours are read again");
      routes.doubt();
    }
    route(pod, wire);
  }

  private List<String> routeFaults(EndpointKey pod, Wire wire) {
    return indexes.containsKey(pod) ? inspector.routeFaults(wire.addresses()) : List.of();
  }

  /// The kernel shows no way over a device without one, written or not: its ADD is still at work on
  /// the pod's end.
  private boolean hasCarrier(Wire wire) {
    try {
      return links.hasCarrier(wire.hostEnd());
    } catch (LinuxException refused) {
      return true;
    }
  }

  void retryUnresolved() {
    for (EndpointKey pod : List.copyOf(unresolved)) {
      Wire wire = wires.get(pod);
      if (wire != null) {
        route(pod, wire);
      }
    }
  }

  /// Looks every host end up again.
  void refresh() {
    wires.forEach(this::route);
  }

  private void route(EndpointKey pod, Wire wire) {
    OptionalInt index;
    try {
      index = links.find(wire.hostEnd());
    } catch (LinuxException refused) {
      if (unresolved.add(pod)) {
        LOG.atWarn()
            .addKeyValue("interface", wire.hostEnd())
            .addKeyValue("reason", refused.getMessage())
            .log("a pod's host end can't be looked up; trying again");
      }
      retryLater.run();
      return;
    }
    unresolved.remove(pod);
    if (index.isPresent()) {
      indexes.put(pod, index.getAsInt());
    } else {
      indexes.remove(pod);
    }
    wire.addresses().forEach(this::route);
  }

  private void route(IpAddress address) {
    Prefix prefix = address.toHostPrefix();
    Integer last = null;
    for (EndpointKey claimant : claims.getOrDefault(address, Set.of())) {
      Integer index = indexes.get(claimant);
      if (index != null) {
        last = index;
      }
    }
    if (last != null) {
      routes.update(RouteClass.LOCAL_WORKLOAD, prefix, RouteSpec.toDevice(last));
    } else {
      routes.remove(RouteClass.LOCAL_WORKLOAD, prefix);
    }
  }

  /// An address that another endpoint claims too is that one's from now on.
  void remove(EndpointKey pod) {
    Wire old = wires.remove(pod);
    unresolved.remove(pod);
    indexes.remove(pod);
    if (old == null) {
      return;
    }
    for (IpAddress address : old.addresses()) {
      claims.computeIfPresent(
          address,
          (_, claimants) -> {
            claimants.remove(pod);
            return claimants.isEmpty() ? null : claimants;
          });
      route(address);
    }
  }

  /// What the kernel lacks of a pod, a sentence each.
  List<String> faults(EndpointKey pod) {
    Wire wire = wires.get(pod);
    if (wire == null) {
      return List.of("the node has no rules for " + pod);
    }
    List<String> faults = new ArrayList<>();
    if (stateOf(pod) == State.UNPLUGGED) {
      faults.add("host interface " + wire.hostEnd() + " had no route when it was last looked for");
    }
    faults.addAll(inspector.routeFaults(wire.addresses()));
    faults.addAll(inspector.ruleFaults());
    return faults;
  }
}
