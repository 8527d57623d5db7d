package io.margay.cni;

import io.margay.linux.netns.Netns;
import io.margay.model.net.InterfaceName;
import java.util.function.IntSupplier;

/// What the verbs know of the node they run on.
///
/// @param name of the node, as in the datastore
/// @param interfacePrefix of host ends (FelixConfiguration `interfacePrefix`): 1 to 4 characters
/// @param podMtu in octets, where the configuration names none; asked at each ADD
/// @param netns identity of the agent's own network namespace, which no pod may have
public record CniNode(
    String name, String interfacePrefix, IntSupplier podMtu, Netns.NetnsId netns) {

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

  /// A node whose links never change.
  public CniNode(String name, String interfacePrefix, int mtu, Netns.NetnsId netns) {
    this(name, interfacePrefix, () -> mtu, netns);
  }

  /// Octets of a pod's packet now, where the configuration names none.
  public int mtu() {
    return podMtu.getAsInt();
  }
}
