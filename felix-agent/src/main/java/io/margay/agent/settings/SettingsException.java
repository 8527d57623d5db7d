package io.margay.agent.settings;

/// The settings can't be used. The message is one line: source, key path, what was expected.
public final class SettingsException extends Exception {

  private static final long serialVersionUID = 1L;

  SettingsException(String message) {
    super(message);
  }
}
