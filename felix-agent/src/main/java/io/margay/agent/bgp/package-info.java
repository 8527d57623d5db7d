/// **For**: the speaker's desired state, from the cluster's resources.
///
/// **In → out**: Node, BGPConfiguration and BGPPeer resources, the node's addresses, its blocks →
/// what the speaker should be, whom it should know and what it should announce.
///
/// **Loop**: the plan is pure; the glue runs on calc and hands over to the speaker's own threads.
///
/// **May touch**: the speaker's public API.
@NullMarked
package io.margay.agent.bgp;

import org.jspecify.annotations.NullMarked;
