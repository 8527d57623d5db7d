/// **For**: the one way threads talk to each other: a loop that owns its state, reached by posts.
///
/// **In → out**: posted tasks → run in order on the loop's own thread.
///
/// **Loop**: is one.
///
/// **May touch**: threads and the monotonic clock, which is its trade; no policy, no IO.
@NullMarked
package io.margay.agent.loop;

import org.jspecify.annotations.NullMarked;
