/// **For**: what the cluster's resources mean for this one node.
///
/// **In → out**: resources by identity → pools, NAT ranges, BGP intent, endpoints' addresses.
///
/// **Loop**: calc.
///
/// **May touch**: `model`, `policy`, IPAM's and the speaker's value types; no clock, no IO.
@NullMarked
package io.margay.agent.calc;

import org.jspecify.annotations.NullMarked;
