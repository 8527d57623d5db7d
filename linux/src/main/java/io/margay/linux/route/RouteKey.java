package io.margay.linux.route;

import io.margay.model.net.Prefix;

/// What makes a route unique in the kernel.
///
/// @param prefix the destination
/// @param table the routing table
/// @param metric the metric, as a dump shows it
public record RouteKey(Prefix prefix, int table, int metric) {}
