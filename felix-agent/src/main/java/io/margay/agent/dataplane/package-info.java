/// **For**: the kernel state of this node, written by one hand.
///
/// **In → out**: policy updates, blocks, BGP routes → nft transactions and route batches.
///
/// **Loop**: dataplane.
///
/// **May touch**: `linux`; decides nothing about policy.
@NullMarked
package io.margay.agent.dataplane;

import org.jspecify.annotations.NullMarked;
