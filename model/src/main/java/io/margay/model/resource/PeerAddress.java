package io.margay.model.resource;

import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.ScopedAddress;
import org.jspecify.annotations.Nullable;

/// Where a BGP peer listens: `192.0.2.1`, `192.0.2.1:1179`, `2001:db8::1` or `[2001:db8::1]:1179`;
/// a link-local one names the link it is on, `fe80::1%eth0`.
///
/// @param at the peer's address
/// @param port TCP port; null = the usual one
public record PeerAddress(ScopedAddress at, @Nullable Integer port) {

  public PeerAddress {
    if (port != null && (port < 1 || port > Port.MAX)) {
      throw new IllegalArgumentException("port " + port + " of peer " + at + " is not in 1..65535");
    }
  }

  /// An address that needs no link.
  public PeerAddress(IpAddress address, @Nullable Integer port) {
    this(ScopedAddress.of(address), port);
  }

  /// The address without its link.
  public IpAddress address() {
    return at.address();
  }

  /// The link a link-local address is on; null for others.
  public @Nullable InterfaceName link() {
    return at.scope();
  }

  /// Parses the forms above.
  ///
  /// @throws IllegalArgumentException naming the text
  public static PeerAddress parse(String text) {
    if (text.startsWith("[")) {
      int close = text.indexOf(']');
      if (close < 0 || close + 1 >= text.length() || text.charAt(close + 1) != ':') {
        throw notAPeer(text);
      }
      return new PeerAddress(six(text.substring(1, close)), port(text, close + 2));
    }
    int colon = text.indexOf(':');
    if (colon >= 0 && text.indexOf(':', colon + 1) < 0) {
      return new PeerAddress(IpAddress.parse(text.substring(0, colon)), port(text, colon + 1));
    }
    return new PeerAddress(ScopedAddress.parse(text), null);
  }

  private static ScopedAddress six(String text) {
    ScopedAddress parsed = ScopedAddress.parse(text);
    if (parsed.family() != IpFamily.IPV6) {
      throw notAPeer(text);
    }
    return parsed;
  }

  private static int port(String text, int from) {
    return Port.parse(text.substring(from)) instanceof Port.Single(int port) ? port : refuse(text);
  }

  private static int refuse(String text) {
    throw notAPeer(text);
  }

  private static IllegalArgumentException notAPeer(String text) {
    return new IllegalArgumentException(
        "\"" + text + "\" is not an address, \"address:port\" or \"[address]:port\"");
  }

  @Override
  public String toString() {
    if (port == null) {
      return at.toString();
    }
    return switch (at.family()) {
      case IPV4 -> at + ":" + port;
      case IPV6 -> "[" + at + "]:" + port;
    };
  }
}
