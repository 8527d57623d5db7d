/// **For**: the ports of the CNI verbs, on this node's IPAM, calculation and kernel.
///
/// **In → out**: wishes of the verbs → etcd transactions, endpoints handed to calc, answers.
///
/// **Loop**: none of its own; called on the CNI server's threads, which may block.
///
/// **May touch**: the datastore through IPAM; calc and dataplane by posts.
@NullMarked
package io.margay.agent.cni;

import org.jspecify.annotations.NullMarked;
