/// **For**: our two nf_tables tables: what they should hold, what they hold, and the way between.
///
/// **In → out**: desired chains, sets and elements → one kernel transaction, or none.
///
/// **Loop**: dataplane; an [NftTable] and its [NftKernel] belong to one thread.
///
/// **May touch**: `io.margay.linux`, `model.net`. Knows tables and sets, not policies.
@NullMarked
package io.margay.linux.nft;

import org.jspecify.annotations.NullMarked;
