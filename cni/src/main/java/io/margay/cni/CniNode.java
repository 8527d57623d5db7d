package io.margay.cni;

import io.margay.linux.netns.Netns;
import io.margay.model.net.InterfaceName;

/// What the verbs know of the node they run on.
///
/// @param name of the node, as in the datastore
/// @param interfacePrefix of host ends (FelixConfiguration `interfacePrefix`): 1 to 4 characters
/// @param mtu of pods, in octets, where the configuration names none
/// @param netns identity of the agent's own network namespace, which no pod may have
public record CniNode(String name, String interfacePrefix, int mtu, Netns.NetnsId netns) {

  /// What 11 digits leave of an interface name.
  private static final int MAX_PREFIX = 4;

  public CniNode {
    if (interfacePrefix.isEmpty() || interfacePrefix.length() > MAX_PREFIX) {
      throw new IllegalArgumentException(
          "interface prefix \""
              + interfacePrefix
              + "\" found, 1 to "
              + MAX_PREFIX
              + " characters expected");
    }
    InterfaceName checked = new InterfaceName(interfacePrefix);
    interfacePrefix = checked.value();
  }
}
