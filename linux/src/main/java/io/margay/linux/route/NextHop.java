package io.margay.linux.route;

import io.margay.model.net.IpAddress;
import java.util.Comparator;
import java.util.Optional;

/// One way out of a route.
///
/// @param gateway the next router; empty: the destination itself is on the link
/// @param index the device; 0 in a desired route with a gateway lets the kernel find it
/// @param weight share among the next hops, 1 to 256
/// @param isOnlink whether the gateway is taken to be on the link though no address covers it
public record NextHop(Optional<IpAddress> gateway, int index, int weight, boolean isOnlink)
    implements Comparable<NextHop> {

  /// `rtnh_hops` has 8 bits and holds the weight less one.
  public static final int MAX_WEIGHT = 256;

  private static final Comparator<NextHop> ORDER =
      Comparator.comparing((NextHop hop) -> hop.gateway.isPresent())
          .thenComparing(
              (a, b) ->
                  a.gateway.isPresent() && b.gateway.isPresent()
                      ? a.gateway.get().compareTo(b.gateway.get())
                      : 0)
          .thenComparingInt(NextHop::index)
          .thenComparingInt(NextHop::weight)
          .thenComparing(NextHop::isOnlink);

  public NextHop {
    if (weight < 1 || weight > MAX_WEIGHT) {
      throw new IllegalArgumentException("next hop weight " + weight + " is not in 1..256");
    }
    if (index < 0 || (index == 0 && (gateway.isEmpty() || isOnlink))) {
      throw new IllegalArgumentException(
          "a next hop without a gateway, or onlink, needs a device; got index " + index);
    }
  }

  /// Through a router that the kernel finds by its own connected routes.
  public static NextHop via(IpAddress gateway) {
    return new NextHop(Optional.of(gateway), 0, 1, false);
  }

  /// Through a router on a device.
  public static NextHop via(IpAddress gateway, int index) {
    return new NextHop(Optional.of(gateway), index, 1, false);
  }

  /// Straight onto a device.
  public static NextHop onDevice(int index) {
    return new NextHop(Optional.empty(), index, 1, false);
  }

  /// The same way with another share.
  NextHop weighing(int share) {
    return new NextHop(gateway, index, share, isOnlink);
  }

  /// Whether the kernel's `actual` hop is what this one asks for.
  boolean isMetBy(NextHop actual) {
    return gateway.equals(actual.gateway)
        && (index == 0 || index == actual.index)
        && weight == actual.weight
        && isOnlink == actual.isOnlink;
  }

  @Override
  public int compareTo(NextHop other) {
    return ORDER.compare(this, other);
  }

  @Override
  public String toString() {
    return gateway.map(g -> "via " + g).orElse("direct")
        + (index == 0 ? "" : " dev " + index)
        + (weight == 1 ? "" : " weight " + weight)
        + (isOnlink ? " onlink" : "");
  }
}
