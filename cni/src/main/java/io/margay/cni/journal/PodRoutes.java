package io.margay.cni.journal;

import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// How packets leave a pod, as far as that differs from pod to pod.
///
/// @param gateways the next hop that goes with an address, where another IPAM plugin names one;
///   ours otherwise
/// @param hasDefault whether everything goes that way (Calico's `include_default_routes`)
/// @param further destinations that do so in any case
/// @param isRouter whether the pod forwards packets of others (Calico's
///   `container_settings.allow_ip_forwarding`)
/// @param sources where it may send from beside its own addresses (Calico's annotation
///   `allowedSourcePrefixes`)
public record PodRoutes(
    Map<IpAddress, IpAddress> gateways,
    boolean hasDefault,
    List<Prefix> further,
    boolean isRouter,
    List<Prefix> sources) {

  public static final PodRoutes USUAL = new PodRoutes(Map.of(), true, List.of(), false);

  public PodRoutes {
    gateways = Map.copyOf(gateways);
    further = List.copyOf(further);
    sources = List.copyOf(sources);
  }

  /// Of a pod that sends from its own addresses alone.
  public PodRoutes(
      Map<IpAddress, IpAddress> gateways,
      boolean hasDefault,
      List<Prefix> further,
      boolean isRouter) {
    this(gateways, hasDefault, further, isRouter, List.of());
  }

  /// The next hop of a family: that of the first address which has one.
  public Optional<IpAddress> gateway(IpFamily family, List<IpAddress> addresses) {
    return addresses.stream()
        .filter(address -> address.family() == family && gateways.containsKey(address))
        .map(gateways::get)
        .findFirst();
  }

  /// Where packets of a family may go, all through its next hop.
  public List<Prefix> destinations(IpFamily family) {
    List<Prefix> destinations = new ArrayList<>();
    if (hasDefault) {
      destinations.add(everywhere(family));
    }
    for (Prefix prefix : further) {
      if (prefix.family() == family && !destinations.contains(prefix)) {
        destinations.add(prefix);
      }
    }
    return destinations;
  }

  private static Prefix everywhere(IpFamily family) {
    return switch (family) {
      case IPV4 -> Prefix.parse("0.0.0.0/0");
      case IPV6 -> Prefix.parse("::/0");
    };
  }

  /// Routes that the plugin which gave the addresses wants as well.
  public PodRoutes with(Map<IpAddress, IpAddress> named, List<Prefix> wanted) {
    return new PodRoutes(named, hasDefault, wanted, isRouter, sources);
  }
}
