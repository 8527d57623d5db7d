package io.margay.bgp.message;

/// All that distinguishes one route to a prefix from another but its source: what RIBs share
/// between routes.
public record RouteAttributes(PathAttributes attributes, NextHop nextHop) {}
