package io.margay.cni.spec;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.margay.model.net.IpAddress;
import io.margay.model.net.MacAddress;
import io.margay.model.net.Prefix;
import java.util.List;
import java.util.Optional;

/// What ADD answers, in the terms of the newest version; {@link #toJson} writes it in the one asked
/// for.
///
/// @param interfaces by our convention the host end first, then the pod's
/// @param ips the addresses
/// @param routes of the pod
/// @param dns for the pod's resolver
public record CniResult(List<Interface> interfaces, List<Ip> ips, List<Route> routes, Dns dns) {

  /// An ip that names no interface.
  public static final int NO_INTERFACE = -1;

  public CniResult {
    interfaces = List.copyOf(interfaces);
    ips = List.copyOf(ips);
    routes = List.copyOf(routes);
  }

  public CniResult(List<Interface> interfaces, List<Ip> ips, List<Route> routes) {
    this(interfaces, ips, routes, Dns.NONE);
  }

  /// @param mac as the runtime wrote it: foreign plugins leave it empty
  /// @param mtu in octets; 0 when unknown
  /// @param sandbox path of the pod's namespace; empty for an interface of the host
  public record Interface(String name, Optional<MacAddress> mac, int mtu, String sandbox) {}

  /// @param address with its host bits
  /// @param length of the prefix
  /// @param gateway of a foreign plugin; ours are in the routes
  /// @param interfaceIndex into `interfaces`, or {@link #NO_INTERFACE}
  public record Ip(IpAddress address, int length, Optional<IpAddress> gateway, int interfaceIndex) {
    public Ip {
      if (length < 0 || length > address.family().bits()) {
        throw new IllegalArgumentException(
            address + "/" + length + " is not an address with a prefix length");
      }
    }

    /// `10.1.0.5/32`.
    String cidr() {
      return address + "/" + length;
    }
  }

  public record Route(Prefix destination, Optional<IpAddress> gateway) {}

  /// The result in the shape of `version`.
  ///
  /// @throws CniException code 1 when the version has no way to say it: 0.1 and 0.2 need at least
  ///   one address
  public ObjectNode toJson(CniVersion version) throws CniException {
    return ResultJson.write(this, version);
  }
}
