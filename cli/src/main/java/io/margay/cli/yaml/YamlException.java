package io.margay.cli.yaml;

/// A document that can't be used: one line naming file, key path and what was expected.
public final class YamlException extends Exception {

  private static final long serialVersionUID = 1L;

  public YamlException(String message) {
    super(message);
  }
}
