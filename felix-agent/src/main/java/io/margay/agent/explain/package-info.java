/// **For**: why a packet is allowed or denied: the rules as rendered, walked without a kernel, and
/// the policy, tier or profile that decided.
///
/// **In → out**: a packet and the interfaces it goes between → what either end says, and by which
/// rule.
///
/// **Loop**: none; confined to the thread of the [io.margay.agent.firewall.FirewallManager] it
/// reads.
///
/// **May touch**: `policy`, `linux.nft`, `agent.firewall`. No clock, no IO, no threads.
@NullMarked
package io.margay.agent.explain;

import org.jspecify.annotations.NullMarked;
