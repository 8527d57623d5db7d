/// **For**: container runtimes people run, on the node of a lab: containerd by `ctr` and by its
/// CRI, podman, Debian's plugins, libcni.
///
/// **In → out**: the runtimes' own commands and sockets → what they, the kernel and etcd say.
///
/// **Loop**: none.
///
/// **May touch**: one lab it raises itself, processes it starts itself in mount, process and
/// network namespaces of their own.
@NullMarked
package io.margay.it.runtime;

import org.jspecify.annotations.NullMarked;
