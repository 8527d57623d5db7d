package io.margay.policy;

import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;
import java.util.NavigableSet;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// The members of one set, counted, since two endpoints may share an address.
///
/// Only maximal prefixes are visible: a member that lies inside another is held back, because the
/// kernel's interval sets refuse overlaps and it adds nothing to what the set matches.
final class SetMembers {

  /// Hears of every change of what is visible.
  interface Listener {
    void onMemberAdded(SetMember member);

    void onMemberRemoved(SetMember member);
  }

  private final Listener listener;
  private final Map<SetMember, Integer> counts = new HashMap<>();

  /// How many distinct prefixes shorter than a host route there are, by family and length.
  private final Map<IpFamily, int[]> shortPrefixes = new EnumMap<>(IpFamily.class);

  private int shortPrefixCount;

  /// All prefixes, an outer one before its inner ones; kept only while one can hold another.
  private @Nullable NavigableSet<Prefix> ordered;

  SetMembers(Listener listener) {
    this.listener = listener;
  }

  void add(SetMember member) {
    if (counts.merge(member, 1, Integer::sum) > 1) {
      return;
    }
    switch (member) {
      case SetMember.NamedPort port -> listener.onMemberAdded(port);
      case SetMember.Net(Prefix prefix) -> addPrefix(prefix);
    }
  }

  void remove(SetMember member) {
    Integer count = counts.get(member);
    if (count == null) {
      throw new IllegalStateException(member + " leaves a set it is not in");
    }
    if (count > 1) {
      counts.put(member, count - 1);
      return;
    }
    counts.remove(member);
    switch (member) {
      case SetMember.NamedPort port -> listener.onMemberRemoved(port);
      case SetMember.Net(Prefix prefix) -> removePrefix(prefix);
    }
  }

  private void addPrefix(Prefix prefix) {
    NavigableSet<Prefix> order = ordered;
    if (!prefix.isHost()) {
      lengthsOf(prefix.family())[prefix.length()]++;
      shortPrefixCount++;
      if (order == null) {
        order = new TreeSet<>();
        for (SetMember member : counts.keySet()) {
          if (member instanceof SetMember.Net(Prefix known)) {
            order.add(known);
          }
        }
        ordered = order;
      }
    }
    if (order != null) {
      order.add(prefix);
    }
    if (isCovered(prefix)) {
      return;
    }
    if (!prefix.isHost() && order != null) {
      forEachMaximalInside(order, prefix, listener::onMemberRemoved);
    }
    listener.onMemberAdded(new SetMember.Net(prefix));
  }

  private void removePrefix(Prefix prefix) {
    NavigableSet<Prefix> order = ordered;
    if (order != null) {
      order.remove(prefix);
    }
    boolean covered = isCovered(prefix);
    if (!covered) {
      listener.onMemberRemoved(new SetMember.Net(prefix));
    }
    if (!prefix.isHost()) {
      lengthsOf(prefix.family())[prefix.length()]--;
      shortPrefixCount--;
      if (!covered && order != null) {
        forEachMaximalInside(order, prefix, listener::onMemberAdded);
      }
      if (shortPrefixCount == 0) {
        ordered = null;
      }
    }
  }

  private int[] lengthsOf(IpFamily family) {
    return shortPrefixes.computeIfAbsent(family, f -> new int[f.bits()]);
  }

  private boolean isCovered(Prefix prefix) {
    if (shortPrefixCount == 0) {
      return false;
    }
    int[] lengths = lengthsOf(prefix.family());
    for (int length = 0; length < prefix.length(); length++) {
      if (lengths[length] > 0
          && counts.containsKey(new SetMember.Net(Prefix.containing(prefix.address(), length)))) {
        return true;
      }
    }
    return false;
  }

  private static void forEachMaximalInside(
      NavigableSet<Prefix> order, Prefix outer, Consumer<SetMember> visit) {
    Prefix last = null;
    for (Prefix inner : order.tailSet(outer, false)) {
      if (!outer.contains(inner)) {
        return;
      }
      if (last == null || !last.contains(inner)) {
        last = inner;
        visit.accept(new SetMember.Net(inner));
      }
    }
  }
}
