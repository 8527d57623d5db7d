/// **For**: the agent as a service: what the service manager that started it hears.
///
/// **In → out**: `NOTIFY_SOCKET` and `WATCHDOG_USEC` in the environment, loops that answer or
/// don't, what is waited for → the datagrams of sd_notify(3).
///
/// **Loop**: a thread of its own, which posts to loops and never waits for them.
///
/// **May touch**: `linux.socket`, `agent.loop`; nothing of what the agent does.
@NullMarked
package io.margay.agent.service;

import org.jspecify.annotations.NullMarked;
