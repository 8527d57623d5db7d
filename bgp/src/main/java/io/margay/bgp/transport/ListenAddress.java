package io.margay.bgp.transport;

import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.ScopedAddress;

/// Where connections are accepted. `::` takes IPv6 only; a scope takes what arrives on that
/// interface only, and a link-local address needs one.
///
/// @param address an address of this node, or `0.0.0.0` or `::`
/// @param port 1 to 65535
public record ListenAddress(ScopedAddress address, int port) {

  public ListenAddress {
    if (port < 1 || port > 65535) {
      throw new IllegalArgumentException("BGP port " + port + " is not in 1..65535");
    }
    IpAddress listened = address.address();
    if (listened.isMulticast()) {
      throw new IllegalArgumentException(
          "cannot listen on the multicast address " + listened + "; name an address of this node");
    }
    if (listened.family() == IpFamily.IPV6
        && listened.isLinkLocal()
        && address.scope() == null) {
      throw new IllegalArgumentException(
          "cannot listen on the link-local address "
              + listened
              + " without its interface; write "
              + listened
              + "%eth0");
    }
  }

  public static ListenAddress of(IpAddress address, int port) {
    return new ListenAddress(ScopedAddress.of(address), port);
  }

  IpFamily family() {
    return address.address().family();
  }

  @Override
  public String toString() {
    return address + " port " + port;
  }
}
