package io.margay.agent.firewall;

import io.margay.linux.nft.NftElement;
import io.margay.linux.nft.NftTable;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import io.margay.policy.SetKind;
import io.margay.policy.SetMember;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// One set's members, and where in the kernel's sets they lie: single addresses with all other
/// sets' in a hash, prefixes in an interval set that tolerates no overlap.
final class AddressSet {

  private final int id;
  private final SetKind kind;
  private final Set<SetMember> members = new HashSet<>();
  private final Map<IpFamily, Set<Prefix>> prefixes = new HashMap<>();
  private final Map<IpFamily, List<Prefix>> written = new HashMap<>();

  AddressSet(int id, SetKind kind) {
    this.id = id;
    this.kind = kind;
  }

  SetKind kind() {
    return kind;
  }

  boolean hasPrefixes(IpFamily family) {
    return !prefixes.getOrDefault(family, Set.of()).isEmpty();
  }

  /// Makes `wanted` the members.
  void replace(Set<SetMember> wanted, NftTable table) {
    Set<SetMember> removed = new HashSet<>(members);
    removed.removeAll(wanted);
    change(wanted, removed, table);
  }

  void change(Set<SetMember> added, Set<SetMember> removed, NftTable table) {
    boolean prefixesChanged = false;
    for (SetMember member : removed) {
      if (members.remove(member)) {
        prefixesChanged |= edit(member, false, table);
      }
    }
    for (SetMember member : added) {
      if (members.add(member)) {
        prefixesChanged |= edit(member, true, table);
      }
    }
    if (prefixesChanged) {
      for (IpFamily family : IpFamily.values()) {
        writePrefixes(family, table);
      }
    }
  }

  /// @return whether the member is a prefix, which is written with all others of its family
  private boolean edit(SetMember member, boolean present, NftTable table) {
    switch (member) {
      case SetMember.Net(Prefix prefix) -> {
        if (!prefix.isHost()) {
          Set<Prefix> mine = prefixes.computeIfAbsent(prefix.family(), _ -> new HashSet<>());
          return present ? mine.add(prefix) : mine.remove(prefix);
        }
        write(prefix.family(), Layout.MEMBERS, Layout.member(id, prefix.address()), present, table);
      }
      case SetMember.NamedPort port ->
          write(port.address().family(), Layout.PORTS, Layout.namedPort(id, port), present, table);
    }
    return false;
  }

  private void writePrefixes(IpFamily family, NftTable table) {
    List<Prefix> wanted = MaximalPrefixes.of(prefixes.getOrDefault(family, Set.of()), family);
    List<Prefix> before = written.getOrDefault(family, List.of());
    Set<Prefix> gone = new HashSet<>(before);
    wanted.forEach(gone::remove);
    for (Prefix prefix : gone) {
      write(family, Layout.CIDRS, Layout.cidr(id, prefix), false, table);
    }
    for (Prefix prefix : wanted) {
      write(family, Layout.CIDRS, Layout.cidr(id, prefix), true, table);
    }
    written.put(family, wanted);
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
