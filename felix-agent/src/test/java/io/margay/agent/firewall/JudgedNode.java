package io.margay.agent.firewall;

import io.margay.agent.firewall.FlowVerdicts.Verdict;
import io.margay.linux.nft.FakeNftables;
import io.margay.linux.nft.NftTable;
import io.margay.linux.nft.NftTable.Ownership;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.policy.PolicyUpdate;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/// A node without a kernel that judges open connections: what it enforces, and where it believes
/// addresses to be.
final class JudgedNode {

  private final NftTable table =
      new NftTable(new FakeNftables(false).open(), "margay", Ownership.WHERE_PERSISTENT);
  final FirewallManager firewall = new FirewallManager(table, FirewallSettings.DEFAULT);
  private final FlowVerdicts verdicts = new FlowVerdicts(table);
  private final Set<IpAddress> own = new HashSet<>();
  private final Map<IpAddress, Set<InterfaceName>> holders = new HashMap<>();
  private final Set<IpAddress> virtual = new HashSet<>();
  private final Map<IpAddress, Set<InterfaceName>> workloads = new HashMap<>();
  private final Map<IpAddress, Set<InterfaceName>> ways = new HashMap<>();

  void apply(PolicyUpdate... updates) throws Exception {
    for (PolicyUpdate update : updates) {
      firewall.onUpdate(update);
    }
    firewall.apply();
  }

  /// The node has the address, on these of its links.
  void has(String address, String... interfaces) {
    own.add(IpAddress.parse(address));
    holders.put(IpAddress.parse(address), names(interfaces));
  }

  /// The node has the address, on a link by which nothing comes in.
  void hasVirtual(String address) {
    own.add(IpAddress.parse(address));
    virtual.add(IpAddress.parse(address));
  }

  /// The address is reached by these.
  void way(String address, String... interfaces) {
    ways.put(IpAddress.parse(address), names(interfaces));
  }

  /// As [#way], where workloads may be.
  void wayToWorkload(String address, String... interfaces) {
    way(address, interfaces);
    workloads.put(IpAddress.parse(address), names(interfaces));
  }

  private static Set<InterfaceName> names(String... interfaces) {
    Set<InterfaceName> names = new HashSet<>();
    for (String name : interfaces) {
      names.add(new InterfaceName(name));
    }
    return names;
  }

  Verdict of(FlowKind kind) throws Exception {
    return verdicts.of(
        kind,
        new Surroundings(
            own,
            holders,
            virtual,
            address -> workloads.getOrDefault(address, Set.of()),
            address -> ways.getOrDefault(address, Set.of())));
  }

  boolean allows(FlowKind kind) throws Exception {
    return of(kind) == Verdict.ALLOWED;
  }
}
