/// **For**: the fabrics of docs/fabrics.md, each as a lab with whole nodes.
///
/// **In → out**: a topology → pods that reach each other, an agent that dies unnoticed, traffic
/// that takes another way when one is gone, and for how long it stood still.
///
/// **Loop**: the test's thread.
///
/// **May touch**: a lab of its own.
@NullMarked
package io.margay.it.fabric;

import org.jspecify.annotations.NullMarked;
