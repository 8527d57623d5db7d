package io.margay.model.resource;

import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;

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

  private static final Pattern DNS_LABEL = Pattern.compile("[a-z0-9]([-a-z0-9]*[a-z0-9])?");
  private static final Pattern DNS_NAME =
      Pattern.compile("[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*");

  /// A plain name, or one with its tier before it; those Calico gives to converted Kubernetes and
  /// OpenStack policies go on with whatever those were called.
  private static final Pattern POLICY_NAME =
      Pattern.compile(
          "[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)?"
              + "|(knp|kanp|kbanp|kcnp|ossg)\\."
              + DNS_NAME.pattern());

  private static final Pattern LABEL = Pattern.compile("[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?");
  private static final Pattern PORT_NAME = Pattern.compile("[a-z0-9]+(-[a-z0-9]+)*");
  private static final Pattern CONTAINER =
      Pattern.compile("[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?");

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

  static void policyName(String name, String path, FieldErrors errors) {
    if (name.length() > MAX_NAME || !POLICY_NAME.matcher(name).matches()) {
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

  static void portName(String name, String path, FieldErrors errors) {
    boolean fits =
        name.length() <= MAX_PORT_NAME
            && PORT_NAME.matcher(name).matches()
            && name.chars().anyMatch(c -> c >= 'a' && c <= 'z');
    errors.unless(
        fits,
        path,
        "\""
            + name
            + "\" is not a port's name: 1 to "
            + MAX_PORT_NAME
            + " of a-z 0-9 and single -, with a letter, starting and ending with a letter or"
            + " digit");
  }

  static void containerId(String id, String path, FieldErrors errors) {
    errors.unless(
        CONTAINER.matcher(id).matches(),
        path,
        "\"" + id + "\" is not a container's id: A-Z a-z 0-9 and -");
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
    boolean prefixFits =
        slash < 0 || slash <= MAX_NAME && DNS_NAME.matcher(key.substring(0, slash)).matches();
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
    return text.length() <= MAX_LABEL && LABEL.matcher(text).matches();
  }
}
