package io.margay.cli.calico;

/// What a finding means for a Margay node that joins.
public enum Severity {
  BLOCKS("blocks joining"),
  DIFFERS("behaves differently"),
  INFORMS("good to know");

  private final String words;

  Severity(String words) {
    this.words = words;
  }

  /// For people.
  String words() {
    return words;
  }
}
