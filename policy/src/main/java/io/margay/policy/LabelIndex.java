package io.margay.policy;

import io.margay.model.selector.LabelLookup;
import io.margay.model.selector.Selector;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Which selectors match which labelled items, kept up to date as either changes.
///
/// An item carries its own labels and inherits those of its parents (profiles); its own win, then
/// those of the earlier parent. Parents may come before or after their children.
///
/// A change costs the evaluation of the selectors, or items, that could be affected: a selector
/// that demands a label (`namespace == 'x' && …`) is found by that label, only the others are tried
/// always.
///
/// @param <S> what a selector is known by
/// @param <I> what an item is known by
final class LabelIndex<S, I> {

  /// Hears of every match that begins or ends, once each.
  interface Listener<S, I> {
    void onMatchStarted(S selector, I item);

    void onMatchStopped(S selector, I item);
  }

  private final Listener<S, I> listener;
  private final Map<S, SelectorEntry<S, I>> selectors = new HashMap<>();
  private final Map<I, ItemEntry<S, I>> items = new HashMap<>();
  private final Map<String, ParentEntry<S, I>> parents = new HashMap<>();

  private final LabelTable<SelectorEntry<S, I>> selectorsByValue = new LabelTable<>();
  private final Map<String, IdentitySet<SelectorEntry<S, I>>> selectorsByPresence = new HashMap<>();
  private final IdentitySet<SelectorEntry<S, I>> selectorsWithoutAnchor = new IdentitySet<>();

  /// Only of keys that some selector has asked for: of the labels in a cluster these are few.
  private final LabelTable<ItemEntry<S, I>> itemsByOwnLabel = new LabelTable<>();

  private final Set<String> askedFor = new HashSet<>();
  private final LabelTable<ParentEntry<S, I>> parentsByLabel = new LabelTable<>();

  LabelIndex(Listener<S, I> listener) {
    this.listener = listener;
  }

  void putSelector(S id, Selector selector) {
    List<LabelAnchor> anchors = LabelAnchor.of(selector.root());
    SelectorEntry<S, I> entry = selectors.get(id);
    if (entry == null) {
      entry = new SelectorEntry<>(id, selector);
      selectors.put(id, entry);
    } else if (entry.selector.equals(selector)) {
      return;
    } else {
      unindex(entry);
      entry.selector = selector;
    }
    entry.anchor = LabelAnchor.best(anchors);
    anchors.forEach(anchor -> askFor(anchor.key()));
    index(entry);
    for (ItemEntry<S, I> item : entry.matches.copy()) {
      if (!selector.matches(item)) {
        stop(entry, item);
      }
    }
    SelectorEntry<S, I> current = entry;
    forEachCandidate(anchors, item -> start(current, item));
  }

  void removeSelector(S id) {
    SelectorEntry<S, I> entry = selectors.remove(id);
    if (entry == null) {
      return;
    }
    unindex(entry);
    for (ItemEntry<S, I> item : entry.matches.copy()) {
      stop(entry, item);
    }
  }

  void putItem(I id, Map<String, String> labels, List<String> parentNames) {
    ItemEntry<S, I> item = items.get(id);
    if (item == null) {
      item = new ItemEntry<>(id);
      items.put(id, item);
    } else if (item.labels.equals(labels) && item.parentNames().equals(parentNames)) {
      return;
    }
    unindex(item);
    item.labels = Map.copyOf(labels);
    index(item);
    setParents(item, parentNames);
    rescan(item);
  }

  void removeItem(I id) {
    ItemEntry<S, I> item = items.remove(id);
    if (item == null) {
      return;
    }
    unindex(item);
    setParents(item, List.of());
    for (SelectorEntry<S, I> selector : item.matches.copy()) {
      stop(selector, item);
    }
  }

  /// Gives a parent its labels; none when it is gone.
  void putParent(String name, Map<String, String> labels) {
    ParentEntry<S, I> parent = parents.computeIfAbsent(name, ParentEntry::new);
    if (!parent.labels.equals(labels)) {
      parentsByLabel.remove(parent.labels, parent);
      parent.labels = Map.copyOf(labels);
      parentsByLabel.add(parent.labels, parent);
      parent.children.forEach(this::rescan);
    }
    forgetIfUnused(parent);
  }

  private void setParents(ItemEntry<S, I> item, List<String> names) {
    List<ParentEntry<S, I>> old = item.parents;
    List<ParentEntry<S, I>> now = new ArrayList<>(names.size());
    for (String name : names) {
      ParentEntry<S, I> parent = parents.computeIfAbsent(name, ParentEntry::new);
      parent.children.add(item);
      now.add(parent);
    }
    item.parents = List.copyOf(now);
    for (ParentEntry<S, I> parent : old) {
      if (!now.contains(parent)) {
        parent.children.remove(item);
        forgetIfUnused(parent);
      }
    }
  }

  private void forgetIfUnused(ParentEntry<S, I> parent) {
    if (parent.children.isEmpty() && parent.labels.isEmpty()) {
      parents.remove(parent.name);
    }
  }

  private void rescan(ItemEntry<S, I> item) {
    for (SelectorEntry<S, I> selector : item.matches.copy()) {
      if (!selector.selector.matches(item)) {
        stop(selector, item);
      }
    }
    selectorsWithoutAnchor.forEach(selector -> start(selector, item));
    startAnchored(item, item.labels);
    for (ParentEntry<S, I> parent : item.parents) {
      startAnchored(item, parent.labels);
    }
  }

  private void startAnchored(ItemEntry<S, I> item, Map<String, String> labels) {
    labels.forEach(
        (key, value) -> {
          IdentitySet<SelectorEntry<S, I>> asking = selectorsByValue.get(key, value);
          if (asking != null) {
            asking.forEach(selector -> start(selector, item));
          }
          IdentitySet<SelectorEntry<S, I>> present = selectorsByPresence.get(key);
          if (present != null) {
            present.forEach(selector -> start(selector, item));
          }
        });
  }

  private void start(SelectorEntry<S, I> selector, ItemEntry<S, I> item) {
    if (!item.matches.contains(selector) && selector.selector.matches(item)) {
      item.matches.add(selector);
      selector.matches.add(item);
      listener.onMatchStarted(selector.id, item.id);
    }
  }

  private void stop(SelectorEntry<S, I> selector, ItemEntry<S, I> item) {
    item.matches.remove(selector);
    selector.matches.remove(item);
    listener.onMatchStopped(selector.id, item.id);
  }

  private void askFor(String key) {
    if (!askedFor.add(key)) {
      return;
    }
    for (ItemEntry<S, I> item : items.values()) {
      String value = item.labels.get(key);
      if (value != null) {
        itemsByOwnLabel.add(key, value, item);
      }
    }
  }

  private void index(ItemEntry<S, I> item) {
    item.labels.forEach(
        (key, value) -> {
          if (askedFor.contains(key)) {
            itemsByOwnLabel.add(key, value, item);
          }
        });
  }

  private void unindex(ItemEntry<S, I> item) {
    itemsByOwnLabel.remove(item.labels, item);
  }

  private void index(SelectorEntry<S, I> entry) {
    LabelAnchor anchor = entry.anchor;
    if (anchor == null) {
      selectorsWithoutAnchor.add(entry);
      return;
    }
    List<String> values = anchor.values();
    if (values == null) {
      selectorsByPresence.computeIfAbsent(anchor.key(), key -> new IdentitySet<>()).add(entry);
    } else {
      values.forEach(value -> selectorsByValue.add(anchor.key(), value, entry));
    }
  }

  private void unindex(SelectorEntry<S, I> entry) {
    LabelAnchor anchor = entry.anchor;
    if (anchor == null) {
      selectorsWithoutAnchor.remove(entry);
      return;
    }
    List<String> values = anchor.values();
    if (values == null) {
      IdentitySet<SelectorEntry<S, I>> present = selectorsByPresence.get(anchor.key());
      if (present != null && present.remove(entry) && present.isEmpty()) {
        selectorsByPresence.remove(anchor.key());
      }
    } else {
      values.forEach(value -> selectorsByValue.remove(anchor.key(), value, entry));
    }
  }

  /// Visits every item that satisfies the anchor with the fewest of them: a superset of the
  /// matches.
  private void forEachCandidate(List<LabelAnchor> anchors, Consumer<ItemEntry<S, I>> visit) {
    LabelAnchor cheapest = null;
    long cost = items.size();
    for (LabelAnchor anchor : anchors) {
      long count = candidateCount(anchor, cost);
      if (count < cost) {
        cheapest = anchor;
        cost = count;
      }
    }
    if (cheapest == null) {
      items.values().forEach(visit);
      return;
    }
    for (IdentitySet<ItemEntry<S, I>> own : itemsByOwnLabel.matching(cheapest)) {
      own.forEach(visit);
    }
    for (IdentitySet<ParentEntry<S, I>> carriers : parentsByLabel.matching(cheapest)) {
      carriers.forEach(parent -> parent.children.forEach(visit));
    }
  }

  private long candidateCount(LabelAnchor anchor, long enough) {
    long count = 0;
    for (IdentitySet<ItemEntry<S, I>> own : itemsByOwnLabel.matching(anchor)) {
      count += own.size();
    }
    for (IdentitySet<ParentEntry<S, I>> carriers : parentsByLabel.matching(anchor)) {
      for (ParentEntry<S, I> parent : carriers.copy()) {
        count += parent.children.size();
        if (count >= enough) {
          return count;
        }
      }
    }
    return count;
  }

  private static final class SelectorEntry<S, I> {
    private final S id;
    private Selector selector;
    private @Nullable LabelAnchor anchor;
    private final IdentitySet<ItemEntry<S, I>> matches = new IdentitySet<>();

    private SelectorEntry(S id, Selector selector) {
      this.id = id;
      this.selector = selector;
    }
  }

  private static final class ItemEntry<S, I> implements LabelLookup {
    private final I id;
    private Map<String, String> labels = Map.of();
    private List<ParentEntry<S, I>> parents = List.of();

    private final IdentitySet<SelectorEntry<S, I>> matches = new IdentitySet<>();

    private ItemEntry(I id) {
      this.id = id;
    }

    private List<String> parentNames() {
      return parents.stream().map(parent -> parent.name).toList();
    }

    @Override
    public @Nullable String get(String key) {
      String own = labels.get(key);
      if (own != null) {
        return own;
      }
      for (ParentEntry<S, I> parent : parents) {
        String inherited = parent.labels.get(key);
        if (inherited != null) {
          return inherited;
        }
      }
      return null;
    }
  }

  private static final class ParentEntry<S, I> {
    private final String name;
    private Map<String, String> labels = Map.of();
    private final IdentitySet<ItemEntry<S, I>> children = new IdentitySet<>();

    private ParentEntry(String name) {
      this.name = name;
    }
  }

  /// Who carries which label: key → value → holders.
  private static final class LabelTable<T> {
    private final Map<String, Map<String, IdentitySet<T>>> byKey = new HashMap<>();

    private void add(Map<String, String> labels, T holder) {
      labels.forEach((key, value) -> add(key, value, holder));
    }

    private void remove(Map<String, String> labels, T holder) {
      labels.forEach((key, value) -> remove(key, value, holder));
    }

    private void add(String key, String value, T holder) {
      byKey
          .computeIfAbsent(key, k -> new LinkedHashMap<>())
          .computeIfAbsent(value, v -> new IdentitySet<>())
          .add(holder);
    }

    private void remove(String key, String value, T holder) {
      Map<String, IdentitySet<T>> byValue = byKey.get(key);
      if (byValue == null) {
        return;
      }
      IdentitySet<T> holders = byValue.get(value);
      if (holders != null && holders.remove(holder) && holders.isEmpty()) {
        byValue.remove(value);
        if (byValue.isEmpty()) {
          byKey.remove(key);
        }
      }
    }

    private @Nullable IdentitySet<T> get(String key, String value) {
      return byKey.getOrDefault(key, Map.of()).get(value);
    }

    private Collection<IdentitySet<T>> matching(LabelAnchor anchor) {
      Map<String, IdentitySet<T>> byValue = byKey.getOrDefault(anchor.key(), Map.of());
      List<String> values = anchor.values();
      if (values == null) {
        return byValue.values();
      }
      List<IdentitySet<T>> found = new ArrayList<>(values.size());
      for (String value : values) {
        IdentitySet<T> holders = byValue.get(value);
        if (holders != null) {
          found.add(holders);
        }
      }
      return found;
    }
  }
}
