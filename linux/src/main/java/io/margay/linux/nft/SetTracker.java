package io.margay.linux.nft;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// One set's elements, desired and believed. Only the difference is kept beside the desired ones,
/// so a large set costs its size once and a change costs its own size.
final class SetTracker {

  private final NftSet definition;
  private final Map<NftData, NftElement> desired;

  /// Ranges that are more than one value in a field before the last: in order of their first keys
  /// they need not be next to what lies in them.
  private int boxes;

  /// What the kernel is believed to hold under a key, where that is not what is desired.
  private Map<NftData, Optional<NftElement>> believed = new HashMap<>();

  SetTracker(NftSet definition) {
    this.definition = definition;
    this.desired = definition.shape() == NftSet.Shape.INTERVAL ? new TreeMap<>() : new HashMap<>();
  }

  NftSet definition() {
    return definition;
  }

  Collection<NftElement> desired() {
    return Collections.unmodifiableCollection(desired.values());
  }

  boolean isDirty() {
    return !believed.isEmpty();
  }

  void put(NftElement element) {
    definition.require(element);
    NftElement before = desired.put(element.key(), element);
    if (!element.equals(before)) {
      boxes += box(element) - box(before);
      note(element.key(), Optional.ofNullable(before), Optional.of(element));
    }
  }

  void remove(NftData key) {
    NftElement before = desired.remove(key);
    if (before != null) {
      boxes -= box(before);
      note(key, Optional.of(before), Optional.empty());
    }
  }

  /// The desired element that `key` is, or lies in.
  @Nullable NftElement find(NftData key) {
    if (!(desired instanceof NavigableMap<NftData, NftElement> ranges)) {
      return desired.get(key);
    }
    // Of ranges in the last field alone, only the one that begins last before the key can hold it.
    Map.Entry<NftData, NftElement> before = ranges.floorEntry(key);
    if (before != null && contains(before.getValue(), key)) {
      return before.getValue();
    }
    if (boxes > 0) {
      for (NftElement element : ranges.values()) {
        if (contains(element, key)) {
          return element;
        }
      }
    }
    return null;
  }

  /// Field by field, as the kernel's concatenated ranges are.
  private boolean contains(NftElement element, NftData key) {
    byte[] first = element.key().raw();
    byte[] last = element.end() == null ? first : element.end().raw();
    byte[] octets = key.raw();
    int at = 0;
    for (NftField field : definition.key()) {
      int end = at + field.octets();
      if (Arrays.compareUnsigned(octets, at, end, first, at, end) < 0
          || Arrays.compareUnsigned(octets, at, end, last, at, end) > 0) {
        return false;
      }
      at += field.paddedOctets();
    }
    return true;
  }

  private int box(@Nullable NftElement element) {
    if (element == null || element.end() == null) {
      return 0;
    }
    int beforeLast = definition.keyOctets() - definition.key().getLast().paddedOctets();
    return Arrays.equals(element.key().raw(), 0, beforeLast, element.end().raw(), 0, beforeLast)
        ? 0
        : 1;
  }

  private void note(NftData key, Optional<NftElement> before, Optional<NftElement> after) {
    Optional<NftElement> kernel = believed.get(key);
    if (kernel == null) {
      believed.put(key, before);
    } else if (kernel.equals(after)) {
      believed.remove(key);
    }
  }

  /// Those of the elements that are desired and that the kernel has nothing in place of.
  List<NftElement> missing(Collection<NftElement> elements) {
    return elements.stream()
        .filter(element -> Optional.empty().equals(believed.get(element.key())))
        .filter(element -> element.equals(desired.get(element.key())))
        .toList();
  }

  /// The kernel now holds these, which are desired.
  void committed(Collection<NftElement> elements) {
    elements.forEach(element -> believed.remove(element.key()));
  }

  /// The kernel now holds what is desired. A map emptied in place would keep the buckets of the
  /// first load, which every later plan would walk.
  void committed() {
    believed = new HashMap<>();
  }

  /// The kernel was seen to hold `actual`.
  void believe(Map<NftData, NftElement> actual) {
    believed = new HashMap<>();
    desired.forEach(
        (key, element) -> {
          NftElement found = actual.get(key);
          if (!element.equals(found)) {
            believed.put(key, Optional.ofNullable(found));
          }
        });
    actual.forEach(
        (key, element) -> {
          if (!desired.containsKey(key)) {
            believed.put(key, Optional.of(element));
          }
        });
  }

  /// Leaves out of the next plan the removal of elements whose first field, a number, no desired
  /// element has: what a former process kept under names that nobody uses any more.
  ///
  /// @return what [#bringBack] takes
  Map<NftData, Optional<NftElement>> setAside() {
    if (definition.key().getFirst() != NftField.MARK) {
      return Map.of();
    }
    Set<NftData> used = new HashSet<>();
    desired.keySet().forEach(key -> used.add(firstField(key)));
    Map<NftData, Optional<NftElement>> aside = new HashMap<>();
    believed.forEach(
        (key, kernel) -> {
          if (!desired.containsKey(key) && !used.contains(firstField(key))) {
            aside.put(key, kernel);
          }
        });
    believed.keySet().removeAll(aside.keySet());
    return aside;
  }

  private static NftData firstField(NftData key) {
    return key.slice(0, NftField.MARK.octets());
  }

  /// They are in the kernel still.
  void bringBack(Map<NftData, Optional<NftElement>> aside) {
    aside.forEach(
        (key, kernel) -> {
          if (!desired.containsKey(key)) {
            believed.put(key, kernel);
          }
        });
  }

  /// Removals first: a range may take the place of those it covered.
  void plan(NftTableName table, List<NftOp> steps) {
    List<NftElement> removals = new ArrayList<>();
    List<NftElement> additions = new ArrayList<>();
    believed.forEach(
        (key, kernel) -> {
          kernel.ifPresent(removals::add);
          NftElement wanted = desired.get(key);
          if (wanted != null) {
            additions.add(wanted);
          }
        });
    if (!removals.isEmpty()) {
      steps.add(new NftOp.DeleteElements(table, definition, removals));
    }
    if (!additions.isEmpty()) {
      steps.add(new NftOp.AddElements(table, definition, additions));
    }
  }
}
