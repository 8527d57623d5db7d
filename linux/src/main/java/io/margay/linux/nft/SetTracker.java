package io.margay.linux.nft;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// One set's elements, desired and believed. Only the difference is kept beside the desired ones,
/// so a large set costs its size once and a change costs its own size.
final class SetTracker {

  private final NftSet definition;
  private final Map<NftData, NftElement> desired = new HashMap<>();

  /// What the kernel is believed to hold under a key, where that is not what is desired.
  private final Map<NftData, Optional<NftElement>> believed = new HashMap<>();

  SetTracker(NftSet definition) {
    this.definition = definition;
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
      note(element.key(), Optional.ofNullable(before), Optional.of(element));
    }
  }

  void remove(NftData key) {
    NftElement before = desired.remove(key);
    if (before != null) {
      note(key, Optional.of(before), Optional.empty());
    }
  }

  private void note(NftData key, Optional<NftElement> before, Optional<NftElement> after) {
    Optional<NftElement> kernel = believed.get(key);
    if (kernel == null) {
      believed.put(key, before);
    } else if (kernel.equals(after)) {
      believed.remove(key);
    }
  }

  /// The kernel now holds what is desired.
  void committed() {
    believed.clear();
  }

  /// The kernel was seen to hold `actual`.
  void believe(Map<NftData, NftElement> actual) {
    believed.clear();
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
