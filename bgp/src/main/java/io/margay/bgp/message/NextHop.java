package io.margay.bgp.message;

import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Where a route leads, whichever attribute carried it: NEXT_HOP (RFC 4271 §5.1.3) or MP_REACH_NLRI
/// (RFC 4760 §3, RFC 2545 §3, RFC 8950 §3). Its family need not be that of the route.
///
/// @param address global where there is a global one, else link-local
/// @param linkLocal the second, link-local address of RFC 2545 §3; absent if there is none
public record NextHop(IpAddress address, @Nullable IpAddress linkLocal) {

  public NextHop {
    if (linkLocal != null && (address.family() != IpFamily.IPV6 || !linkLocal.isLinkLocal())) {
      throw new IllegalArgumentException(
          linkLocal + " cannot be the link-local next hop beside " + address);
    }
  }

  public static NextHop of(IpAddress address) {
    return new NextHop(address, null);
  }

  // Written out: what a record derives costs ten times as much until it is compiled well, and RIBs
  // compare from their first route on.
  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof NextHop that
        && address.equals(that.address)
        && Objects.equals(linkLocal, that.linkLocal);
  }

  @Override
  public int hashCode() {
    return 31 * address.hashCode() + Objects.hashCode(linkLocal);
  }

  @Override
  public String toString() {
    return linkLocal == null ? address.toString() : address + " (" + linkLocal + ")";
  }
}
