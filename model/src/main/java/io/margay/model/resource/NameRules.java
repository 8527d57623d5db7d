package io.margay.model.resource;

import java.util.Map;
import java.util.regex.Pattern;

/// What names and labels may look like (Kubernetes: DNS-1123 names, qualified label keys).
final class NameRules {

  /// Octets of the longest object name.
  static final int MAX_NAME = 253;

  /// Octets of the longest namespace name, label name and label value.
  static final int MAX_LABEL = 63;

  private static final Pattern DNS_LABEL = Pattern.compile("[a-z0-9]([-a-z0-9]*[a-z0-9])?");
  private static final Pattern DNS_NAME =
      Pattern.compile("[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*");
  private static final Pattern LABEL = Pattern.compile("[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?");

  private NameRules() {}

  static void name(String name, String path, FieldErrors errors) {
    if (name.length() > MAX_NAME || !DNS_NAME.matcher(name).matches()) {
      errors.add(
          path,
          "\""
              + name
              + "\" is not a name: 1 to "
              + MAX_NAME
              + " of a-z 0-9 - and ., starting and ending with a letter or digit");
    }
  }

  static void label(String name, String noun, String path, FieldErrors errors) {
    if (name.length() > MAX_LABEL || !DNS_LABEL.matcher(name).matches()) {
      errors.add(
          path,
          "\""
              + name
              + "\" is not a "
              + noun
              + ": 1 to "
              + MAX_LABEL
              + " of a-z 0-9 and -, starting and ending with a letter or digit");
    }
  }

  static void labels(Map<String, String> labels, String path, FieldErrors errors) {
    labels.forEach(
        (key, value) -> {
          key(key, path, errors);
          if (!value.isEmpty() && !isLabel(value)) {
            errors.add(
                path + "." + key,
                "\""
                    + value
                    + "\" is not a label value: at most "
                    + MAX_LABEL
                    + " of A-Z a-z 0-9 - _ and .");
          }
        });
  }

  private static void key(String key, String path, FieldErrors errors) {
    int slash = key.indexOf('/');
    boolean prefixFits =
        slash < 0 || slash <= MAX_NAME && DNS_NAME.matcher(key.substring(0, slash)).matches();
    if (!prefixFits || !isLabel(key.substring(slash + 1))) {
      errors.add(
          path,
          "\""
              + key
              + "\" is not a label key: [prefix/]name, the name at most "
              + MAX_LABEL
              + " of A-Z a-z 0-9 - _ and .");
    }
  }

  private static boolean isLabel(String text) {
    return text.length() <= MAX_LABEL && LABEL.matcher(text).matches();
  }
}
