/// **For**: our two nf_tables tables: what they should hold, what they hold, and the way between.
///
/// **In → out**: desired chains, sets and elements → one kernel transaction, or none. Notices of
/// what others write, traces, logged packets → whoever listens.
///
/// **Loop**: dataplane; an [NftTable] and its [NftKernel] belong to one thread. An [NftWatch] hears
/// on a thread of its own.
///
/// **May touch**: `io.margay.linux`, `model.net`. Knows tables and sets, not policies.
@NullMarked
package io.margay.linux.nft;

import org.jspecify.annotations.NullMarked;
