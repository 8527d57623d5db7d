/// **For**: racks on one machine: a topology file becomes network namespaces, links, routers, etcd,
/// agents and pods; probing them; taking them down without a trace.
///
/// **In → out**: topology → plan (pure) → commands of other people's tools; namespaces → matrices
/// and leaks.
///
/// **Loop**: none; the command's own thread, and throw-away threads that enter a namespace to open
/// sockets.
///
/// **May touch**: namespaces named `mgy-<lab>-…`, `/run/margay-lab/<lab>/`, the tools `ip`, `nft`,
/// `etcd`, `etcdctl`, `bird`, FRR, `gobgpd`, and the public commands of the distribution. Shares no
/// code with the agent but network values and entering namespaces.
@NullMarked
package io.margay.cli.lab;

import org.jspecify.annotations.NullMarked;
