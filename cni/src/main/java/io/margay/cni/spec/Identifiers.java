package io.margay.cni.spec;

/// The one rule for container ids and network names: `^[a-zA-Z0-9][a-zA-Z0-9_.\-]*$` (CNI
/// specification, "Parameters").
final class Identifiers {

  private Identifiers() {}

  static boolean isIdentifier(String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      boolean alphanumeric = c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9';
      if (!alphanumeric && (i == 0 || c != '_' && c != '.' && c != '-')) {
        return false;
      }
    }
    return !text.isEmpty();
  }
}
