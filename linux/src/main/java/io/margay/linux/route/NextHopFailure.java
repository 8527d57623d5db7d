package io.margay.linux.route;

import io.margay.linux.NetlinkException;

/// A change of a next-hop object that the kernel refused, and why.
public record NextHopFailure(NextHopChange change, NetlinkException cause) {}
