package io.margay.bgp.policy;

import io.margay.bgp.message.AsPath;
import io.margay.bgp.message.PathAttributes;
import io.margay.model.net.Asn;
import java.util.List;

/// A change that an accepting rule makes to a route.
public sealed interface RouteOperation {

  /// Adds a community, unless it is there.
  record AddCommunity(CommunityTag value) implements RouteOperation {}

  /// Puts ASes in front of the path, so that it begins with them in this order. Towards an external
  /// peer our own AS still comes before them.
  ///
  /// @param prefix 1 to {@value #MAX_ASNS}
  record PrependAsPath(List<Asn> prefix) implements RouteOperation {

    public static final int MAX_ASNS = 10;

    public PrependAsPath {
      prefix = List.copyOf(prefix);
      if (prefix.isEmpty() || prefix.size() > MAX_ASNS) {
        throw new IllegalArgumentException(
            "prependASPath.prefix: "
                + prefix.size()
                + " AS numbers; 1 to "
                + MAX_ASNS
                + " are allowed");
      }
      // RFC 7607 §2: "A BGP speaker MUST NOT originate or propagate a route with an AS number of
      // zero in the AS_PATH".
      if (prefix.contains(new Asn(0))) {
        throw new IllegalArgumentException(
            "prependASPath.prefix: AS 0 must not be in a path (RFC 7607)");
      }
    }
  }

  /// Sets the priority, lower is better. It is kept and sent as LOCAL_PREF, 2147483647 less the
  /// priority, so external peers never see it.
  record SetPriority(int value) implements RouteOperation {
    public SetPriority {
      if (value < RoutePriority.MIN || value > RoutePriority.MAX) {
        throw new IllegalArgumentException(
            "setPriority.value: "
                + value
                + " is not in "
                + RoutePriority.MIN
                + ".."
                + RoutePriority.MAX);
      }
    }
  }

  /// The attributes after the change.
  default PathAttributes applyTo(PathAttributes attributes) {
    return switch (this) {
      case AddCommunity(CommunityTag value) -> value.addTo(attributes);
      case PrependAsPath(List<Asn> prefix) -> {
        AsPath path = attributes.asPath();
        for (Asn asn : prefix.reversed()) {
          path = path.prepend(asn);
        }
        yield attributes.toBuilder().asPath(path).build();
      }
      case SetPriority(int value) ->
          attributes.toBuilder().localPref((int) RoutePriority.toLocalPref(value)).build();
    };
  }
}
