package io.margay.model.resource;

/// A port in a rule: one, a range, or the name of an endpoint's port.
public sealed interface Port {

  /// The highest port number.
  int MAX = 65535;

  /// Parses `80`, `80:90` or a name.
  ///
  /// @throws IllegalArgumentException naming the text
  static Port parse(String text) {
    int colon = text.indexOf(':');
    if (colon > 0 && isNumber(text, 0, colon) && isNumber(text, colon + 1, text.length())) {
      return new Range(number(text, 0, colon), number(text, colon + 1, text.length()));
    }
    return isNumber(text, 0, text.length())
        ? new Single(number(text, 0, text.length()))
        : new Named(text);
  }

  private static boolean isNumber(String text, int from, int to) {
    return from < to && text.substring(from, to).chars().allMatch(c -> c >= '0' && c <= '9');
  }

  private static int number(String text, int from, int to) {
    // Anything longer than five digits is out of range whatever it is.
    return to - from > 5 ? Integer.MAX_VALUE : Integer.parseInt(text.substring(from, to));
  }

  /// One port, 0 to 65535.
  record Single(int port) implements Port {

    public Single {
      if (port < 0 || port > MAX) {
        throw new IllegalArgumentException("port " + port + " is not in 0..65535");
      }
    }

    @Override
    public String toString() {
      return Integer.toString(port);
    }
  }

  /// All ports from `first` to `last`, both included.
  record Range(int first, int last) implements Port {

    public Range {
      if (first < 0 || last > MAX || first > last) {
        throw new IllegalArgumentException(
            "port range \"" + first + ":" + last + "\" is not ascending within 0..65535");
      }
    }

    @Override
    public String toString() {
      return first + ":" + last;
    }
  }

  /// What each endpoint itself calls by this name.
  record Named(String name) implements Port {

    /// Octets of the longest name.
    public static final int MAX_LENGTH = 128;

    public Named {
      if (name.isEmpty()
          || name.length() > MAX_LENGTH
          || !name.chars().allMatch(Named::isAllowed)) {
        throw new IllegalArgumentException(
            "port \""
                + name
                + "\" is not a number, a range \"a:b\" or a name of letters, digits, \"_\", \".\","
                + " \"-\"");
      }
    }

    private static boolean isAllowed(int c) {
      return c >= 'a' && c <= 'z'
          || c >= 'A' && c <= 'Z'
          || c >= '0' && c <= '9'
          || c == '_'
          || c == '.'
          || c == '-';
    }

    @Override
    public String toString() {
      return name;
    }
  }
}
