/// **For**: what ADD, DEL, CHECK, GC and STATUS of the container network interface mean on a node.
///
/// **In → out**: a request as the runtime made it → addresses, a wired and policed pod, a result or
/// a CNI error.
///
/// **Loop**: the CNI server's worker threads, one request each, one at a time per container.
///
/// **May touch**: the ports declared here, `cni.spec`, `cni.protocol`, `cni.journal`, programs in
/// `CNI_PATH`. No netlink and no etcd by itself.
@NullMarked
package io.margay.cni;

import org.jspecify.annotations.NullMarked;
