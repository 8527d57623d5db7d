/// **For**: the pod's wire: a veth pair whose far end is born inside the pod, with addresses,
/// routes and neighbours.
///
/// **In → out**: an attachment with its addresses and an open namespace → kernel objects marked
/// ours.
///
/// **Loop**: CNI worker threads, one at a time on the host's side; one thread of its own deletes
/// devices in groups.
///
/// **May touch**: `linux.route`, `linux.traffic` and `linux.netns`, in the agent's namespace and
/// the pod's; only devices with our alias.
@NullMarked
package io.margay.cni.wiring;

import org.jspecify.annotations.NullMarked;
