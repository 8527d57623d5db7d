/// **For**: the words of the CNI specification 0.1.0 to 1.1.0: configuration, arguments, results,
/// errors.
///
/// **In → out**: JSON and `KEY=VALUE` text → validated values, and results back → JSON of the
/// version asked for.
///
/// **Loop**: none; pure values.
///
/// **May touch**: `model.net` and Jackson's tree. No IO, no clock.
@NullMarked
package io.margay.cni.spec;

import org.jspecify.annotations.NullMarked;
