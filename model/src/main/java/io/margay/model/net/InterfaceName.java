package io.margay.model.net;

import java.nio.charset.StandardCharsets;

/// The name of a network device: 1 to 15 octets, as `dev_valid_name` of the kernel has it.
public record InterfaceName(String value) implements Comparable<InterfaceName> {

  /// IFNAMSIZ less its terminating zero (linux/if.h).
  public static final int MAX_OCTETS = 15;

  public InterfaceName {
    int octets = value.getBytes(StandardCharsets.UTF_8).length;
    if (octets < 1 || octets > MAX_OCTETS) {
      throw new IllegalArgumentException(
          "interface name \""
              + value
              + "\" has "
              + octets
              + " octets; 1 to "
              + MAX_OCTETS
              + " are allowed");
    }
    if (value.equals(".") || value.equals("..")) {
      throw new IllegalArgumentException("\"" + value + "\" is not an interface name");
    }
    for (int i = 0; i < value.length(); i++) {
      char c = value.charAt(i);
      if (c == '/' || c == ':' || c <= ' ' || c == 0x7f) {
        throw new IllegalArgumentException(
            "interface name \""
                + value
                + "\" contains \"/\", \":\", white space or a control character");
      }
    }
  }

  @Override
  public int compareTo(InterfaceName other) {
    return value.compareTo(other.value);
  }

  @Override
  public String toString() {
    return value;
  }
}
