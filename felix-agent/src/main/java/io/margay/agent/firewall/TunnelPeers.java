package io.margay.agent.firewall;

import io.margay.linux.nft.NftTable;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/// Who may send packets wrapped: elements of [Layout#TUNNEL_PEERS], and the chains that know their
/// packets and turn everybody else's away, while there is a pool whose packets are wrapped.
final class TunnelPeers {

  private final NftTable table;
  private final Set<IpAddress> written = new HashSet<>();
  private TunnelGuard guard = TunnelGuard.NONE;

  TunnelPeers(NftTable table) {
    this.table = table;
  }

  TunnelGuard guard() {
    return guard;
  }

  void set(TunnelGuard wanted, Map<IpFamily, BaseRenderer> bases) {
    for (IpAddress gone : Set.copyOf(written)) {
      if (!wanted.machines().contains(gone)) {
        written.remove(gone);
        table.removeElement(
            gone.family(), Layout.TUNNEL_PEERS, Layout.member(Layout.TUNNEL_MACHINE, gone).key());
      }
    }
    for (IpAddress machine : wanted.machines()) {
      if (written.add(machine)) {
        table.putElement(
            machine.family(), Layout.TUNNEL_PEERS, Layout.member(Layout.TUNNEL_MACHINE, machine));
      }
    }
    bases.forEach(
        (family, base) -> {
          boolean isUsed = wanted.families().contains(family);
          if (isUsed || guard.families().contains(family)) {
            base.tunnel(wanted.port())
                .forEach(
                    chain -> {
                      if (isUsed) {
                        table.putChain(family, chain);
                      } else {
                        table.removeChain(family, chain.name());
                      }
                    });
          }
        });
    guard = wanted;
  }
}
