/// **For**: putting the CNI plugin where container runtimes look for it, and taking it away again.
///
/// **In → out**: the distribution's binaries and network configuration → files below a plugin and a
/// configuration directory, each there whole or not at all.
///
/// **Loop**: none.
///
/// **May touch**: the two directories, the distribution, standard output.
@NullMarked
package io.margay.cli.install;

import org.jspecify.annotations.NullMarked;
