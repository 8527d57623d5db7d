/// **For**: showing documents the way a user asks for: columns, JSON paths, Go templates, YAML and
/// JSON as calicoctl writes them.
///
/// **In → out**: JSON trees → text.
///
/// **Loop**: none; pure.
///
/// **May touch**: `model.resource` for the names of kinds; no clock, no files, no datastore.
@NullMarked
package io.margay.cli.output;

import org.jspecify.annotations.NullMarked;
