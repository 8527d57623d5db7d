/// **For**: `margay ipam`: what is assigned, whether it adds up, and putting it right.
///
/// **In → out**: arguments and reports → tables, JSON, repairs and releases, an exit code.
///
/// **Loop**: none; one command, one thread.
///
/// **May touch**: the datastore, report files named on the command line, the clock; decides nothing
/// that `io.margay.ipam.care` can decide.
@NullMarked
package io.margay.cli.ipam;

import org.jspecify.annotations.NullMarked;
