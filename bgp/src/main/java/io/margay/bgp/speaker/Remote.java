package io.margay.bgp.speaker;

import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import io.margay.model.net.ScopedAddress;

/// Where a peer is, or where peers may come from.
public sealed interface Remote {

  /// One peer.
  ///
  /// @param address a link-local address names its interface
  record At(ScopedAddress address) implements Remote {
    public At {
      if (address.family() == IpFamily.IPV6
          && address.address().isLinkLocal()
          && address.scope() == null) {
        throw new IllegalArgumentException(
            "peer " + address + " is link-local and needs its interface: " + address + "%eth0");
      }
      if (address.address().isUnspecified() || address.address().isMulticast()) {
        throw new IllegalArgumentException("peer " + address + " is not the address of a node");
      }
    }

    @Override
    public String toString() {
      return address.toString();
    }
  }

  /// Any peer of a range that connects to us (a dynamic neighbour). We never connect to it.
  ///
  /// @param limit how many may have a session at once; more are refused with Cease/5
  record Within(Prefix range, int limit) implements Remote {

    /// Enough for the clients of a reflector.
    public static final int DEFAULT_LIMIT = 5_000;

    public Within {
      if (limit < 1) {
        throw new IllegalArgumentException(
            "peers of " + range + ": limit " + limit + " is below 1");
      }
    }

    public Within(Prefix range) {
      this(range, DEFAULT_LIMIT);
    }

    @Override
    public String toString() {
      return range.toString();
    }
  }

  /// The family a session with it runs over.
  default IpFamily family() {
    return switch (this) {
      case At(ScopedAddress address) -> address.family();
      case Within(Prefix range, int _) -> range.family();
    };
  }
}
