/// **For**: the `margay` command.
///
/// **In → out**: arguments → calls of the other rooms, text or JSON, an exit code.
///
/// **Loop**: none; one command, one thread.
///
/// **May touch**: everything; decides nothing.
@NullMarked
package io.margay.cli;

import org.jspecify.annotations.NullMarked;
