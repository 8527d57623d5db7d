/// **For**: keeping the address state true: what contradicts itself, what nobody uses any more,
/// what a removed node or pool leaves behind.
///
/// **In → out**: everything the datastore holds about addresses (`IpamState`) → `IpamReport` with a
/// repair for each finding, `GarbageDecision` verdicts, transactions.
///
/// **Loop**: none; `IpamState`, the checks, `GarbageDecision` and `PoolConditions` are pure, the
/// others block on the datastore. Every write names the revisions it was decided by.
///
/// **May touch**: `ipam`, `datastore`, `model`, Jackson, an injected clock. No kernel: what a node
/// sees there is handed in as `NodeWitness`.
@NullMarked
package io.margay.ipam.care;

import org.jspecify.annotations.NullMarked;
