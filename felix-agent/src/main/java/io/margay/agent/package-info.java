/// **For**: one node of a cluster: the process that wires every room together.
///
/// **In → out**: settings file and environment → a running agent; signals → an orderly stop.
///
/// **Loop**: none of its own; starts and stops calc, dataplane and the BGP speaker.
///
/// **May touch**: everything, but decides nothing: parse, wire, exit.
@NullMarked
package io.margay.agent;

import org.jspecify.annotations.NullMarked;
