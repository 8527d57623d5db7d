package io.margay.cli.node;

import java.util.regex.Pattern;

/// Takes secrets out of text that people will send around: values of keys that name one, passwords
/// in addresses, private keys.
final class Redaction {

  private static final String INSTEAD = "(redacted)";
  private static final String QUOTED = "\"" + INSTEAD + "\"";
  private static final String NAMES = "[\\w.\\-]*(?:password|passwd|secret|token)[\\w.\\-]*";

  /// The rest of a line of YAML.
  private static final Pattern LINE =
      Pattern.compile("(?im)^([\\s\\-]*" + NAMES + "\\s*:[ \\t]+)(?=[^\\s{\\[]).*$");

  /// A value within a line of JSON, or of flow style YAML.
  private static final Pattern INLINE =
      Pattern.compile(
          "(?i)([{,]\\s*\"?" + NAMES + "\"?\\s*:\\s*)(\"[^\"]*\"|'[^']*'|[^\\s,}\"'\\[{]+)");

  private static final Pattern IN_ADDRESS = Pattern.compile("(://[^/\\s:@]*:)[^/\\s@]+@");

  private static final Pattern PRIVATE_KEY =
      Pattern.compile("(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----");

  private Redaction() {}

  static String of(String text) {
    String without = PRIVATE_KEY.matcher(text).replaceAll(INSTEAD);
    without = IN_ADDRESS.matcher(without).replaceAll("$1" + INSTEAD + "@");
    without = INLINE.matcher(without).replaceAll("$1" + QUOTED);
    return LINE.matcher(without).replaceAll("$1" + QUOTED);
  }
}
