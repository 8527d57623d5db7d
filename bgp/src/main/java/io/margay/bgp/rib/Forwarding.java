package io.margay.bgp.rib;

import io.margay.bgp.policy.RouteSource;
import io.margay.model.net.IpAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/// What the forwarding table was told of one family: a set of gateways for each prefix, the sets
/// shared. Only what differs from it is told.
final class Forwarding {

  /// Changes told at a time.
  static final int MAX_CHANGES = 4096;

  private static final class Gateways {
    final List<Gateway> gateways;
    final int id;
    int holders;

    Gateways(List<Gateway> gateways, int id) {
      this.gateways = gateways;
      this.id = id;
    }
  }

  private final AttributeStore attributes;
  private final Peers peers;
  private final ForwardingListener listener;

  /// By prefix: the id of the set, 0 for none.
  private final PagedInts told = new PagedInts();

  private final Map<List<Gateway>, Gateways> sets = new HashMap<>();
  private final List<Gateways> byId = new ArrayList<>();
  private final IdSet free = new IdSet();
  private List<ForwardingChange> changes = new ArrayList<>();

  Forwarding(AttributeStore attributes, Peers peers, ForwardingListener listener) {
    this.attributes = attributes;
    this.peers = peers;
    this.listener = listener;
    byId.add(new Gateways(List.of(), 0));
  }

  /// A prefix was decided; the selection still knows how.
  void decided(FamilyRib rib, int prefix, Selection selection) {
    int before = told.get(prefix);
    List<Gateway> wanted = gateways(rib, selection);
    if (byId.get(before).gateways.equals(wanted)) {
      return;
    }
    release(before);
    told.set(prefix, wanted.isEmpty() ? 0 : acquire(wanted));
    changes.add(new ForwardingChange(rib.prefixes.prefix(prefix), wanted));
    if (changes.size() == MAX_CHANGES) {
      flush();
    }
  }

  /// Tells what was collected.
  void flush() {
    if (!changes.isEmpty()) {
      listener.onChanges(changes);
      changes = new ArrayList<>();
    }
  }

  private List<Gateway> gateways(FamilyRib rib, Selection selection) {
    TreeSet<Gateway> wanted = new TreeSet<>();
    for (int i = 0; i < selection.size(); i++) {
      if (selection.shares(i)) {
        wanted.add(gateway(rib.paths, selection.slot(i)));
      }
    }
    return List.copyOf(wanted);
  }

  private Gateway gateway(PathTable paths, int slot) {
    IpAddress address = NextHops.gateway(attributes.get(paths.accepted(slot)).nextHop());
    RouteSource source = peers.source(paths.peer(slot));
    return new Gateway(address, address.isLinkLocal() ? source.via() : null);
  }

  private int acquire(List<Gateway> wanted) {
    Gateways set = sets.get(wanted);
    if (set == null) {
      int id = free.takeFirst();
      if (id < 0) {
        id = byId.size();
        byId.add(byId.getFirst());
      }
      set = new Gateways(wanted, id);
      byId.set(id, set);
      sets.put(wanted, set);
    }
    set.holders++;
    return set.id;
  }

  private void release(int id) {
    Gateways set = byId.get(id);
    if (id != 0 && --set.holders == 0) {
      sets.remove(set.gateways);
      byId.set(id, byId.getFirst());
      free.add(id);
    }
  }
}
