/// **For**: what on this node stands in the way of its pods' traffic, and how to put it right.
///
/// **In → out**: the kernel's tables and settings, the agent's socket → findings, each with a
/// reason and a way out.
///
/// **Loop**: none; one command, one thread.
///
/// **May touch**: `io.margay.linux`, `/proc/sys`, the agent's socket, standard output; it changes
/// nothing.
@NullMarked
package io.margay.cli.doctor;

import org.jspecify.annotations.NullMarked;
