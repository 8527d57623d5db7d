/// **For**: BGP messages, attributes and capabilities as values.
///
/// **In → out**: decoded fields → validated, immutable records.
///
/// **Loop**: none; pure values.
///
/// **May touch**: `model.net`. No buffers, no clock, no IO.
@NullMarked
package io.margay.bgp.message;

import org.jspecify.annotations.NullMarked;
