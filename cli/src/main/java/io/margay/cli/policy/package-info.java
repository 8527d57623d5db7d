/// **For**: `margay policy`: what policies in files would do to packets, and what they become in
/// the kernel.
///
/// **In → out**: documents and probes → verdicts with what decided; documents and a node → its
/// tables as text.
///
/// **Loop**: none; one command, one thread.
///
/// **May touch**: files named on the command line, standard input. No datastore, no kernel.
@NullMarked
package io.margay.cli.policy;

import org.jspecify.annotations.NullMarked;
