package io.margay.model.k8s;

import java.util.regex.Pattern;

/// What the Kubernetes API server takes as a name, a label or the name of a port.
final class KubernetesNames {

  /// Octets of the longest object name, and of the longest prefix of a label key.
  static final int MAX_NAME = 253;

  /// Octets of the longest namespace name, label name and label value.
  static final int MAX_LABEL = 63;

  /// Octets of the longest port name (an IANA service name).
  static final int MAX_PORT_NAME = 15;

  private static final Pattern DNS_LABEL = Pattern.compile("[a-z0-9]([-a-z0-9]*[a-z0-9])?");
  private static final Pattern SUBDOMAIN =
      Pattern.compile("[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*");
  private static final Pattern QUALIFIED =
      Pattern.compile("[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?");

  private KubernetesNames() {}

  /// A name of most objects (RFC 1123 subdomain).
  static boolean isName(String text) {
    return text.length() <= MAX_NAME && SUBDOMAIN.matcher(text).matches();
  }

  /// The name of a namespace (RFC 1123 label).
  static boolean isNamespace(String text) {
    return text.length() <= MAX_LABEL && DNS_LABEL.matcher(text).matches();
  }

  /// `[prefix/]name`.
  static boolean isLabelKey(String text) {
    int slash = text.indexOf('/');
    return (slash < 0 || isName(text.substring(0, slash)))
        && isQualified(text.substring(slash + 1));
  }

  static boolean isLabelValue(String text) {
    return text.isEmpty() || isQualified(text);
  }

  private static boolean isQualified(String text) {
    return text.length() <= MAX_LABEL && QUALIFIED.matcher(text).matches();
  }

  /// Small letters, digits and single dashes within, at least one letter.
  static boolean isPortName(String text) {
    return text.length() <= MAX_PORT_NAME
        && DNS_LABEL.matcher(text).matches()
        && !text.contains("--")
        && text.chars().anyMatch(c -> c >= 'a' && c <= 'z');
  }
}
