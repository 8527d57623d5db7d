/// **For**: the speaker's desired state, from the cluster's resources.
///
/// **In → out**: Node, BGPConfiguration, BGPPeer, BGPFilter and IPPool resources, the node's
/// addresses, its blocks → what the speaker should be, whom it should know and what it should
/// announce.
///
/// **Loop**: the plan is pure; the glue runs on calc and hands over to the speaker's own threads;
/// passwords are read on a thread of their own.
///
/// **May touch**: the speaker's public API; for passwords, mounted files and single keys of the
/// datastore.
@NullMarked
package io.margay.agent.bgp;

import org.jspecify.annotations.NullMarked;
