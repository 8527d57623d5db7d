/// **For**: this node's part in keeping the address state true: signs of life, garbage collection,
/// conditions of pools.
///
/// **In → out**: what the syncer knows, the journal, the kernel's links → releases, conditions,
/// log.
///
/// **Loop**: one thread of its own, `care`; nothing waits for it.
///
/// **May touch**: the datastore, the journal, rtnetlink (reading), the clock. Decides nothing:
/// `io.margay.ipam.care` does.
@NullMarked
package io.margay.agent.care;

import org.jspecify.annotations.NullMarked;
