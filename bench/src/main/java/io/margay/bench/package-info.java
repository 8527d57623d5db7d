/// **For**: the cost of pure parts, by JMH; whole processes are measured by `bench/run.sh`.
///
/// **In → out**: documents and worlds made here → nanoseconds.
///
/// **Loop**: JMH's.
///
/// **May touch**: everything; nothing depends on it.
@NullMarked
package io.margay.bench;

import org.jspecify.annotations.NullMarked;
