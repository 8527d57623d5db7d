package io.margay.ipam.care;

import io.margay.datastore.DatastoreException;
import io.margay.datastore.KeyValue;
import io.margay.datastore.json.ResourceKeys;
import io.margay.ipam.IpamKeys;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import io.margay.model.resource.Kind;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;

/// What an agent reads to judge its own node's garbage, and, where it is its turn, that of nodes
/// that are gone: of all blocks those that such a node owns or has an address of, and of all
/// endpoints those that use an address of these. Everything else of the cluster is passed over with
/// hardly a look, since every agent does this every few minutes.
///
/// Documents are gone through twice, first to see whose they are. What has changed in between is at
/// most suspected or overlooked for one round, and is compared once more before it is freed.
public final class JudgedPart {

  private static final String NODES = ResourceKeys.prefix(Kind.NODE);
  private static final String AFFINITY = "\"affinity\":";
  private static final String OWNER = AFFINITY + "\"host:";
  private static final String HOLDER = "\"node\":\"";
  private static final String HANDLE = "\"handle_id\":\"";
  private static final String NETWORKS = "\"ipNetworks\":[";

  private final String node;
  private final boolean judgesVanished;
  private final Set<String> nodes = new HashSet<>();
  private final Set<Prefix> blocks = new HashSet<>();

  /// Of [#blocks].
  private final Set<Integer> lengths = new TreeSet<>();

  /// Blocks that name nodes other than ours; of interest if there is no Node of one of them.
  private final Map<Prefix, Set<String>> others = new HashMap<>();

  private final Map<Set<String>, Set<String>> sameNames = new HashMap<>();

  private JudgedPart(String node, boolean judgesVanished) {
    this.node = node;
    this.judgesVanished = judgesVanished;
  }

  /// @param source asked twice
  /// @param judgesVanished whether nodes that are gone are judged, too
  public static IpamState read(IpamState.Source source, String node, boolean judgesVanished)
      throws DatastoreException {
    JudgedPart part = new JudgedPart(node, judgesVanished);
    source.forEach(part::survey);
    part.chooseVanished();
    StateReader reader = new StateReader();
    source.forEach(item -> part.take(item, reader::take));
    return reader.state();
  }

  private void survey(KeyValue item) {
    String key = item.key();
    if (key.startsWith(NODES)) {
      nodes.add(key.substring(NODES.length()));
      return;
    }
    IpamKeys.blockOf(key).ifPresent(block -> survey(block, item.value()));
  }

  private void survey(Prefix block, String document) {
    Set<String> names = names(document);
    if (names.isEmpty() || names.contains(node)) {
      choose(block);
    } else if (judgesVanished) {
      others.put(block, sameNames.computeIfAbsent(names, Set::copyOf));
    }
  }

  private void chooseVanished() {
    others.forEach(
        (block, names) -> {
          if (!nodes.containsAll(names)) {
            choose(block);
          }
        });
    others.clear();
    sameNames.clear();
  }

  private void choose(Prefix block) {
    blocks.add(block);
    lengths.add(block.length());
  }

  /// The nodes a block's document names, found without reading it as what it is; none if it is not
  /// written as Calico and we write it.
  private static Set<String> names(String document) {
    Set<String> names = new HashSet<>();
    if (!document.contains(AFFINITY) || document.contains("\": ") || document.contains("\" :")) {
      return names;
    }
    forEachText(document, OWNER, names::add);
    forEachText(document, HOLDER, names::add);
    forEachText(document, HANDLE, handle -> Holder.nodeInHandle(handle).ifPresent(names::add));
    return names;
  }

  private static void forEachText(String document, String before, Consumer<String> each) {
    for (int at = document.indexOf(before); at >= 0; at = document.indexOf(before, at + 1)) {
      int start = at + before.length();
      int end = document.indexOf('"', start);
      if (end < 0) {
        return;
      }
      each.accept(document.substring(start, end));
    }
  }

  private void take(KeyValue item, Consumer<KeyValue> reader) {
    String key = item.key();
    boolean isWanted =
        key.startsWith(IpamState.ENDPOINTS)
            ? mayUseBlocks(item.value())
            : IpamKeys.blockOf(key).map(blocks::contains).orElse(true);
    if (isWanted) {
      reader.accept(item);
    }
  }

  private boolean mayUseBlocks(String endpoint) {
    int start = endpoint.indexOf(NETWORKS);
    int end = start < 0 ? -1 : endpoint.indexOf(']', start);
    if (end < 0) {
      return true;
    }
    for (String quoted : List.of(endpoint.substring(start + NETWORKS.length(), end).split(","))) {
      int last = quoted.length() - 1;
      if (last < 2 || quoted.charAt(0) != '"' || quoted.charAt(last) != '"') {
        return true;
      }
      try {
        if (isInBlocks(Prefix.parseLenient(quoted.substring(1, last)).address())) {
          return true;
        }
      } catch (IllegalArgumentException unreadable) {
        return true;
      }
    }
    return false;
  }

  private boolean isInBlocks(IpAddress address) {
    for (int length : lengths) {
      if (length <= address.family().bits()
          && blocks.contains(Prefix.containing(address, length))) {
        return true;
      }
    }
    return false;
  }
}
