package io.margay.linux.route;

import io.margay.model.net.IpAddress;

/// An address on a device.
///
/// @param index the device
/// @param address the address itself, host bits kept
/// @param prefixLength of the network it is in; 32 or 128 for a pod
/// @param scope how far it is valid
/// @param isTentative whether IPv6 duplicate address detection has not finished: it cannot be used
///   yet
public record Address(
    int index, IpAddress address, int prefixLength, Scope scope, boolean isTentative) {

  public Address {
    if (prefixLength < 0 || prefixLength > address.family().bits()) {
      throw new IllegalArgumentException(
          "prefix length " + prefixLength + " of " + address + " on link " + index);
    }
  }

  /// An address usable at once, to be added.
  public Address(int index, IpAddress address, int prefixLength, Scope scope) {
    this(index, address, prefixLength, scope, false);
  }

  @Override
  public String toString() {
    return address + "/" + prefixLength + " on link " + index;
  }
}
