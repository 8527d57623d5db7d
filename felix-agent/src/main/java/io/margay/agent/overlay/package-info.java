/// **For**: pods of pools whose packets are wrapped in VXLAN, on nodes that share no fabric which
/// knows the pods.
///
/// **In → out**: pools, nodes and who has which block → a device, its forwarding entries,
/// neighbours and routes; and an address for it from IPAM.
///
/// **Loop**: the plan is made on calc, the kernel kept to it on dataplane; addresses are asked for
/// on a thread of their own.
///
/// **May touch**: `model`, `agent.calc`, `agent.loop`, `agent.dataplane`, IPAM, the journal of CNI,
/// `linux.route`; of devices only those marked `margay:overlay`, Calico's of the same name, which
/// become ours, and the MTU of pods' wires.
@NullMarked
package io.margay.agent.overlay;

import org.jspecify.annotations.NullMarked;
