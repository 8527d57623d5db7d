package io.margay.linux.nft;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The nf_tables of one imaginary namespace, with the kernel's rules about what may refer to what.
/// Several handles may be open on it, as several processes may on the kernel's.
public final class FakeNftables {

  /// NFT_JUMP_STACK_SIZE: a base chain and this many below it less one.
  private static final int MAX_DEPTH = 16;

  private static final int EOPNOTSUPP = 95;
  private static final int ELOOP = 40;
  private static final int EMLINK = 31;

  private static final class Table {
    @Nullable Handle owner;
    boolean persistent;
    final Map<String, Chain> chains = new LinkedHashMap<>();
    final Map<String, Contents> sets = new LinkedHashMap<>();

    Table copy() {
      Table copy = new Table();
      copy.owner = owner;
      copy.persistent = persistent;
      chains.forEach((n, c) -> copy.chains.put(n, new Chain(c.hook, new ArrayList<>(c.rules))));
      sets.forEach((n, s) -> copy.sets.put(n, new Contents(s.set, new HashMap<>(s.elements))));
      return copy;
    }
  }

  private record Chain(@Nullable NftHook hook, List<NftRule> rules) {}

  private record Contents(NftSet set, Map<NftData, NftElement> elements) {}

  /// A listener of one handle.
  private record Watch(Handle own, Set<NftTableName> tables, NftNotices notices) {}

  private final List<Watch> watches = new ArrayList<>();
  private Map<NftTableName, Table> tables = new HashMap<>();
  private int generation = 1;
  private int commits;
  private final boolean persistentOwner;

  /// @param persistentOwner whether this kernel is one of 6.9 or later
  public FakeNftables(boolean persistentOwner) {
    this.persistentOwner = persistentOwner;
  }

  /// A handle of its own, as a socket of another process would be.
  public NftKernel open() {
    return new Handle();
  }

  /// Transactions that changed something, by any handle.
  public int commits() {
    return commits;
  }

  /// The rules of a chain; empty if there is no such table or chain.
  public List<NftRule> rules(NftTableName table, String chain) {
    Table found = tables.get(table);
    Chain rules = found == null ? null : found.chains.get(chain);
    return rules == null ? List.of() : List.copyOf(rules.rules);
  }

  /// The elements of a set; empty if there is no such table or set.
  public Set<NftElement> elements(NftTableName table, String set) {
    Table found = tables.get(table);
    Contents contents = found == null ? null : found.sets.get(set);
    return contents == null ? Set.of() : Set.copyOf(contents.elements.values());
  }

  private final class Handle implements NftKernel {

    @Override
    public void commit(List<NftOp> steps) throws NftException {
      if (steps.isEmpty()) {
        return;
      }
      Map<NftTableName, Table> next = new HashMap<>();
      tables.forEach((name, table) -> next.put(name, table.copy()));
      for (NftOp step : steps) {
        carryOut(next, step);
      }
      for (Table table : next.values()) {
        for (Map.Entry<String, Chain> chain : table.chains.entrySet()) {
          if (chain.getValue().hook != null) {
            walk(table, chain.getKey(), new ArrayList<>());
          }
        }
      }
      tables = next;
      generation++;
      commits++;
      tell(steps);
    }

    private void tell(List<NftOp> steps) {
      for (Watch watch : List.copyOf(watches)) {
        if (watch.own != this) {
          if (steps.stream().anyMatch(step -> watch.tables.contains(step.table()))) {
            watch.notices.suspicious("fake");
          } else {
            watch.notices.harmless(generation);
          }
        }
      }
    }

    private void carryOut(Map<NftTableName, Table> next, NftOp step) throws NftException {
      if (step instanceof NftOp.AddTable(NftTableName name, NftTenure tenure)) {
        addTable(next, step, name, tenure);
        return;
      }
      Table table = next.get(step.table());
      if (table == null) {
        throw refused(step, "there is no such table", NftException.ENOENT);
      }
      requireOurs(table, step);
      switch (step) {
        case NftOp.AddTable _ -> throw new IllegalStateException("handled above");
        case NftOp.DeleteTable(NftTableName name) -> next.remove(name);
        case NftOp.AddChain(NftTableName _, String chain, @Nullable NftHook hook) -> {
          if (table.chains.putIfAbsent(chain, new Chain(hook, new ArrayList<>())) != null) {
            throw refused(step, "it exists", NftException.EEXIST);
          }
        }
        case NftOp.FlushChain(NftTableName _, String chain) ->
            chain(table, chain, step).rules.clear();
        case NftOp.DeleteChain(NftTableName _, String chain) -> {
          chain(table, chain, step).rules.clear();
          if (isJumpedTo(table, chain)) {
            throw refused(step, "it is in use", NftException.EBUSY);
          }
          table.chains.remove(chain);
        }
        case NftOp.AddRule(NftTableName _, String chain, NftRule rule, NftData _) -> {
          for (int i = 0; i < rule.expressions().size(); i++) {
            NftExpr expression = rule.expressions().get(i);
            try {
              requireReferents(table, expression, step);
            } catch (NftException refused) {
              throw new NftException(
                  refused.getMessage() + ", expression " + (i + 1) + ": " + expression,
                  refused.errno());
            }
          }
          chain(table, chain, step).rules.add(rule);
        }
        case NftOp.AddSet(NftTableName _, NftSet set) -> {
          if (table.sets.putIfAbsent(set.name(), new Contents(set, new HashMap<>())) != null) {
            throw refused(step, "it exists", NftException.EEXIST);
          }
        }
        case NftOp.DeleteSet(NftTableName _, String set) -> {
          contents(table, set, step);
          if (isLookedUp(table, set)) {
            throw refused(step, "it is in use", NftException.EBUSY);
          }
          table.sets.remove(set);
        }
        // Nobody makes any here.
        case NftOp.DeleteObject _ -> throw refused(step, "there is none", NftException.ENOENT);
        case NftOp.AddElements(NftTableName _, NftSet set, List<NftElement> elements) ->
            addElements(table, set, elements, step);
        case NftOp.DeleteElements(NftTableName _, NftSet set, List<NftElement> elements) -> {
          Contents contents = contents(table, set.name(), step);
          for (NftElement element : elements) {
            if (!contents.elements.remove(element.key(), element)) {
              throw refused(step, named(set, element) + " is not in it", NftException.ENOENT);
            }
          }
        }
      }
    }

    private void addTable(
        Map<NftTableName, Table> next, NftOp step, NftTableName name, NftTenure tenure)
        throws NftException {
      boolean owned = tenure != NftTenure.OPEN;
      if (tenure == NftTenure.LASTING && !persistentOwner) {
        throw refused(step, "this kernel has no persistent owners", EOPNOTSUPP);
      }
      Table table = next.get(name);
      if (table == null) {
        table = new Table();
        table.persistent = tenure == NftTenure.LASTING;
        next.put(name, table);
      } else {
        requireOurs(table, step);
        if (owned && table.owner == null && !table.persistent) {
          throw refused(step, "an open table cannot become owned", EOPNOTSUPP);
        }
      }
      if (owned) {
        table.owner = this;
      }
    }

    private void requireOurs(Table table, NftOp step) throws NftException {
      if (table.owner != null && table.owner != this) {
        throw refused(step, "another process owns the table", NftException.EPERM);
      }
    }

    private void addElements(Table table, NftSet set, List<NftElement> elements, NftOp step)
        throws NftException {
      Contents contents = contents(table, set.name(), step);
      for (NftElement element : elements) {
        contents.set.require(element);
        if (element.verdict() instanceof NftVerdict.Jump(String chain)) {
          chain(table, chain, step);
        }
        NftElement there = contents.elements.get(element.key());
        if (there != null && !there.equals(element)) {
          throw refused(step, named(set, element) + " is taken by " + there, NftException.EEXIST);
        }
        if (set.shape() == NftSet.Shape.INTERVAL && there == null) {
          for (NftElement other : contents.elements.values()) {
            if (overlap(set, element, other)) {
              throw refused(step, named(set, element) + " overlaps " + other, NftException.EEXIST);
            }
          }
        }
        contents.elements.put(element.key(), element);
      }
    }

    private void requireReferents(Table table, NftExpr expression, NftOp step) throws NftException {
      switch (expression) {
        case NftExpr.Lookup(String set, int _, boolean _) -> contents(table, set, step);
        case NftExpr.VerdictMap(String map, int _) -> {
          if (contents(table, map, step).set.shape() != NftSet.Shape.VERDICT_MAP) {
            throw refused(step, map + " is not a verdict map", NftException.EINVAL);
          }
        }
        case NftExpr.DataMap(String map, int _, int _) -> {
          if (contents(table, map, step).set.shape() != NftSet.Shape.DATA_MAP) {
            throw refused(step, map + " is not a data map", NftException.EINVAL);
          }
        }
        case NftExpr.DestinationNat _ -> {
          NftHook hook = chain(table, ((NftOp.AddRule) step).chain(), step).hook;
          if (hook != null
              && (hook.type() != NftHook.Type.NAT
                  || hook.point() != NftHook.Point.PREROUTING
                      && hook.point() != NftHook.Point.OUTPUT)) {
            throw refused(step, "no destination can be changed there", EOPNOTSUPP);
          }
        }
        case NftExpr.Judge(NftVerdict verdict) -> {
          if (verdict instanceof NftVerdict.Jump(String target)
              && chain(table, target, step).hook != null) {
            throw refused(step, target + " is a base chain", EOPNOTSUPP);
          }
        }
        case NftExpr.Payload _,
            NftExpr.Meta _,
            NftExpr.CtState _,
            NftExpr.CtStatus _,
            NftExpr.CtOriginal _,
            NftExpr.Mask _,
            NftExpr.Compare _,
            NftExpr.Range _,
            NftExpr.DestinationType _,
            NftExpr.SourceType _,
            NftExpr.Load _,
            NftExpr.Counter _,
            NftExpr.Limit _,
            NftExpr.Log _,
            NftExpr.Notrack _,
            NftExpr.LogGroup _,
            NftExpr.Trace _,
            NftExpr.Masquerade _,
            NftExpr.SourceNat _ -> {}
      }
    }

    @Override
    public int generation() {
      return generation;
    }

    @Override
    public Optional<NftDump> dump(NftTableName name) {
      Table table = tables.get(name);
      if (table == null) {
        return Optional.empty();
      }
      Map<String, NftDump.Chain> chains = new LinkedHashMap<>();
      table.chains.forEach(
          (chain, c) -> chains.put(chain, NftDump.Chain.of(new NftChain(chain, c.hook, c.rules))));
      Map<String, NftDump.Elements> sets = new LinkedHashMap<>();
      table.sets.forEach(
          (set, s) -> sets.put(set, new NftDump.Elements(s.set, Map.copyOf(s.elements))));
      return Optional.of(
          new NftDump(table.owner != null, table.persistent, false, chains, sets, Set.of()));
    }

    @Override
    public List<NftRuleInfo> rules(NftTableName name) {
      List<NftRuleInfo> rules = new ArrayList<>();
      Table table = tables.get(name);
      if (table != null) {
        table.chains.forEach(
            (chain, contents) -> {
              for (NftRule rule : contents.rules) {
                boolean counts =
                    rule.expressions().stream().anyMatch(NftExpr.Counter.class::isInstance);
                NftCounter counter = counts ? new NftCounter(0, 0) : null;
                rules.add(new NftRuleInfo(chain, rules.size() + 1, rule.id(), counter));
              }
            });
      }
      return rules;
    }

    @Override
    public NftFeatures features() {
      return new NftFeatures(persistentOwner, true);
    }

    @Override
    public NftWatch watch(Set<NftTableName> names, Runnable alarm) {
      Watch watch = new Watch(this, Set.copyOf(names), new NftNotices(alarm));
      watches.add(watch);
      return new NftWatch() {
        @Override
        public Report take() {
          return watch.notices.take();
        }

        @Override
        public void close() {
          watches.remove(watch);
        }
      };
    }

    @Override
    public void close() {
      tables.values().removeIf(table -> table.owner == this && !table.persistent);
      for (Table table : tables.values()) {
        if (table.owner == this) {
          table.owner = null;
        }
      }
    }
  }

  private static String named(NftSet set, NftElement element) {
    return "element " + NftText.print(set, element);
  }

  private static Chain chain(Table table, String name, NftOp step) throws NftException {
    Chain chain = table.chains.get(name);
    if (chain == null) {
      throw refused(step, "there is no chain " + name, NftException.ENOENT);
    }
    return chain;
  }

  private static Contents contents(Table table, String name, NftOp step) throws NftException {
    Contents contents = table.sets.get(name);
    if (contents == null) {
      throw refused(step, "there is no set " + name, NftException.ENOENT);
    }
    return contents;
  }

  private static NftException refused(NftOp step, String why, int errno) {
    return new NftException(step.subject() + ": " + why + "; nothing was changed", errno);
  }

  private static boolean isJumpedTo(Table table, String chain) {
    for (String from : table.chains.keySet()) {
      if (targets(table, from).contains(chain)) {
        return true;
      }
    }
    for (Contents contents : table.sets.values()) {
      for (NftElement element : contents.elements.values()) {
        if (element.verdict() instanceof NftVerdict.Jump(String target) && target.equals(chain)) {
          return true;
        }
      }
    }
    return false;
  }

  private static boolean isLookedUp(Table table, String set) {
    for (Chain chain : table.chains.values()) {
      for (NftRule rule : chain.rules) {
        for (NftExpr expression : rule.expressions()) {
          if (expression instanceof NftExpr.Lookup(String used, int _, boolean _)
                  && used.equals(set)
              || expression instanceof NftExpr.VerdictMap(String map, int _) && map.equals(set)
              || expression instanceof NftExpr.DataMap(String data, int _, int _)
                  && data.equals(set)) {
            return true;
          }
        }
      }
    }
    return false;
  }

  private static Set<String> targets(Table table, String chain) {
    Set<String> targets = new HashSet<>();
    Chain from = table.chains.get(chain);
    for (NftRule rule : from == null ? List.<NftRule>of() : from.rules) {
      for (NftExpr expression : rule.expressions()) {
        if (expression instanceof NftExpr.Judge(NftVerdict.Jump(String target))) {
          targets.add(target);
        } else if (expression instanceof NftExpr.VerdictMap(String map, int _)) {
          Contents contents = table.sets.get(map);
          if (contents != null) {
            for (NftElement element : contents.elements.values()) {
              if (element.verdict() instanceof NftVerdict.Jump(String target)) {
                targets.add(target);
              }
            }
          }
        }
      }
    }
    return targets;
  }

  private static void walk(Table table, String chain, List<String> path) throws NftException {
    if (path.contains(chain)) {
      throw new NftException(
          "chain " + chain + " jumps back to itself; nothing was changed", ELOOP);
    }
    path.add(chain);
    if (path.size() > MAX_DEPTH) {
      throw new NftException("jumps " + path + " are too deep; nothing was changed", EMLINK);
    }
    for (String target : targets(table, chain)) {
      walk(table, target, path);
    }
    path.removeLast();
  }

  /// Ranges overlap if they do in every field.
  private static boolean overlap(NftSet set, NftElement a, NftElement b) {
    if (a.end() == null || b.end() == null) {
      return false;
    }
    int at = 0;
    for (NftField field : set.key()) {
      int octets = field.octets();
      NftData aFrom = a.key().slice(at, octets);
      NftData aTo = a.end().slice(at, octets);
      NftData bFrom = b.key().slice(at, octets);
      NftData bTo = b.end().slice(at, octets);
      if (aTo.compareTo(bFrom) < 0 || bTo.compareTo(aFrom) < 0) {
        return false;
      }
      at += field.paddedOctets();
    }
    return true;
  }
}
