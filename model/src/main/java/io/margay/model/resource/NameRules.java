package io.margay.model.resource;

import java.util.List;
import java.util.Locale;
import java.util.Map;

/// What names, labels and annotations may look like (Kubernetes: DNS-1123 names, qualified keys;
/// Calico: what it asks of its own kinds beyond that).
final class NameRules {

  /// Octets of the longest object name.
  static final int MAX_NAME = 253;

  /// Octets of the longest namespace name, label name and label value.
  static final int MAX_LABEL = 63;

  /// Octets of all keys and values of one object's annotations together.
  static final int MAX_ANNOTATIONS = 256 * 1024;

  /// Octets of the longest name of a port (RFC 6335 §5.1).
  static final int MAX_PORT_NAME = 15;

  /// What Calico puts before the names of policies converted from others' kinds; they go on with
  /// whatever those were called.
  private static final List<String> CONVERTED =
      List.of("knp.", "kanp.", "kbanp.", "kcnp.", "ossg.");

  private NameRules() {}

  static boolean isName(String name) {
    return name.length() <= MAX_NAME && isDnsName(name);
  }

  static void name(String name, String path, FieldErrors errors) {
    if (!isName(name)) {
      errors.add(
          path,
          "\""
              + name
              + "\" is not a name: 1 to "
              + MAX_NAME
              + " of a-z 0-9 - and ., starting and ending with a letter or digit");
    }
  }

  static void policyName(String name, String path, FieldErrors errors) {
    if (name.length() > MAX_NAME || !isPolicyName(name)) {
      errors.add(
          path,
          "\""
              + name
              + "\" is not a policy's name: \"name\" or \"tier.name\", 1 to "
              + MAX_NAME
              + " of a-z 0-9 and -, each part starting and ending with a letter or digit");
    }
  }

  static void label(String name, String noun, String path, FieldErrors errors) {
    if (name.length() > MAX_LABEL || !isDnsLabel(name, 0, name.length())) {
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

  // These run for every name of every document that is read: loops, not regular expressions.

  private static boolean isPolicyName(String name) {
    int dot = name.indexOf('.');
    if (dot < 0) {
      return isDnsLabel(name, 0, name.length());
    }
    return CONVERTED.stream().anyMatch(name::startsWith)
        ? isDnsName(name)
        : isDnsLabel(name, 0, dot) && isDnsLabel(name, dot + 1, name.length());
  }

  private static boolean isDnsName(String name) {
    int from = 0;
    for (int dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', from)) {
      if (!isDnsLabel(name, from, dot)) {
        return false;
      }
      from = dot + 1;
    }
    return isDnsLabel(name, from, name.length());
  }

  private static boolean isDnsLabel(String name, int from, int to) {
    if (from >= to || name.charAt(from) == '-' || name.charAt(to - 1) == '-') {
      return false;
    }
    for (int i = from; i < to; i++) {
      char c = name.charAt(i);
      if (!isLower(c) && !isDigit(c) && c != '-') {
        return false;
      }
    }
    return true;
  }

  private static boolean isQualified(String text) {
    int last = text.length() - 1;
    if (last < 0 || !isAlphanumeric(text.charAt(0)) || !isAlphanumeric(text.charAt(last))) {
      return false;
    }
    for (int i = 1; i < last; i++) {
      if (!isAlphanumeric(text.charAt(i)) && !isPunctuation(text.charAt(i))) {
        return false;
      }
    }
    return true;
  }

  private static boolean isAlphanumeric(char c) {
    return isLower(c) || isDigit(c) || c >= 'A' && c <= 'Z';
  }

  private static boolean isLower(char c) {
    return c >= 'a' && c <= 'z';
  }

  private static boolean isDigit(char c) {
    return c >= '0' && c <= '9';
  }

  static boolean isPortName(String name) {
    if (name.length() > MAX_PORT_NAME
        || !isDnsLabel(name, 0, name.length())
        || name.contains("--")) {
      return false;
    }
    for (int i = 0; i < name.length(); i++) {
      if (isLower(name.charAt(i))) {
        return true;
      }
    }
    return false;
  }

  static void portName(String name, String path, FieldErrors errors) {
    if (!isPortName(name)) {
      errors.add(
          path,
          "\""
              + name
              + "\" is not a port's name: 1 to "
              + MAX_PORT_NAME
              + " of a-z 0-9 and single -, with a letter, starting and ending with a letter or"
              + " digit");
    }
  }

  static void containerId(String id, String path, FieldErrors errors) {
    if (!isContainerId(id)) {
      errors.add(
          path,
          "\""
              + id
              + "\" is not a container's id: A-Z a-z 0-9 - _ and ., starting with a letter or"
              + " digit");
    }
  }

  /// What CNI allows, which is more than Calico does: `ctr` makes ids of names people choose.
  private static boolean isContainerId(String id) {
    if (id.isEmpty() || !isAlphanumeric(id.charAt(0))) {
      return false;
    }
    for (int i = 1; i < id.length(); i++) {
      if (!isAlphanumeric(id.charAt(i)) && !isPunctuation(id.charAt(i))) {
        return false;
      }
    }
    return true;
  }

  private static boolean isPunctuation(char c) {
    return c == '-' || c == '_' || c == '.';
  }

  static void labels(Map<String, String> labels, String path, FieldErrors errors) {
    labels.forEach(
        (key, value) -> {
          key(key, "label key", path, errors);
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

  static void annotations(Map<String, String> annotations, String path, FieldErrors errors) {
    long octets = 0;
    for (Map.Entry<String, String> annotation : annotations.entrySet()) {
      key(annotation.getKey().toLowerCase(Locale.ROOT), "annotation key", path, errors);
      octets += annotation.getKey().length() + annotation.getValue().length();
    }
    if (octets > MAX_ANNOTATIONS) {
      errors.add(path, octets + " octets in all; at most " + MAX_ANNOTATIONS + " are allowed");
    }
  }

  private static void key(String key, String noun, String path, FieldErrors errors) {
    int slash = key.indexOf('/');
    boolean prefixFits = slash < 0 || slash <= MAX_NAME && isDnsName(key.substring(0, slash));
    if (!prefixFits || !isLabel(key.substring(slash + 1))) {
      errors.add(
          path,
          "\""
              + key
              + "\" is not a "
              + noun
              + ": [prefix/]name, the name at most "
              + MAX_LABEL
              + " of A-Z a-z 0-9 - _ and .");
    }
  }

  private static boolean isLabel(String text) {
    return text.length() <= MAX_LABEL && isQualified(text);
  }
}
