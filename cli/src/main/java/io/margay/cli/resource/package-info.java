/// **For**: the commands that write and read resources: apply, create, replace, delete, get,
/// validate.
///
/// **In → out**: files and arguments → compare-and-swap writes, tables and documents, an exit code.
///
/// **Loop**: none; one command, one thread.
///
/// **May touch**: files named on the command line, the datastore, the clock for creation times.
@NullMarked
package io.margay.cli.resource;

import org.jspecify.annotations.NullMarked;
