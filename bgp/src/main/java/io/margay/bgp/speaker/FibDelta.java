package io.margay.bgp.speaker;

import io.margay.bgp.rib.ForwardingChange;
import io.margay.bgp.rib.Gateway;
import java.util.ArrayList;
import java.util.List;

/// Changed forwarding entries, each prefix at most once.
public record FibDelta(List<FibChange> changes) {
  public FibDelta {
    changes = List.copyOf(changes);
  }

  static FibDelta of(List<ForwardingChange> decided) {
    List<FibChange> changes = new ArrayList<>(decided.size());
    for (ForwardingChange change : decided) {
      changes.add(
          change.gateways().isEmpty()
              ? new FibChange.Withdraw(change.prefix())
              : new FibChange.Install(change.prefix(), nextHops(change.gateways())));
    }
    return new FibDelta(changes);
  }

  private static List<FibNextHop> nextHops(List<Gateway> gateways) {
    List<FibNextHop> hops = new ArrayList<>(gateways.size());
    for (Gateway gateway : gateways) {
      hops.add(new FibNextHop(gateway.address(), gateway.via()));
    }
    return hops;
  }
}
