package io.margay.cli.policy;

import com.fasterxml.jackson.databind.JsonNode;
import io.margay.datastore.json.DocumentTrees;
import io.margay.model.k8s.LabelSelector;
import io.margay.model.net.IpAddress;
import io.margay.model.resource.AddressOnLink;
import io.margay.model.resource.Node;
import io.margay.model.resource.NodeAddress;
import io.margay.model.resource.NodeBgp;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// The nodes of a world, of both kinds of documents: names, labels and addresses.
final class Nodes {

  private final Map<String, List<IpAddress>> addresses = new LinkedHashMap<>();
  private final Map<String, Map<String, String>> labels = new LinkedHashMap<>();
  private final Map<IpAddress, String> names = new HashMap<>();

  /// Takes a Kubernetes node; its `status.addresses` that are IP addresses count.
  ///
  /// @return warnings
  List<String> read(DocumentTrees.Tree tree) {
    String name = tree.node().path("metadata").path("name").asText("");
    if (name.isEmpty()) {
      return List.of(tree.origin().place() + ": metadata.name is required; the Node is ignored");
    }
    List<IpAddress> found = new ArrayList<>();
    List<String> warnings = new ArrayList<>();
    for (JsonNode entry : tree.node().path("status").path("addresses")) {
      String type = entry.path("type").asText("InternalIP");
      if (type.endsWith("IP")) {
        try {
          found.add(IpAddress.parse(entry.path("address").asText("")));
        } catch (IllegalArgumentException none) {
          warnings.add(
              tree.origin().place()
                  + ": Node "
                  + name
                  + ", status.addresses: "
                  + none.getMessage());
        }
      }
    }
    Map<String, String> its = new TreeMap<>();
    tree.node()
        .path("metadata")
        .path("labels")
        .properties()
        .forEach(label -> its.put(label.getKey(), label.getValue().asText()));
    put(name, found, its);
    return warnings;
  }

  /// Takes one of Calico's.
  void read(Node node) {
    List<IpAddress> found = new ArrayList<>();
    NodeBgp bgp = node.spec().bgp();
    if (bgp != null) {
      add(found, bgp.ipv4Address());
      add(found, bgp.ipv6Address());
    }
    for (NodeAddress address : node.spec().addresses()) {
      String text = address.address();
      int slash = text.indexOf('/');
      try {
        found.add(IpAddress.parse(slash < 0 ? text : text.substring(0, slash)));
      } catch (IllegalArgumentException aName) {
        // A node may be known by names too.
      }
    }
    put(node.metadata().name(), found, node.metadata().labels());
  }

  private static void add(List<IpAddress> found, @Nullable AddressOnLink address) {
    if (address != null) {
      found.add(address.address());
    }
  }

  private void put(String name, List<IpAddress> found, Map<String, String> its) {
    found.forEach(address -> add(name, address));
    labels.computeIfAbsent(name, _ -> new TreeMap<>()).putAll(its);
  }

  /// The node is known to have the address.
  void add(String name, IpAddress address) {
    List<IpAddress> all = addresses.computeIfAbsent(name, _ -> new ArrayList<>());
    if (!all.contains(address)) {
      all.add(address);
      names.putIfAbsent(address, name);
    }
  }

  /// The node that has the address; null if none is known to.
  @Nullable String at(IpAddress address) {
    return names.get(address);
  }

  /// The addresses of a node; empty if it is not known.
  List<IpAddress> addresses(String name) {
    return List.copyOf(addresses.getOrDefault(name, List.of()));
  }

  /// The addresses of the nodes that a selector picks.
  List<IpAddress> addresses(LabelSelector selector) {
    List<IpAddress> found = new ArrayList<>();
    labels.forEach(
        (name, its) -> {
          if (selector.matches(its)) {
            found.addAll(addresses(name));
          }
        });
    return found;
  }

  /// The nodes' names by their addresses.
  Map<IpAddress, String> byAddress() {
    return Map.copyOf(names);
  }
}
