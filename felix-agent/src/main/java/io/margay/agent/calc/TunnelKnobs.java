package io.margay.agent.calc;

import io.margay.linux.route.VethSpec;
import io.margay.model.net.IpFamily;
import io.margay.model.resource.Port;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// The knobs of FelixConfiguration that say how packets between nodes are wrapped. All nodes of a
/// cluster need the same VNI and port.
///
/// @param vni `vxlanVNI`
/// @param port `vxlanPort`, UDP
/// @param mtuV4 `vxlanMTU`: octets of a packet inside an IPv4 tunnel; empty: found out
/// @param mtuV6 `vxlanMTUV6`, of an IPv6 tunnel
public record TunnelKnobs(int vni, int port, OptionalInt mtuV4, OptionalInt mtuV6) {

  /// Felix' own.
  public static final TunnelKnobs DEFAULT =
      new TunnelKnobs(4096, 4789, OptionalInt.empty(), OptionalInt.empty());

  private static final int MAX_VNI = 0xff_ffff;

  /// The least that IPv6 works with (RFC 8200 §5).
  private static final int MIN_MTU_V6 = 1280;

  /// The MTU that is set for a family.
  public OptionalInt mtu(IpFamily family) {
    return switch (family) {
      case IPV4 -> mtuV4;
      case IPV6 -> mtuV6;
    };
  }

  /// @param knobs a knob's value by its name; null = not set
  /// @param problems gains what can't be used
  static TunnelKnobs read(Function<String, @Nullable Object> knobs, List<String> problems) {
    return new TunnelKnobs(
        number("vxlanVNI", knobs, 0, MAX_VNI, DEFAULT.vni(), problems),
        number("vxlanPort", knobs, 1, Port.MAX, DEFAULT.port(), problems),
        mtu("vxlanMTU", VethSpec.MIN_MTU, knobs, problems),
        mtu("vxlanMTUV6", MIN_MTU_V6, knobs, problems));
  }

  private static int number(
      String name,
      Function<String, @Nullable Object> knobs,
      int least,
      int most,
      int unset,
      List<String> problems) {
    Object value = knobs.apply(name);
    if (value == null) {
      return unset;
    }
    try {
      int number = Integer.parseInt(value.toString());
      if (number >= least && number <= most) {
        return number;
      }
    } catch (NumberFormatException notANumber) {
      // Said below.
    }
    problems.add(
        name + ": " + value + " is not in " + least + ".." + most + "; " + unset + " is used");
    return unset;
  }

  private static OptionalInt mtu(
      String name, int least, Function<String, @Nullable Object> knobs, List<String> problems) {
    Object value = knobs.apply(name);
    if (value == null || value.toString().equals("0")) {
      return OptionalInt.empty();
    }
    int mtu = number(name, knobs, least, VethSpec.MAX_MTU, 0, problems);
    // 0 means that it is found out, to Felix as well.
    return mtu == 0 ? OptionalInt.empty() : OptionalInt.of(mtu);
  }
}
