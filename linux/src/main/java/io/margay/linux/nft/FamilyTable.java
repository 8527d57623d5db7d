package io.margay.linux.nft;

import io.margay.model.net.IpFamily;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// The table of one family: desired beside believed, chain by chain and element by element.
final class FamilyTable implements NftTableView {

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
  private final Map<String, NftChain> baseChains = new TreeMap<>();
  private final Map<String, SetTracker> sets = new LinkedHashMap<>();
  private final Map<String, NftDump.Chain> believedChains = new HashMap<>();
  private final Set<String> believedSets = new TreeSet<>();
  private final Set<NftObject> foreignObjects = new HashSet<>();
  private final Map<String, NftDump.Chain> plannedChains = new HashMap<>();
  private final Set<String> dirtyChains = new TreeSet<>();
  private final Set<SetTracker> dirtySets = new LinkedHashSet<>();
  private final List<NftChain> hooks = new ArrayList<>();
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
    if (chain.hook() == null) {
      baseChains.remove(chain.name());
    } else {
      baseChains.put(chain.name(), chain);
    }
  }

  void removeChain(String chain) {
    baseChains.remove(chain);
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

  @Override
  public IpFamily family() {
    return name.family();
  }

  @Override
  public @Nullable NftChain chain(String chain) {
    return chains.get(chain);
  }

  @Override
  public List<NftChain> baseChains(NftHook.Point hook) {
    List<NftChain> found = new ArrayList<>();
    for (NftChain chain : baseChains.values()) {
      if (chain.hook() != null && chain.hook().point() == hook) {
        found.add(chain);
      }
    }
    found.sort(Comparator.comparingInt(FamilyTable::priority));
    return found;
  }

  private static int priority(NftChain chain) {
    return chain.hook() == null ? 0 : chain.hook().priority();
  }

  @Override
  public @Nullable NftSet set(String set) {
    SetTracker tracker = sets.get(set);
    return tracker == null ? null : tracker.definition();
  }

  @Override
  public @Nullable NftElement find(String set, NftData key) {
    return tracker(set).find(key);
  }

  /// Whether there may be something to write.
  boolean isDirty() {
    return standing != Standing.HELD
        || !dirtyChains.isEmpty()
        || !dirtySets.isEmpty()
        || !foreignObjects.isEmpty();
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
  /// @param tenure what the table's should be
  /// @param owner whether this process already owns it
  void believe(@Nullable NftDump dump, NftTenure tenure, boolean owner) {
    boolean toOwn = tenure != NftTenure.OPEN && !owner;
    if (dump == null) {
      believeNothing(Standing.ABSENT);
    } else if (dump.dormant() || toOwn && !adoptable(dump, tenure) || misdefined(dump)) {
      believeNothing(Standing.TO_REPLACE);
    } else {
      believeNothing(toOwn ? Standing.TO_OWN : Standing.HELD);
      believedChains.putAll(dump.chains());
      dirtyChains.addAll(dump.chains().keySet());
      foreignObjects.addAll(dump.objects());
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

  /// The kernel makes no table that others may write an owned one.
  private static boolean adoptable(NftDump dump, NftTenure tenure) {
    return tenure == NftTenure.LASTING && dump.persistent();
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
    foreignObjects.clear();
    dirtyChains.addAll(chains.keySet());
    for (SetTracker tracker : sets.values()) {
      tracker.believe(Map.of());
      dirtySets.add(tracker);
    }
  }

  /// The steps from believed to desired; empty if there is no difference.
  List<NftOp> plan(NftTenure tenure) {
    Phases phases = new Phases();
    planTable(phases, tenure);
    planSets(phases);
    planChains(phases);
    foreignObjects.forEach(object -> phases.removals.add(new NftOp.DeleteObject(name, object)));
    return phases.inOrder();
  }

  /// The steps that bring back the filter hooks others took away, with the sets their rules look
  /// into but without elements; empty if every one is there and as it should be.
  ///
  /// Without what tracks connections: while the kernel takes down its tracking after the last user,
  /// a new one waits for tens of milliseconds.
  List<NftOp> planHooks(NftTenure tenure) {
    hooks.clear();
    for (NftChain chain : chains.values()) {
      NftHook hook = chain.hook();
      if (hook != null
          && hook.type() == NftHook.Type.FILTER
          && !NftDump.Chain.of(chain).equals(believedChains.get(chain.name()))) {
        hooks.add(new NftChain(chain.name(), hook, untracked(chain.rules())));
      }
    }
    if (hooks.isEmpty()) {
      return List.of();
    }
    Phases phases = new Phases();
    planTable(phases, tenure);
    planMissingSets(phases);
    for (NftChain hook : hooks) {
      planChain(phases, hook, NftDump.Chain.of(hook));
    }
    return phases.inOrder();
  }

  private static List<NftRule> untracked(List<NftRule> rules) {
    return rules.stream()
        .filter(rule -> rule.expressions().stream().noneMatch(NftExpr.CtState.class::isInstance))
        .toList();
  }

  /// The steps of [#planHooks] took effect.
  void hooksCommitted() {
    if (!hooks.isEmpty()) {
      standing = Standing.HELD;
      believedSets.addAll(sets.keySet());
      for (NftChain hook : hooks) {
        believedChains.put(hook.name(), NftDump.Chain.of(hook));
        dirtyChains.add(hook.name());
      }
      hooks.clear();
    }
  }

  private void planTable(Phases phases, NftTenure tenure) {
    switch (standing) {
      case HELD -> {}
      case TO_OWN, ABSENT -> phases.tables.add(new NftOp.AddTable(name, tenure));
      case TO_REPLACE -> {
        // The first makes the second succeed where there is nothing to delete.
        phases.tables.add(new NftOp.AddTable(name, NftTenure.OPEN));
        phases.tables.add(new NftOp.DeleteTable(name));
        phases.tables.add(new NftOp.AddTable(name, tenure));
      }
    }
  }

  private void planSets(Phases phases) {
    if (!believedSets.equals(sets.keySet())) {
      planMissingSets(phases);
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

  private void planMissingSets(Phases phases) {
    for (SetTracker tracker : sets.values()) {
      if (!believedSets.contains(tracker.definition().name())) {
        phases.sets.add(new NftOp.AddSet(name, tracker.definition()));
      }
    }
  }

  private void planChains(Phases phases) {
    plannedChains.clear();
    List<NftOp> deletions = new ArrayList<>();
    for (String dirty : dirtyChains) {
      NftChain wanted = chains.get(dirty);
      if (wanted != null) {
        NftDump.Chain shape = NftDump.Chain.of(wanted);
        plannedChains.put(dirty, shape);
        planChain(phases, wanted, shape);
      } else if (believedChains.containsKey(dirty)) {
        phases.rules.add(new NftOp.FlushChain(name, dirty));
        deletions.add(new NftOp.DeleteChain(name, dirty));
      }
    }
    phases.removals.addAll(deletions);
  }

  /// @param shape of what is wanted
  private void planChain(Phases phases, NftChain wanted, NftDump.Chain shape) {
    String chain = wanted.name();
    NftDump.Chain found = believedChains.get(chain);
    if (shape.equals(found)) {
      return;
    }
    if (found == null) {
      phases.chains.add(new NftOp.AddChain(name, chain, wanted.hook()));
    } else if (!found.hook().equals(shape.hook())) {
      phases.tables.add(new NftOp.FlushChain(name, chain));
      phases.tables.add(new NftOp.DeleteChain(name, chain));
      phases.chains.add(new NftOp.AddChain(name, chain, wanted.hook()));
    } else if (!found.ruleTags().isEmpty()) {
      phases.rules.add(new NftOp.FlushChain(name, chain));
    }
    for (int i = 0; i < wanted.rules().size(); i++) {
      phases.rules.add(
          new NftOp.AddRule(name, chain, wanted.rules().get(i), shape.ruleTags().get(i)));
    }
  }

  /// Leaves what former rules alone ask for in the kernel's sets for now.
  ///
  /// @return what [#bringBack] takes
  Map<SetTracker, Map<NftData, Optional<NftElement>>> setAside() {
    Map<SetTracker, Map<NftData, Optional<NftElement>>> aside = new HashMap<>();
    for (SetTracker tracker : sets.values()) {
      Map<NftData, Optional<NftElement>> strangers = tracker.setAside();
      if (!strangers.isEmpty()) {
        aside.put(tracker, strangers);
      }
    }
    return aside;
  }

  void bringBack(Map<SetTracker, Map<NftData, Optional<NftElement>>> aside) {
    aside.forEach(SetTracker::bringBack);
    dirtySets.addAll(aside.keySet());
  }

  /// The elements of a set that can be added before anything else changes.
  List<NftElement> missing(String set, Collection<NftElement> elements) {
    return (standing == Standing.HELD || standing == Standing.TO_OWN) && believedSets.contains(set)
        ? tracker(set).missing(elements)
        : List.of();
  }

  NftOp addition(String set, List<NftElement> elements) {
    return new NftOp.AddElements(name, tracker(set).definition(), elements);
  }

  /// These were added.
  void committed(String set, Collection<NftElement> elements) {
    tracker(set).committed(elements);
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
    foreignObjects.clear();
    dirtySets.forEach(SetTracker::committed);
    dirtySets.clear();
  }
}
