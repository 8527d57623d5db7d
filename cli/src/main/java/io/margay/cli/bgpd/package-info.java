/// **For**: `margay bgpd`, the BGP speaker as a daemon of its own.
///
/// **In → out**: a YAML file and signals → a running [io.margay.bgp.speaker.BgpSpeaker], kernel
/// routes, HTTP answers.
///
/// **Loop**: the main thread starts, reloads and stops; `bgpd-fib` owns the kernel routes.
///
/// **May touch**: the speaker's public API, `linux.route`, `cli.http`, `cli.yaml`, signals.
@NullMarked
package io.margay.cli.bgpd;

import org.jspecify.annotations.NullMarked;
