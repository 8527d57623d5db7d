package io.margay.linux.nft;

import io.margay.model.net.IpFamily;

/// The typed fields of a set's key.
///
/// Numbers are the data types of the nft tool (`enum datatypes` of its datatype.h); the kernel only
/// carries them, so that a reader can print keys.
public enum NftField {
  IPV4_ADDRESS(7, 4),
  IPV6_ADDRESS(8, 16),
  PROTOCOL(12, 1),
  PORT(13, 2),
  MARK(19, 4),
  INTERFACE_NAME(41, NftData.INTERFACE_NAME_OCTETS);

  private final int typeId;
  private final int octets;

  NftField(int typeId, int octets) {
    this.typeId = typeId;
    this.octets = octets;
  }

  /// The address field of a family.
  public static NftField address(IpFamily family) {
    return switch (family) {
      case IPV4 -> IPV4_ADDRESS;
      case IPV6 -> IPV6_ADDRESS;
    };
  }

  int typeId() {
    return typeId;
  }

  int octets() {
    return octets;
  }

  int paddedOctets() {
    return NftData.padded(octets);
  }
}
