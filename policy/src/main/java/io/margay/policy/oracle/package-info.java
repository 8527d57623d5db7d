/// **For**: what happens to a packet, and why: by the book ([io.margay.policy.oracle.PolicyOracle])
/// and by what the kernel was told ([io.margay.policy.oracle.RuleInterpreter]). The two must agree.
///
/// **In → out**: resources, or policy updates, and a flow → a verdict with its path.
///
/// **Loop**: none; confined to the caller's thread.
///
/// **May touch**: `model`, `policy`. No clock, no IO, no threads.
@NullMarked
package io.margay.policy.oracle;

import org.jspecify.annotations.NullMarked;
