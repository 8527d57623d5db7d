/// **For**: resources as text: etcd's keys and JSON, users' YAML and JSON files.
///
/// **In → out**: text → resources, or every error with its field path; resources → text.
///
/// **Loop**: none; stateless, safe from any thread.
///
/// **May touch**: `model`, Jackson. No IO: callers read files and keys.
@NullMarked
package io.margay.datastore.json;

import org.jspecify.annotations.NullMarked;
