package io.margay.linux.route;

import io.margay.linux.NetlinkException;

/// A change the kernel refused, and why.
public record RouteFailure(RouteChange change, NetlinkException cause) {}
