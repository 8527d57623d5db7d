package io.margay.agent.firewall;

import io.margay.linux.nft.NftElement;
import io.margay.linux.nft.NftTable;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import io.margay.policy.SetKind;
import io.margay.policy.SetMember;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/// One set's members, and where in the kernel's sets they lie: single addresses with all other
/// sets' in one hash, prefixes by their length in another.
///
/// A packet that meets a transaction half way may walk the rules from before it and find the sets
/// as they are after it. So what leaves a set without its addresses leaving, or with the whole set,
/// stays for one transaction more ([#sweep]): old rules must not find a set empty that denies.
final class AddressSet {

  private final int id;
  private final SetKind kind;
  private final Set<SetMember> members = new HashSet<>();

  /// Members no more, and still in the kernel's sets.
  private final Set<SetMember> late = new HashSet<>();

  /// How many prefixes shorter than an address there are, by family and length.
  private final Map<IpFamily, TreeMap<Integer, Integer>> lengths = new EnumMap<>(IpFamily.class);

  AddressSet(int id, SetKind kind) {
    this.id = id;
    this.kind = kind;
  }

  SetKind kind() {
    return kind;
  }

  Set<SetMember> members() {
    return Collections.unmodifiableSet(members);
  }

  /// The lengths of its prefixes of a family, without those of single addresses; ascending.
  List<Integer> prefixLengths(IpFamily family) {
    TreeMap<Integer, Integer> counts = lengths.get(family);
    return counts == null ? List.of() : List.copyOf(counts.keySet());
  }

  void change(Set<SetMember> added, Set<SetMember> removed, NftTable table) {
    List<SetMember> leaving = new ArrayList<>();
    for (SetMember member : removed) {
      if (members.remove(member)) {
        leaving.add(member);
        if (member instanceof SetMember.Net(Prefix prefix) && !prefix.isHost()) {
          count(prefix, -1);
        }
      }
    }
    for (SetMember member : added) {
      if (members.add(member)) {
        late.remove(member);
        write(member, true, table);
        if (member instanceof SetMember.Net(Prefix prefix) && !prefix.isHost()) {
          count(prefix, 1);
        }
      }
    }
    for (SetMember member : leaving) {
      if (stays(member)) {
        late.add(member);
      } else if (!members.contains(member)) {
        write(member, false, table);
      }
    }
  }

  /// The set is no more.
  void leave() {
    late.addAll(members);
    members.clear();
    lengths.clear();
  }

  /// Whether addresses of it are members by another prefix now.
  private boolean stays(SetMember member) {
    return member instanceof SetMember.Net(Prefix prefix)
        && !members.contains(member)
        && (isCovered(prefix) || !prefix.isHost() && holdsInside(prefix));
  }

  private boolean isCovered(Prefix prefix) {
    return prefixLengths(prefix.family()).stream()
        .filter(length -> length < prefix.length())
        .anyMatch(
            length ->
                members.contains(new SetMember.Net(Prefix.containing(prefix.address(), length))));
  }

  private boolean holdsInside(Prefix prefix) {
    return members.stream()
        .anyMatch(
            member -> member instanceof SetMember.Net(Prefix other) && prefix.contains(other));
  }

  /// Whether something is left to [#sweep].
  boolean isToSweep() {
    return !late.isEmpty();
  }

  /// Removes what was kept for a moment. Only once the kernel has the rules and members that go
  /// without it.
  void sweep(NftTable table) {
    late.forEach(member -> write(member, false, table));
    late.clear();
  }

  private void write(SetMember member, boolean present, NftTable table) {
    switch (member) {
      case SetMember.Net(Prefix prefix) when prefix.isHost() ->
          write(
              prefix.family(), Layout.MEMBERS, Layout.member(id, prefix.address()), present, table);
      case SetMember.Net(Prefix prefix) ->
          write(prefix.family(), Layout.PREFIXES, Layout.prefix(id, prefix), present, table);
      case SetMember.NamedPort port ->
          write(port.address().family(), Layout.PORTS, Layout.namedPort(id, port), present, table);
    }
  }

  private void count(Prefix prefix, int by) {
    TreeMap<Integer, Integer> counts =
        lengths.computeIfAbsent(prefix.family(), _ -> new TreeMap<>());
    if (counts.merge(prefix.length(), by, Integer::sum) == 0) {
      counts.remove(prefix.length());
    }
  }

  private static void write(
      IpFamily family, String set, NftElement element, boolean present, NftTable table) {
    if (present) {
      table.putElement(family, set, element);
    } else {
      table.removeElement(family, set, element.key());
    }
  }
}
