package io.margay.agent.settings;

import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import java.util.stream.Collectors;

/// How a node comes by its address of one family: `bgp.ipv4` and `bgp.ipv6`. Methods and their
/// spelling are those of Calico's `IP_AUTODETECTION_METHOD`.
public sealed interface AddressChoice {

  /// What a value must be, as an error says it.
  static String expected(IpFamily family) {
    return "an IPv"
        + family.version()
        + " address, none, first-found, interface=REGEX[,…], skip-interface=REGEX[,…],"
        + " cidr=CIDR[,…] or can-reach=HOST";
  }

  /// Nothing was said: what the Node has, and if it has no address at all, its first IPv4 address.
  record Unsaid() implements AddressChoice {}

  /// This one.
  record Given(IpAddress address) implements AddressChoice {}

  /// None is looked for; what the Node has is left as it is.
  record None() implements AddressChoice {}

  /// The first on a link whose name is not one of the usual ones of software.
  record FirstFound() implements AddressChoice {}

  /// The first on a link whose name matches one of these.
  record OnInterfaces(List<Pattern> names) implements AddressChoice {
    public OnInterfaces {
      names = List.copyOf(names);
    }
  }

  /// As [FirstFound], without links whose names match one of these.
  record SkippingInterfaces(List<Pattern> names) implements AddressChoice {
    public SkippingInterfaces {
      names = List.copyOf(names);
    }
  }

  /// The first inside one of these.
  record InCidrs(List<Prefix> cidrs) implements AddressChoice {
    public InCidrs {
      cidrs = List.copyOf(cidrs);
    }
  }

  /// The one that packets to this host are sent from.
  ///
  /// @param host an address, or a name to be looked up
  record CanReach(String host) implements AddressChoice {}

  /// Whether the kernel is asked for an address, again and again.
  default boolean isDetected() {
    return switch (this) {
      case Unsaid _, Given _, None _ -> false;
      case FirstFound _, OnInterfaces _, SkippingInterfaces _, InCidrs _, CanReach _ -> true;
    };
  }

  /// As a file has it.
  default String written() {
    return switch (this) {
      case Unsaid _ -> "(not set)";
      case Given(IpAddress address) -> address.toString();
      case None _ -> "none";
      case FirstFound _ -> "first-found";
      case OnInterfaces(List<Pattern> names) -> "interface=" + joined(names);
      case SkippingInterfaces(List<Pattern> names) -> "skip-interface=" + joined(names);
      case InCidrs(List<Prefix> cidrs) -> "cidr=" + joined(cidrs);
      case CanReach(String host) -> "can-reach=" + host;
    };
  }

  private static String joined(List<?> items) {
    return items.stream().map(Object::toString).collect(Collectors.joining(","));
  }

  /// Parses a setting.
  ///
  /// @throws IllegalArgumentException when it is none of [#expected]
  static AddressChoice parse(String text, IpFamily family) {
    int equals = text.indexOf('=');
    String method = equals < 0 ? text : text.substring(0, equals);
    String value = equals < 0 ? "" : text.substring(equals + 1).strip();
    if (equals >= 0 && value.isEmpty()) {
      throw new IllegalArgumentException(method + "= names nothing");
    }
    return switch (method) {
      case "none" -> new None();
      case "first-found", "autodetect" -> new FirstFound();
      case "interface" -> new OnInterfaces(list(value, AddressChoice::pattern));
      case "skip-interface" -> new SkippingInterfaces(list(value, AddressChoice::pattern));
      case "cidr" -> new InCidrs(list(value, cidr -> ofFamily(Prefix.parse(cidr), family)));
      case "can-reach" -> new CanReach(value);
      default -> {
        IpAddress address = IpAddress.parse(text);
        if (address.family() != family) {
          throw new IllegalArgumentException(text + " is not of IPv" + family.version());
        }
        yield new Given(address);
      }
    };
  }

  private static Prefix ofFamily(Prefix cidr, IpFamily family) {
    if (cidr.family() != family) {
      throw new IllegalArgumentException(cidr + " is not of IPv" + family.version());
    }
    return cidr;
  }

  private static Pattern pattern(String regex) {
    try {
      return Pattern.compile(regex);
    } catch (PatternSyntaxException malformed) {
      throw new IllegalArgumentException(malformed.getMessage(), malformed);
    }
  }

  private static <T> List<T> list(String value, Function<String, T> parse) {
    List<T> items = new ArrayList<>();
    for (String item : value.split(",", -1)) {
      if (item.isBlank()) {
        throw new IllegalArgumentException("an empty item in " + value);
      }
      items.add(parse.apply(item.strip()));
    }
    return items;
  }
}
