/// **For**: looking at a running agent from the shell.
///
/// **In → out**: the agent's HTTP answers → tables for people, JSON for tools.
///
/// **Loop**: none.
///
/// **May touch**: HTTP to an agent, standard output.
@NullMarked
package io.margay.cli.node;

import org.jspecify.annotations.NullMarked;
