package io.margay.model.net;

/// The two address families. Everything that differs between them is a parameter taken from here.
public enum IpFamily {
  IPV4(4, 32),
  IPV6(6, 128);

  private final int version;
  private final int bits;

  IpFamily(int version, int bits) {
    this.version = version;
    this.bits = bits;
  }

  /// 4 or 6.
  public int version() {
    return version;
  }

  /// Length of an address in bits: 32 or 128.
  public int bits() {
    return bits;
  }

  /// Length of an address in octets: 4 or 16.
  public int octets() {
    return bits / 8;
  }

  /// The family of a version number as Kubernetes and Calico write it.
  ///
  /// @throws IllegalArgumentException for anything but 4 and 6
  public static IpFamily ofVersion(int version) {
    return switch (version) {
      case 4 -> IPV4;
      case 6 -> IPV6;
      default ->
          throw new IllegalArgumentException("IP version " + version + " is neither 4 nor 6");
    };
  }
}
