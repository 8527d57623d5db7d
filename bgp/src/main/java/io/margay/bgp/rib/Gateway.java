package io.margay.bgp.rib;

import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import java.util.Comparator;
import org.jspecify.annotations.Nullable;

/// Where packets go.
///
/// @param address may be of another family than the prefix (RFC 8950)
/// @param via the interface of a link-local address; absent for others
public record Gateway(IpAddress address, @Nullable InterfaceName via)
    implements Comparable<Gateway> {

  private static final Comparator<Gateway> ORDER =
      Comparator.comparing(Gateway::address)
          .thenComparing(
              Gateway::via, Comparator.nullsFirst(Comparator.<InterfaceName>naturalOrder()));

  @Override
  public int compareTo(Gateway other) {
    return ORDER.compare(this, other);
  }
}
