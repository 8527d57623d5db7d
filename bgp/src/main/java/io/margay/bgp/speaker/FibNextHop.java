package io.margay.bgp.speaker;

import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import java.util.Comparator;
import org.jspecify.annotations.Nullable;

/// One way out.
///
/// @param address the gateway; may be of another family than the prefix
/// @param via the interface a link-local gateway is on; otherwise absent, and the kernel resolves
///   the gateway
public record FibNextHop(IpAddress address, @Nullable InterfaceName via)
    implements Comparable<FibNextHop> {

  private static final Comparator<FibNextHop> ORDER =
      Comparator.comparing(FibNextHop::address)
          .thenComparing(hop -> hop.via == null ? "" : hop.via.value());

  @Override
  public int compareTo(FibNextHop other) {
    return ORDER.compare(this, other);
  }

  @Override
  public String toString() {
    return via == null ? address.toString() : address + "%" + via;
  }
}
