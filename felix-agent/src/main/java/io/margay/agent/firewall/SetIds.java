package io.margay.agent.firewall;

import java.util.HashMap;
import java.util.Map;

/// The 32-bit number that stands for a set in the kernel.
///
/// Derived from the set's name, so a restarted agent finds its elements unchanged; never given to
/// another set while this process lives, because an element that outlived its set would then let
/// somebody in.
final class SetIds {

  private final Map<String, Integer> ids = new HashMap<>();
  private final Map<Integer, String> names = new HashMap<>();

  int id(String name) {
    Integer known = ids.get(name);
    if (known != null) {
      return known;
    }
    int id = (int) Long.parseUnsignedLong(Layout.hash(name), 16);
    while (id == 0 || names.containsKey(id)) {
      id++;
    }
    names.put(id, name);
    ids.put(name, id);
    return id;
  }
}
