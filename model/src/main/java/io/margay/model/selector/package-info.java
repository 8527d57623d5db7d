/// **For**: the label selector language of the v3 resources: which labelled objects does a text
/// mean?
///
/// **In → out**: selector text → [Selector]: a syntax tree, a canonical text, an id, an answer per
/// object.
///
/// **Loop**: none; immutable values, safe to share.
///
/// **May touch**: the JDK. No clock, no IO.
@NullMarked
package io.margay.model.selector;

import org.jspecify.annotations.NullMarked;
