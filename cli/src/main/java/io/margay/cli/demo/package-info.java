/// **For**: showing in a minute and a half that the whole stack works: `margay demo`.
///
/// **In → out**: the shipped topologies, policies and expected matrices → steps that held or did
/// not, with their times.
///
/// **Loop**: the command's own thread; a sender and a receiver thread for each stream of datagrams.
///
/// **May touch**: labs, through `cli.lab`; nothing of the agent's.
@NullMarked
package io.margay.cli.demo;

import org.jspecify.annotations.NullMarked;
