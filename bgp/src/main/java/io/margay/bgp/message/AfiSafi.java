package io.margay.bgp.message;

import io.margay.model.net.IpFamily;
import java.util.Optional;

/// An address family and its sub-family as BGP numbers them (RFC 4760 §5).
///
/// @param afi 16 bits
/// @param safi 8 bits
public record AfiSafi(int afi, int safi) {

  /// Unicast forwarding.
  private static final int UNICAST = 1;

  public static final AfiSafi IPV4_UNICAST = new AfiSafi(1, UNICAST);
  public static final AfiSafi IPV6_UNICAST = new AfiSafi(2, UNICAST);

  public AfiSafi {
    if (afi < 0 || afi > 0xffff || safi < 0 || safi > 0xff) {
      throw new IllegalArgumentException("AFI " + afi + " SAFI " + safi + " is out of range");
    }
  }

  /// The unicast pair of a family.
  public static AfiSafi unicast(IpFamily family) {
    return switch (family) {
      case IPV4 -> IPV4_UNICAST;
      case IPV6 -> IPV6_UNICAST;
    };
  }

  /// The family, when this is one we route.
  public Optional<IpFamily> unicastFamily() {
    if (safi != UNICAST) {
      return Optional.empty();
    }
    return switch (afi) {
      case 1 -> Optional.of(IpFamily.IPV4);
      case 2 -> Optional.of(IpFamily.IPV6);
      default -> Optional.empty();
    };
  }

  // Written out: asked for every message, and what records derive is slow until it is compiled by
  // the second compiler.
  @Override
  public boolean equals(Object other) {
    return other instanceof AfiSafi that && afi == that.afi && safi == that.safi;
  }

  @Override
  public int hashCode() {
    return afi << Byte.SIZE | safi;
  }

  @Override
  public String toString() {
    return unicastFamily()
        .map(family -> family == IpFamily.IPV4 ? "ipv4-unicast" : "ipv6-unicast")
        .orElse("afi-" + afi + "-safi-" + safi);
  }
}
