package io.margay.model.resource;

import java.util.Locale;
import java.util.Map;
import java.util.Objects;

/// An IP protocol in a rule, in the form it was written.
public sealed interface Protocol {

  /// The number in the IP header (IANA protocol numbers).
  int number();

  /// Whether its packets have ports.
  default boolean hasPorts() {
    return switch (number()) {
      case 6, 17, 132, 136 -> true;
      default -> false;
    };
  }

  /// Whether it is ICMP or ICMPv6.
  default boolean isIcmp() {
    return number() == 1 || number() == 58;
  }

  /// Parses a name, in any case, or a decimal number.
  ///
  /// @throws IllegalArgumentException naming the text and what is known
  static Protocol parse(String text) {
    if (isNumber(text)) {
      return new Numbered(text.length() > 3 ? Integer.MAX_VALUE : Integer.parseInt(text));
    }
    Named known = Named.BY_LOWER_CASE.get(text.toLowerCase(Locale.ROOT));
    return known == null ? new Named(text) : known;
  }

  private static boolean isNumber(String text) {
    for (int i = 0; i < text.length(); i++) {
      if (text.charAt(i) < '0' || text.charAt(i) > '9') {
        return false;
      }
    }
    return !text.isEmpty();
  }

  /// A protocol by name.
  ///
  /// @param name one of TCP, UDP, SCTP, ICMP, ICMPv6, UDPLite
  record Named(String name) implements Protocol {

    private static final Map<String, Integer> NUMBERS =
        Map.of("TCP", 6, "UDP", 17, "SCTP", 132, "ICMP", 1, "ICMPv6", 58, "UDPLite", 136);

    public static final Named TCP = new Named("TCP");
    public static final Named UDP = new Named("UDP");
    public static final Named SCTP = new Named("SCTP");
    public static final Named ICMP = new Named("ICMP");
    public static final Named ICMPV6 = new Named("ICMPv6");
    public static final Named UDP_LITE = new Named("UDPLite");

    private static final Map<String, Named> BY_LOWER_CASE =
        Map.of(
            "tcp", TCP, "udp", UDP, "sctp", SCTP, "icmp", ICMP, "icmpv6", ICMPV6, "udplite",
            UDP_LITE);

    public Named {
      if (!NUMBERS.containsKey(name)) {
        throw new IllegalArgumentException(
            "protocol \""
                + name
                + "\" is not TCP, UDP, SCTP, ICMP, ICMPv6, UDPLite or a number 1 to 255");
      }
    }

    @Override
    public int number() {
      return Objects.requireNonNull(NUMBERS.get(name));
    }

    @Override
    public String toString() {
      return name;
    }
  }

  /// A protocol by number.
  ///
  /// @param number 1 to 255
  record Numbered(int number) implements Protocol {

    public Numbered {
      if (number < 1 || number > 255) {
        throw new IllegalArgumentException("protocol number " + number + " is not in 1..255");
      }
    }

    @Override
    public String toString() {
      return Integer.toString(number);
    }
  }
}
