/// **For**: what an operator tells the agent: file, environment, defaults.
///
/// **In → out**: YAML and `MARGAY_*` variables → [AgentSettings], or one line that names file, key
/// path and what was expected.
///
/// **Loop**: none; read once at start.
///
/// **May touch**: the settings file.
@NullMarked
package io.margay.agent.settings;

import org.jspecify.annotations.NullMarked;
