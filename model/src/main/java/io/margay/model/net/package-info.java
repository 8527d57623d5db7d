/// **For**: network values every other room speaks in: addresses, prefixes, AS numbers, names.
///
/// **In → out**: text or wire integers → validated, immutable values.
///
/// **Loop**: none; pure values.
///
/// **May touch**: the JDK. No clock, no IO, no DNS.
@NullMarked
package io.margay.model.net;

import org.jspecify.annotations.NullMarked;
