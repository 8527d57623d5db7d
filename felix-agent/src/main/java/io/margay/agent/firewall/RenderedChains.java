package io.margay.agent.firewall;

import io.margay.linux.nft.NftElement;
import io.margay.linux.nft.NftTable;
import io.margay.model.net.IpFamily;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The chains that look up [RuleList]s and [SetUnion]s: these are in the kernel while a chain uses
/// them.
final class RenderedChains {

  private record Place(IpFamily family, String chain) {}

  private record Use(IpFamily family, RuleList list) {}

  private final NftTable table;
  private final SetIds ids;
  private final AddressSets sets;
  private final Map<Place, Set<SetUnion>> unions = new HashMap<>();
  private final Map<Place, Map<String, List<PolicyRule>>> merged = new HashMap<>();
  private final Map<Place, Set<RuleList>> lists = new HashMap<>();
  private final Map<Use, Integer> users = new HashMap<>();
  private final Set<Use> fresh = new HashSet<>();
  private final Set<Use> late = new HashSet<>();

  RenderedChains(NftTable table, SetIds ids, AddressSets sets) {
    this.table = table;
    this.ids = ids;
    this.sets = sets;
  }

  /// @param rendered null = the chain should not be
  void set(IpFamily family, String chain, @Nullable RenderedChain rendered) {
    Place place = new Place(family, chain);
    Set<RuleList> now = rendered == null ? Set.of() : rendered.lists();
    Set<RuleList> before = now.isEmpty() ? lists.remove(place) : lists.put(place, now);
    now.forEach(list -> count(family, list, 1));
    if (before != null) {
      before.forEach(list -> count(family, list, -1));
    }
    countUnions(place, rendered == null ? Set.of() : rendered.unions());
    if (rendered == null || rendered.merged().isEmpty()) {
      merged.remove(place);
    } else {
      merged.put(place, rendered.merged());
    }
    if (rendered == null) {
      table.removeChain(family, chain);
    } else {
      table.putChain(family, rendered.chain());
    }
  }

  /// The ids of kernel rules that stand for several rules of policies.
  Set<String> mergedIds() {
    Set<String> ids = new HashSet<>();
    merged.values().forEach(of -> ids.addAll(of.keySet()));
    return ids;
  }

  /// The rules of policies among which is the one that a kernel rule accepts for, in evaluation
  /// order; none if merging gave up nothing there.
  List<PolicyRule> members(IpFamily family, String chain, String ruleId) {
    return merged.getOrDefault(new Place(family, chain), Map.of()).getOrDefault(ruleId, List.of());
  }

  /// Removes the lists that no chain asks for any more. Only once the kernel has the chains that
  /// don't: a packet may walk old rules and find the sets as they are after a transaction.
  ///
  /// @return whether there was any
  boolean sweepLate() {
    for (Use use : late) {
      int id = ids.id(use.list().name());
      for (NftElement element : use.list().elements(id)) {
        table.removeElement(use.family(), use.list().set(), element.key());
      }
    }
    boolean any = !late.isEmpty();
    late.clear();
    return any;
  }

  private void countUnions(Place place, Set<SetUnion> now) {
    Set<SetUnion> before = now.isEmpty() ? unions.remove(place) : unions.put(place, now);
    now.forEach(union -> sets.use(union, 1));
    if (before != null) {
      before.forEach(union -> sets.use(union, -1));
    }
  }

  private void count(IpFamily family, RuleList list, int by) {
    int before = users.merge(new Use(family, list), by, Integer::sum) - by;
    int id = ids.id(list.name());
    if (before == 0) {
      late.remove(new Use(family, list));
      if (list.isSeenLate()) {
        fresh.add(new Use(family, list));
      }
      for (NftElement element : list.elements(id)) {
        table.putElement(family, list.set(), element);
      }
    } else if (before + by == 0) {
      users.remove(new Use(family, list));
      late.add(new Use(family, list));
    }
  }

  /// The elements of lists that chains have begun to ask for since the last call.
  List<NftTable.Elements> takeFresh() {
    List<NftTable.Elements> taken = new ArrayList<>();
    for (Use use : fresh) {
      if (users.containsKey(use)) {
        RuleList list = use.list();
        taken.add(
            new NftTable.Elements(
                use.family(), list.set(), List.copyOf(list.elements(ids.id(list.name())))));
      }
    }
    fresh.clear();
    return taken;
  }
}
