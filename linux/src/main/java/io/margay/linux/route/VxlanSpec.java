package io.margay.linux.route;

import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.MacAddress;

/// A VXLAN device (RFC 7348) as it should be. It learns nothing and floods nothing: it reaches the
/// machines that the [ForwardingDatabase] names, and no others. It is bound to no other device, so
/// that wrapped packets follow the routes, over several links if those do.
///
/// @param name of the device
/// @param mac of the inner frames it sends and takes
/// @param vni VXLAN network identifier, 24 bits
/// @param port UDP port of the outer packets, here and at the others'
/// @param local source address of the outer packets; its family is theirs
/// @param mtu octets of an inner packet
/// @param alias its mark, at most 255 octets
public record VxlanSpec(
    InterfaceName name, MacAddress mac, int vni, int port, IpAddress local, int mtu, String alias) {

  private static final int MAX_VNI = 0xff_ffff;
  private static final int MAX_PORT = 0xffff;

  public VxlanSpec {
    if (vni < 0 || vni > MAX_VNI) {
      throw new IllegalArgumentException("VNI " + vni + " of " + name + " is not in 0.." + MAX_VNI);
    }
    if (port < 1 || port > MAX_PORT) {
      throw new IllegalArgumentException(
          "UDP port " + port + " of " + name + " is not in 1.." + MAX_PORT);
    }
    if (mtu < VethSpec.MIN_MTU || mtu > VethSpec.MAX_MTU) {
      throw new IllegalArgumentException(
          "MTU "
              + mtu
              + " of "
              + name
              + " is not in "
              + VethSpec.MIN_MTU
              + ".."
              + VethSpec.MAX_MTU);
    }
    VethSpec.requireAlias(alias);
  }
}
