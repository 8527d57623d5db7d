package io.margay.linux.route;

import io.margay.model.net.InterfaceName;
import io.margay.model.net.MacAddress;
import java.nio.charset.StandardCharsets;

/// A veth pair to be born with one end here and the other in a pod's namespace.
///
/// @param host name of the end in our namespace; it comes up at once
/// @param hostMac set explicitly, so that udev leaves it alone (NET_ADDR_SET)
/// @param peer name of the end in the pod's namespace; it is down until somebody inside sets it up
/// @param peerMac as `hostMac`
/// @param peerNetnsFd an open descriptor of the pod's namespace
/// @param mtu octets, of both ends
/// @param alias the mark of the host end, at most 255 octets
public record VethSpec(
    InterfaceName host,
    MacAddress hostMac,
    InterfaceName peer,
    MacAddress peerMac,
    int peerNetnsFd,
    int mtu,
    String alias) {

  /// ETH_MIN_MTU of the kernel.
  public static final int MIN_MTU = 68;

  /// ETH_MAX_MTU of the kernel.
  public static final int MAX_MTU = 65535;

  /// IFALIASZ less its terminating zero.
  public static final int MAX_ALIAS_OCTETS = 255;

  public VethSpec {
    if (mtu < MIN_MTU || mtu > MAX_MTU) {
      throw new IllegalArgumentException(
          "MTU " + mtu + " of " + host + " is not in " + MIN_MTU + ".." + MAX_MTU);
    }
    requireAlias(alias);
  }

  static String requireAlias(String alias) {
    int octets = alias.getBytes(StandardCharsets.UTF_8).length;
    if (octets > MAX_ALIAS_OCTETS) {
      throw new IllegalArgumentException(
          "interface alias \"" + alias + "\" has " + octets + " octets; 255 are allowed");
    }
    return alias;
  }
}
