package io.margay.bgp.transport;

import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.ScopedAddress;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Where connections are accepted. `::` takes IPv6 only.
///
/// @param address an address of this node, or `0.0.0.0` or `::`
/// @param device the interface connections must arrive on, which a link-local address needs;
///   absent: any
/// @param port 1 to 65535
public record ListenAddress(IpAddress address, @Nullable InterfaceName device, int port) {

  public ListenAddress {
    if (port < 1 || port > 65535) {
      throw new IllegalArgumentException("BGP port " + port + " is not in 1..65535");
    }
    if (address.isMulticast()) {
      throw new IllegalArgumentException(
          "cannot listen on the multicast address " + address + "; name an address of this node");
    }
    if (address.family() == IpFamily.IPV6 && address.isLinkLocal() && device == null) {
      throw new IllegalArgumentException(
          "cannot listen on the link-local address "
              + address
              + " without its interface; write "
              + address
              + "%eth0");
    }
  }

  /// On the interface of the address, if it names one.
  public static ListenAddress of(ScopedAddress address, int port) {
    return new ListenAddress(address.address(), address.scope(), port);
  }

  /// Every address of the node, in the families that this kernel speaks: IPv6 may be switched off
  /// in all of it (`ipv6.disable=1`), and then there is no such socket.
  public static List<ListenAddress> everywhere(int port) {
    return Stream.of(IpFamily.values())
        .filter(Sockets::speaks)
        .map(family -> new ListenAddress(Sockets.any(family), null, port))
        .toList();
  }

  IpFamily family() {
    return address.family();
  }

  @Override
  public String toString() {
    return address + (device == null ? "" : "%" + device) + " port " + port;
  }
}
