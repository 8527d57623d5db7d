/// **For**: YAML files of people, read so that every mistake has one line and a key path.
///
/// **In → out**: text → values, or a [io.margay.cli.yaml.YamlException].
///
/// **Loop**: none.
///
/// **May touch**: Jackson. Opens no file.
@NullMarked
package io.margay.cli.yaml;

import org.jspecify.annotations.NullMarked;
