/// **For**: what people and their tools ask an agent: health, metrics, state as JSON.
///
/// **In → out**: snapshots of the other rooms → HTTP answers.
///
/// **Loop**: Jetty's threads; reads immutable snapshots only.
///
/// **May touch**: Dropwizard; no state of its own.
@NullMarked
package io.margay.agent.http;

import org.jspecify.annotations.NullMarked;
