package io.margay.cni;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// Keys of configurations and arguments that nobody reads, each said once a network: runtimes send
/// the same ones with every pod. From any thread.
final class OddKeys {

  /// So that a runtime that invents keys can't fill the memory.
  private static final int MAX_REMEMBERED = 1000;

  private final Set<String> said = new HashSet<>();

  /// @return a line about those that were not said yet; empty when there are none
  synchronized String warning(String network, String what, List<String> keys) {
    List<String> fresh = new ArrayList<>();
    for (String key : keys) {
      if (said.size() < MAX_REMEMBERED && said.add(network + "/" + what + "/" + key)) {
        fresh.add(key);
      }
    }
    return fresh.isEmpty()
        ? ""
        : "margay-cni: network "
            + network
            + ": unknown "
            + what
            + " ignored: "
            + String.join(", ", fresh)
            + "\n";
  }
}
