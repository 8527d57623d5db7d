package io.margay.agent.firewall;

import io.margay.linux.nft.NftTable;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import io.margay.policy.SetId;
import io.margay.policy.SetKind;
import io.margay.policy.SetMember;
import io.margay.policy.oracle.RuleMatcher;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// All address sets, and the unions of them that merged rules look up.
///
/// A union follows its sets; it is in the kernel while a chain uses it. It is made when a renderer
/// first asks for it and falls with [#sweep] unless a chain has taken it by then.
final class AddressSets implements SetShapes, RuleMatcher.Sets {

  /// A set of more members than this is not repeated in a union.
  static final int LARGE = 1_000;

  /// Hears that rules which look into a set must be written anew.
  interface Listener {
    void onShapeChanged(SetId set);
  }

  private static final class Union {
    private final SetUnion definition;
    private final AddressSet set;
    private int users;

    private Union(SetUnion definition, AddressSet set) {
      this.definition = definition;
      this.set = set;
    }
  }

  private final NftTable table;
  private final SetIds ids;
  private final Listener listener;
  private final Map<SetId, AddressSet> sets = new HashMap<>();
  private final Map<SetId, Union> unions = new HashMap<>();
  private final Set<AddressSet> toSweep = new HashSet<>();

  /// Sets that are no more, of which the kernel may still have members.
  private final Map<SetId, AddressSet> leaving = new HashMap<>();

  private final Map<SetId, Set<Union>> unionsOf = new HashMap<>();

  AddressSets(NftTable table, SetIds ids, Listener listener) {
    this.table = table;
    this.ids = ids;
    this.listener = listener;
  }

  /// The set has these members and no others.
  void update(SetId id, SetKind kind, Set<SetMember> members) {
    AddressSet set = sets.computeIfAbsent(id, _ -> fresh(id, kind));
    if (set.kind() != kind) {
      throw new IllegalStateException(
          "set " + id + " changes its kind from " + set.kind() + " to " + kind);
    }
    Set<SetMember> removed = new HashSet<>(set.members());
    removed.removeAll(members);
    edit(id, set, members, removed);
  }

  void change(SetId id, Set<SetMember> added, Set<SetMember> removed) {
    edit(id, known(id), added, removed);
  }

  void remove(SetId id) {
    AddressSet set = known(id);
    for (Union union : unionsOf.getOrDefault(id, Set.of())) {
      Set<SetMember> gone = new HashSet<>(set.members());
      gone.removeIf(member -> holds(union.definition, member, part -> !part.equals(id)));
      change(union.set, Set.of(), gone);
    }
    leave(id, set);
    sets.remove(id);
  }

  private void leave(SetId id, AddressSet set) {
    set.leave();
    leaving.put(id, set);
    toSweep.add(set);
  }

  /// The set of that id; the former one, if the kernel still has what is left of it.
  private AddressSet fresh(SetId id, SetKind kind) {
    AddressSet former = leaving.remove(id);
    return former != null && former.kind() == kind
        ? former
        : new AddressSet(ids.id(id.value()), kind);
  }

  private AddressSet known(SetId id) {
    AddressSet set = find(id);
    if (set == null) {
      throw new IllegalStateException("set " + id + " is used but was never announced");
    }
    return set;
  }

  private @Nullable AddressSet find(SetId id) {
    AddressSet set = sets.get(id);
    if (set != null) {
      return set;
    }
    Union union = unions.get(id);
    return union == null ? null : union.set;
  }

  /// Rules look once for each length of prefix, so those that use the set change when it gains its
  /// first prefix of a length or loses its last, and when it becomes too large for a union or
  /// ceases to be.
  private void edit(SetId id, AddressSet set, Set<SetMember> added, Set<SetMember> removed) {
    List<Integer> had4 = set.prefixLengths(IpFamily.IPV4);
    List<Integer> had6 = set.prefixLengths(IpFamily.IPV6);
    boolean wasLarge = set.members().size() > LARGE;
    change(set, added, removed);
    for (Union union : unionsOf.getOrDefault(id, Set.of())) {
      Set<SetMember> gone = new HashSet<>();
      for (SetMember member : removed) {
        if (!holds(union.definition, member, _ -> true)) {
          gone.add(member);
        }
      }
      change(union.set, added, gone);
    }
    if (!had4.equals(set.prefixLengths(IpFamily.IPV4))
        || !had6.equals(set.prefixLengths(IpFamily.IPV6))
        || wasLarge != set.members().size() > LARGE) {
      listener.onShapeChanged(id);
    }
  }

  private void change(AddressSet set, Set<SetMember> added, Set<SetMember> removed) {
    set.change(added, removed, table);
    if (set.isToSweep()) {
      toSweep.add(set);
    }
  }

  /// Removes from the kernel's sets what was kept there for rules that are gone now.
  ///
  /// @return whether there was anything
  boolean sweepLate() {
    toSweep.forEach(set -> set.sweep(table));
    boolean any = !toSweep.isEmpty();
    toSweep.clear();
    leaving.clear();
    return any;
  }

  private boolean holds(SetUnion union, SetMember member, Predicate<SetId> parts) {
    return member instanceof SetMember.Net(Prefix prefix) && union.nets().contains(prefix)
        || union.sets().stream()
            .filter(parts)
            .map(sets::get)
            .anyMatch(set -> set != null && set.members().contains(member));
  }

  @Override
  public boolean containsPort(SetId id, IpAddress address, int protocol, int port) {
    return known(id).members().contains(new SetMember.NamedPort(address, protocol, port));
  }

  @Override
  public boolean containsAddress(SetId id, IpAddress address) {
    Set<SetMember> members = known(id).members();
    return members.contains(new SetMember.Net(address.toHostPrefix()))
        || known(id).prefixLengths(address.family()).stream()
            .anyMatch(
                length -> members.contains(new SetMember.Net(Prefix.containing(address, length))));
  }

  @Override
  public void define(SetUnion definition) {
    SetId id = definition.id();
    if (find(id) != null) {
      return;
    }
    Set<SetMember> members = new HashSet<>();
    definition.sets().forEach(set -> members.addAll(known(set).members()));
    definition.nets().forEach(net -> members.add(new SetMember.Net(net)));
    Union union = new Union(definition, fresh(id, SetKind.NETS));
    change(union.set, members, Set.of());
    unions.put(id, union);
    definition
        .sets()
        .forEach(set -> unionsOf.computeIfAbsent(set, _ -> new HashSet<>()).add(union));
  }

  /// A chain looks the union up from now on, or one fewer does.
  void use(SetUnion definition, int by) {
    Union union = unions.get(definition.id());
    if (union != null) {
      union.users += by;
    }
  }

  /// Removes the unions that no chain looks up.
  void sweep() {
    for (Union union : List.copyOf(unions.values())) {
      if (union.users == 0) {
        unions.remove(union.definition.id());
        leave(union.definition.id(), union.set);
        for (SetId part : union.definition.sets()) {
          Set<Union> of = unionsOf.get(part);
          if (of != null && of.remove(union) && of.isEmpty()) {
            unionsOf.remove(part);
          }
        }
      }
    }
  }

  @Override
  public int id(SetId set) {
    known(set);
    return ids.id(set.value());
  }

  @Override
  public int id(RuleList list) {
    return ids.id(list.name());
  }

  @Override
  public List<Integer> prefixLengths(SetId set, IpFamily family) {
    return known(set).prefixLengths(family);
  }

  @Override
  public boolean isLarge(SetId set) {
    return known(set).members().size() > LARGE;
  }
}
