/// **For**: Docker Engine: networks, addresses and wires as its libnetwork asks for them.
///
/// **In → out**: requests of libnetwork's remote driver protocol → single steps of a pod's ADD and
/// DEL; networks on the disk, since Docker tells of each but once.
///
/// **Loop**: none; the threads of the plugin's socket.
///
/// **May touch**: `cni`, the disk; neither the datastore nor the kernel.
@NullMarked
package io.margay.agent.docker;

import org.jspecify.annotations.NullMarked;
