/// **For**: the nouns of the whole system; see the packages below.
///
/// **In → out**: nothing is declared here.
///
/// **Loop**: none.
///
/// **May touch**: nothing.
@NullMarked
package io.margay.model;

import org.jspecify.annotations.NullMarked;
