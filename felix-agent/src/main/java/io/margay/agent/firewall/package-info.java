/// **For**: computed policy as nf_tables objects: which chain, rule and element enforces what.
///
/// **In → out**: [io.margay.policy.PolicyUpdate]s → desired chains and elements of both families.
///
/// **Loop**: dataplane.
///
/// **May touch**: `policy`, `linux.nft`, `model.net`. The renderers are pure; only the manager
/// holds state and lets the table write.
@NullMarked
package io.margay.agent.firewall;

import org.jspecify.annotations.NullMarked;
