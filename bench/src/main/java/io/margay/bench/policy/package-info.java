/// **For**: what policy costs: in calc, in the firewall's rendering, in the kernel.
///
/// **In → out**: synthetic clusters → medians and percentiles on stdout.
///
/// **Loop**: none; each step has a process, and a network namespace, of its own.
///
/// **May touch**: everything the agent does.
@NullMarked
package io.margay.bench.policy;

import org.jspecify.annotations.NullMarked;
