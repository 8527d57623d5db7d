package io.margay.model.resource;

import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;

/// An address and the length of the subnet it is on: `192.0.2.7/24`.
public record AddressOnLink(IpAddress address, int prefixLength) {

  public AddressOnLink {
    if (prefixLength < 0 || prefixLength > address.family().bits()) {
      throw new IllegalArgumentException(
          "prefix length "
              + prefixLength
              + " of "
              + address
              + " is not in 0.."
              + address.family().bits());
    }
  }

  /// Parses `address/length`; a bare address is alone on its subnet.
  ///
  /// @throws IllegalArgumentException naming the text
  public static AddressOnLink parse(String text) {
    int slash = text.indexOf('/');
    if (slash < 0) {
      IpAddress address = IpAddress.parse(text);
      return new AddressOnLink(address, address.family().bits());
    }
    return new AddressOnLink(
        IpAddress.parse(text.substring(0, slash)), Prefix.parseLenient(text).length());
  }

  /// The subnet.
  public Prefix subnet() {
    return Prefix.containing(address, prefixLength);
  }

  @Override
  public String toString() {
    return address + "/" + prefixLength;
  }
}
