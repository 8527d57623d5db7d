package io.margay.linux.route;

import io.margay.model.net.IpAddress;
import io.margay.model.net.MacAddress;

/// To which machine a VXLAN device sends the frames for a MAC address.
///
/// @param index the VXLAN device
/// @param mac destination of the inner frame
/// @param machine destination of the outer packet
/// @param isPermanent false: the kernel has learned it by itself
public record ForwardingEntry(int index, MacAddress mac, IpAddress machine, boolean isPermanent) {

  /// One that stays until it is removed.
  public static ForwardingEntry permanent(int index, MacAddress mac, IpAddress machine) {
    return new ForwardingEntry(index, mac, machine, true);
  }
}
