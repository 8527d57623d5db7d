package io.margay.linux.route;

/// How far an address or route reaches (RT_SCOPE_ of `linux/rtnetlink.h`): the smaller, the
/// farther.
///
/// @param value 0 to 255; values without a name here may be user-defined
public record Scope(int value) {

  /// Anywhere: routes through a gateway.
  public static final Scope UNIVERSE = new Scope(0);

  public static final Scope SITE = new Scope(200);

  /// On the attached link: routes to a device.
  public static final Scope LINK = new Scope(253);

  public static final Scope HOST = new Scope(254);

  /// In a deletion: any.
  static final Scope NOWHERE = new Scope(255);

  public Scope {
    if (value < 0 || value > 255) {
      throw new IllegalArgumentException("scope " + value + " is not in 0..255");
    }
  }
}
