/// **For**: what an existing Calico cluster would do differently with a Margay node in it.
///
/// **In → out**: everything in the datastore at one moment → findings, each with a reason and a way
/// out.
///
/// **Loop**: none; one command, one thread.
///
/// **May touch**: the datastore, read only; standard output.
@NullMarked
package io.margay.cli.calico;

import org.jspecify.annotations.NullMarked;
