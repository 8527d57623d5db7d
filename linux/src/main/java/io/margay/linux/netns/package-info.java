/// **For**: network namespaces: naming one by a descriptor, running system calls inside it.
///
/// **In → out**: paths and descriptors → open descriptors, results of calls made inside.
///
/// **Loop**: none; each entry is a short-lived platform thread that dies inside the namespace.
///
/// **May touch**: `io.margay.linux`, `/proc/sys/net`, `/proc/thread-self/ns/net`.
@NullMarked
package io.margay.linux.netns;

import org.jspecify.annotations.NullMarked;
