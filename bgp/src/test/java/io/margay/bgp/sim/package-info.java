/// **For**: whole speakers on one virtual clock, without sockets and threads.
///
/// **In → out**: a seed → the same run every time.
///
/// **Loop**: the caller's.
///
/// **May touch**: nothing outside.
@NullMarked
package io.margay.bgp.sim;

import org.jspecify.annotations.NullMarked;
