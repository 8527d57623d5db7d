package io.margay.linux.nft;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// The table of one family: desired beside believed, chain by chain and element by element.
final class FamilyTable {

  /// The phases of one transaction. Referents come before referrers, and go after them.
  private record Phases(
      List<NftOp> tables,
      List<NftOp> sets,
      List<NftOp> elements,
      List<NftOp> chains,
      List<NftOp> rules,
      List<NftOp> mapElements,
      List<NftOp> removals) {

    Phases() {
      this(
          new ArrayList<>(),
          new ArrayList<>(),
          new ArrayList<>(),
          new ArrayList<>(),
          new ArrayList<>(),
          new ArrayList<>(),
          new ArrayList<>());
    }

    List<NftOp> inOrder() {
      List<NftOp> all = new ArrayList<>(tables);
      all.addAll(sets);
      all.addAll(elements);
      all.addAll(chains);
      all.addAll(rules);
      all.addAll(mapElements);
      all.addAll(removals);
      return all;
    }
  }

  /// How the table itself comes to be what the rest of the transaction needs.
  enum Standing {
    /// It is there, and ours to write.
    HELD,
    /// It is there, to be taken into ownership.
    TO_OWN,
    ABSENT,
    /// Whatever is there goes; an atomic replacement.
    TO_REPLACE
  }

  private final NftTableName name;
  private final Map<String, NftChain> chains = new TreeMap<>();
  private final Map<String, SetTracker> sets = new LinkedHashMap<>();
  private final Map<String, NftDump.Chain> believedChains = new HashMap<>();
  private final Set<String> believedSets = new TreeSet<>();
  private final Map<String, NftDump.Chain> plannedChains = new HashMap<>();
  private final Set<String> dirtyChains = new TreeSet<>();
  private final Set<SetTracker> dirtySets = new LinkedHashSet<>();
  private Standing standing = Standing.ABSENT;

  FamilyTable(NftTableName name) {
    this.name = name;
  }

  NftTableName name() {
    return name;
  }

  void declareSet(NftSet set) {
    SetTracker known = sets.putIfAbsent(set.name(), new SetTracker(set));
    if (known != null && !known.definition().equals(set)) {
      throw new IllegalArgumentException(
          "set "
              + set.name()
              + " of table "
              + name
              + " is declared otherwise: "
              + known.definition());
    }
  }

  void putChain(NftChain chain) {
    if (!chain.equals(chains.put(chain.name(), chain))) {
      dirtyChains.add(chain.name());
    }
  }

  void removeChain(String chain) {
    if (chains.remove(chain) != null) {
      dirtyChains.add(chain);
    }
  }

  void putElement(String set, NftElement element) {
    SetTracker tracker = tracker(set);
    tracker.put(element);
    dirtySets.add(tracker);
  }

  void removeElement(String set, NftData key) {
    SetTracker tracker = tracker(set);
    tracker.remove(key);
    dirtySets.add(tracker);
  }

  private SetTracker tracker(String set) {
    SetTracker tracker = sets.get(set);
    if (tracker == null) {
      throw new IllegalArgumentException("table " + name + " has no declared set " + set);
    }
    return tracker;
  }

  NftTableState snapshot() {
    Map<NftSet, Collection<NftElement>> elements = new LinkedHashMap<>();
    for (SetTracker tracker : sets.values()) {
      elements.put(tracker.definition(), List.copyOf(tracker.desired()));
    }
    return new NftTableState(name, List.copyOf(chains.values()), elements);
  }

  /// Compares everything desired with what was seen.
  ///
  /// @param dump null = no such table
  /// @param own whether the table should be owned
  /// @param owner whether it already is, by this process
  void believe(@Nullable NftDump dump, boolean own, boolean owner) {
    if (dump == null) {
      believeNothing(Standing.ABSENT);
    } else if (dump.dormant() || own && !owner && !dump.persistent() || misdefined(dump)) {
      believeNothing(Standing.TO_REPLACE);
    } else {
      believeNothing(own && !owner ? Standing.TO_OWN : Standing.HELD);
      believedChains.putAll(dump.chains());
      dirtyChains.addAll(dump.chains().keySet());
      dump.sets()
          .forEach(
              (set, found) -> {
                believedSets.add(set);
                SetTracker tracker = sets.get(set);
                if (tracker != null) {
                  tracker.believe(found.elements());
                }
              });
    }
  }

  /// A set cannot be redefined in place while rules refer to it.
  private boolean misdefined(NftDump dump) {
    for (Map.Entry<String, NftDump.Elements> found : dump.sets().entrySet()) {
      SetTracker tracker = sets.get(found.getKey());
      if (tracker != null && !tracker.definition().equals(found.getValue().definition())) {
        return true;
      }
    }
    return false;
  }

  void believeNothing(Standing next) {
    standing = next;
    believedChains.clear();
    believedSets.clear();
    dirtyChains.addAll(chains.keySet());
    for (SetTracker tracker : sets.values()) {
      tracker.believe(Map.of());
      dirtySets.add(tracker);
    }
  }

  /// The steps from believed to desired; empty if there is no difference.
  List<NftOp> plan(boolean own) {
    Phases phases = new Phases();
    planTable(phases, own);
    planSets(phases);
    planChains(phases);
    return phases.inOrder();
  }

  private void planTable(Phases phases, boolean own) {
    switch (standing) {
      case HELD -> {}
      case TO_OWN, ABSENT -> phases.tables.add(new NftOp.AddTable(name, own));
      case TO_REPLACE -> {
        // The first makes the second succeed where there is nothing to delete.
        phases.tables.add(new NftOp.AddTable(name, false));
        phases.tables.add(new NftOp.DeleteTable(name));
        phases.tables.add(new NftOp.AddTable(name, own));
      }
    }
  }

  private void planSets(Phases phases) {
    if (!believedSets.equals(sets.keySet())) {
      for (SetTracker tracker : sets.values()) {
        if (!believedSets.contains(tracker.definition().name())) {
          phases.sets.add(new NftOp.AddSet(name, tracker.definition()));
        }
      }
      for (String set : believedSets) {
        if (!sets.containsKey(set)) {
          phases.removals.add(new NftOp.DeleteSet(name, set));
        }
      }
    }
    for (SetTracker tracker : dirtySets) {
      if (tracker.isDirty()) {
        boolean map = tracker.definition().shape() == NftSet.Shape.VERDICT_MAP;
        tracker.plan(name, map ? phases.mapElements : phases.elements);
      }
    }
  }

  private void planChains(Phases phases) {
    List<NftOp> deletions = new ArrayList<>();
    plannedChains.clear();
    for (String dirty : dirtyChains) {
      NftChain wanted = chains.get(dirty);
      NftDump.Chain found = believedChains.get(dirty);
      if (wanted == null) {
        if (found != null) {
          phases.rules.add(new NftOp.FlushChain(name, dirty));
          deletions.add(new NftOp.DeleteChain(name, dirty));
        }
        continue;
      }
      NftDump.Chain shape = NftDump.Chain.of(wanted);
      plannedChains.put(dirty, shape);
      if (shape.equals(found)) {
        continue;
      }
      if (found == null) {
        phases.chains.add(new NftOp.AddChain(name, dirty, wanted.hook()));
      } else if (!found.hook().equals(shape.hook())) {
        phases.tables.add(new NftOp.FlushChain(name, dirty));
        phases.tables.add(new NftOp.DeleteChain(name, dirty));
        phases.chains.add(new NftOp.AddChain(name, dirty, wanted.hook()));
      } else if (!found.ruleTags().isEmpty()) {
        phases.rules.add(new NftOp.FlushChain(name, dirty));
      }
      for (NftRule rule : wanted.rules()) {
        phases.rules.add(new NftOp.AddRule(name, dirty, rule));
      }
    }
    phases.removals.addAll(deletions);
  }

  /// The planned steps took effect.
  void committed() {
    standing = Standing.HELD;
    believedChains.keySet().removeAll(dirtyChains);
    believedChains.putAll(plannedChains);
    plannedChains.clear();
    dirtyChains.clear();
    if (!believedSets.equals(sets.keySet())) {
      believedSets.clear();
      believedSets.addAll(sets.keySet());
    }
    dirtySets.forEach(SetTracker::committed);
    dirtySets.clear();
  }
}
