/// **For**: a rack that keeps its promises whatever happens to it.
///
/// **In → out**: a seed → faults, pods and policies that come and go, and what was wrong in
/// between.
///
/// **Loop**: the test's thread.
///
/// **May touch**: a lab of its own.
@NullMarked
package io.margay.it.chaos;

import org.jspecify.annotations.NullMarked;
