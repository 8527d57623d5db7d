/// **For**: the interoperability matrix: `margay bgpd` against BIRD, FRR, GoBGP, OpenBGPD and
/// ExaBGP, feature by feature.
///
/// **In → out**: what the other daemon's own command line says → `target/interop-matrix.md`.
///
/// **Loop**: none.
///
/// **May touch**: namespaces it made itself, processes it started itself; our daemon only through
/// its configuration file, signals and HTTP.
@NullMarked
package io.margay.it.bgp;

import org.jspecify.annotations.NullMarked;
