/// **For**: proofs that need more than one room: architecture, documents, a whole rack.
///
/// **In → out**: the built project → verdicts.
///
/// **Loop**: none.
///
/// **May touch**: everything, from outside.
@NullMarked
package io.margay.it;

import org.jspecify.annotations.NullMarked;
