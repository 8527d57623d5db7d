package io.margay.agent;

import io.margay.agent.settings.AgentSettings;
import io.margay.agent.settings.SettingKey;
import io.margay.agent.settings.SettingsException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The settings in force, and how a file that has changed comes into force: what can change while
/// the agent runs does, the rest is named and waits for the next start. Read from any thread,
/// reloaded by one at a time.
final class LiveSettings {

  private static final Logger LOG = LoggerFactory.getLogger(LiveSettings.class);

  private final Consumer<AgentSettings> changed;
  private volatile AgentSettings inForce;

  /// @param changed told of each change, after it is in force; who only reads need not be
  LiveSettings(AgentSettings settings, Consumer<AgentSettings> changed) {
    this.inForce = settings;
    this.changed = changed;
  }

  AgentSettings inForce() {
    return inForce;
  }

  /// Takes the file's present content in; a file that can't be used leaves everything as it was.
  synchronized void reload(Path file, Map<String, String> environment) {
    AgentSettings wanted;
    try {
      wanted = AgentSettings.read(file, environment);
    } catch (SettingsException unusable) {
      LOG.atError()
          .addKeyValue("reason", unusable.getMessage())
          .log("the new settings are unusable; the old ones stay in force");
      return;
    }
    List<SettingKey.Difference> differences = SettingKey.differences(inForce, wanted);
    if (differences.isEmpty()) {
      LOG.atInfo().addKeyValue("file", file).log("the settings are those in force");
      return;
    }
    if (differences.stream().anyMatch(SettingKey.Difference::isLive)) {
      inForce = inForce.withLiveOf(wanted);
      changed.accept(inForce);
    }
    differences.forEach(LiveSettings::tell);
  }

  private static void tell(SettingKey.Difference difference) {
    var line = difference.isLive() ? LOG.atInfo() : LOG.atWarn();
    line.addKeyValue("key", difference.key())
        .addKeyValue("from", difference.from())
        .addKeyValue("to", difference.to())
        .log(
            difference.isLive()
                ? "a setting has changed"
                : "a setting has changed in the file; it applies when the agent is restarted");
  }
}
