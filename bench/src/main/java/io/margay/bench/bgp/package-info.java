/// **For**: what one route costs the speaker in each of its parts, by JMH; whole speakers are
/// measured by `bench/bgp/run.sh`.
///
/// **In → out**: a table made here → nanoseconds per route.
///
/// **Loop**: JMH's.
///
/// **May touch**: everything; nothing depends on it.
@NullMarked
package io.margay.bench.bgp;

import org.jspecify.annotations.NullMarked;
