package io.margay.agent.overlay;

import io.margay.model.net.IpFamily;
import io.margay.model.net.MacAddress;
import io.margay.model.resource.NodeSpec;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/// The MAC address of a node's tunnel device by Calico's rule, so that every node knows every
/// other's without being told: the letter `f` and the first five octets of the SHA-1 of the node's
/// name, which for IPv6 ends in `-v6` (Felix `vtepMACForHost`).
final class TunnelMac {

  private static final int OCTETS = 6;

  private TunnelMac() {}

  /// What the Node resource says, or what follows from the name.
  static MacAddress of(String nodeName, NodeSpec node, IpFamily family) {
    MacAddress said =
        switch (family) {
          case IPV4 -> node.vxlanTunnelMACAddr();
          case IPV6 -> node.vxlanTunnelMACAddrV6();
        };
    return said == null ? of(nodeName, family) : said;
  }

  static MacAddress of(String nodeName, IpFamily family) {
    String text =
        switch (family) {
          case IPV4 -> nodeName;
          case IPV6 -> nodeName + "-v6";
        };
    byte[] octets = new byte[OCTETS];
    octets[0] = 'f';
    System.arraycopy(sha1(text), 0, octets, 1, OCTETS - 1);
    return MacAddress.of(octets);
  }

  private static byte[] sha1(String text) {
    try {
      return MessageDigest.getInstance("SHA-1").digest(text.getBytes(StandardCharsets.UTF_8));
    } catch (NoSuchAlgorithmException everyJdkHasIt) {
      throw new IllegalStateException(everyJdkHasIt);
    }
  }
}
