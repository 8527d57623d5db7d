/// **For**: a datastore that is a folder of YAML files, for a lab, a single machine, or a cluster's
/// intent kept in git.
///
/// **In → out**: files ⇄ the `Datastore` port.
///
/// **Loop**: callers' threads; one thread that looks for edits by others.
///
/// **May touch**: files below its folder, threads, the clock.
@NullMarked
package io.margay.datastore.file;

import org.jspecify.annotations.NullMarked;
