/// **For**: the datastore as a whole: locked for a migration, copied into a file, filled from one.
///
/// **In → out**: every key of the cluster → one checksummed file, and back.
///
/// **Loop**: none; one command, one thread.
///
/// **May touch**: the datastore, files, standard streams.
@NullMarked
package io.margay.cli.datastore;

import org.jspecify.annotations.NullMarked;
