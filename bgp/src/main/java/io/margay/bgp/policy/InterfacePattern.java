package io.margay.bgp.policy;

import io.margay.model.net.InterfaceName;

/// Names of interfaces: `*` stands for any characters or none, `?` for one.
///
/// @param glob 1 to 15 characters
public record InterfacePattern(String glob) {

  public InterfacePattern {
    if (glob.isEmpty() || glob.length() > InterfaceName.MAX_OCTETS) {
      throw new IllegalArgumentException(
          "\""
              + glob
              + "\" is not an interface pattern: 1 to "
              + InterfaceName.MAX_OCTETS
              + " characters");
    }
    if (!glob.chars().allMatch(c -> c > ' ' && c != 0x7f && c != '/' && c != ':')) {
      throw new IllegalArgumentException(
          "\""
              + glob
              + "\" is not an interface pattern: it contains \"/\", \":\", white space or a control"
              + " character");
    }
  }

  /// Whether the whole name fits.
  boolean matches(InterfaceName name) {
    String text = name.value();
    int at = 0;
    int inGlob = 0;
    // Where to resume when what follows the last star turns out not to fit.
    int star = -1;
    int starAt = 0;
    while (at < text.length()) {
      if (inGlob < glob.length()
          && glob.charAt(inGlob) != '*'
          && (glob.charAt(inGlob) == '?' || glob.charAt(inGlob) == text.charAt(at))) {
        at++;
        inGlob++;
      } else if (inGlob < glob.length() && glob.charAt(inGlob) == '*') {
        star = inGlob++;
        starAt = at;
      } else if (star >= 0) {
        inGlob = star + 1;
        at = ++starAt;
      } else {
        return false;
      }
    }
    while (inGlob < glob.length() && glob.charAt(inGlob) == '*') {
      inGlob++;
    }
    return inGlob == glob.length();
  }

  @Override
  public String toString() {
    return glob;
  }
}
