/// **For**: the HTTP side of processes that are no agent, and asking any process of ours.
///
/// **In → out**: requests → a handler's [io.margay.agent.http.Answer]; a base address and a path →
/// an answer's body.
///
/// **Loop**: `http` owns the connections; each answer is written on a virtual thread.
///
/// **May touch**: Netty, sockets. Knows no resource and no route.
@NullMarked
package io.margay.cli.http;

import org.jspecify.annotations.NullMarked;
