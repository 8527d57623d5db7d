/// **For**: what the node's routes cost.
///
/// **In → out**: numbers of routes → milliseconds, beside `ip`.
///
/// **Loop**: the main thread.
///
/// **May touch**: the namespace it is started in, which is made for it.
@NullMarked
package io.margay.bench.route;

import org.jspecify.annotations.NullMarked;
