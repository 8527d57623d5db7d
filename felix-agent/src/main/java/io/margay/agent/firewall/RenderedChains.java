package io.margay.agent.firewall;

import io.margay.linux.nft.NftElement;
import io.margay.linux.nft.NftTable;
import io.margay.model.net.IpFamily;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The chains that look up [RuleList]s: a list is in the kernel while a chain uses it.
final class RenderedChains {

  private record Place(IpFamily family, String chain) {}

  private record Use(IpFamily family, RuleList list) {}

  private final NftTable table;
  private final SetIds ids;
  private final Map<Place, Set<RuleList>> lists = new HashMap<>();
  private final Map<Use, Integer> users = new HashMap<>();

  RenderedChains(NftTable table, SetIds ids) {
    this.table = table;
    this.ids = ids;
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
    if (rendered == null) {
      table.removeChain(family, chain);
    } else {
      table.putChain(family, rendered.chain());
    }
  }

  private void count(IpFamily family, RuleList list, int by) {
    int before = users.merge(new Use(family, list), by, Integer::sum) - by;
    int id = ids.id(list.name());
    if (before == 0) {
      for (NftElement element : list.elements(id)) {
        table.putElement(family, list.set(), element);
      }
    } else if (before + by == 0) {
      users.remove(new Use(family, list));
      for (NftElement element : list.elements(id)) {
        table.removeElement(family, list.set(), element.key());
      }
    }
  }
}
