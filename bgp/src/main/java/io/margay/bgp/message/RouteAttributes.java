package io.margay.bgp.message;

import org.jspecify.annotations.Nullable;

/// All that distinguishes one route to a prefix from another but its source: what RIBs share
/// between routes.
public record RouteAttributes(PathAttributes attributes, NextHop nextHop) {

  // Written out: what a record derives costs ten times as much until it is compiled well, and RIBs
  // compare from their first route on.
  @Override
  public boolean equals(@Nullable Object other) {
    return this == other
        || other instanceof RouteAttributes that
            && attributes.equals(that.attributes)
            && nextHop.equals(that.nextHop);
  }

  @Override
  public int hashCode() {
    return 31 * attributes.hashCode() + nextHop.hashCode();
  }
}
