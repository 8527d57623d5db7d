package io.margay.agent.firewall;

import io.margay.linux.nft.NftElement;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import io.margay.policy.PortRange;
import io.margay.policy.SetId;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/// A list too long to be written out in a rule; the rule looks it up in a set under the list's own
/// id. Equal lists are one.
sealed interface RuleList {

  /// Its name for [SetIds].
  String name();

  /// The kernel set that holds it.
  String set();

  List<NftElement> elements(int id);

  /// Whether the kernel shows packets the list later than the rules of the same transaction, as it
  /// does with intervals.
  default boolean isSeenLate() {
    return false;
  }

  /// Prefixes of one family, none of which contains another.
  record Prefixes(List<Prefix> prefixes) implements RuleList {
    static Prefixes of(Collection<Prefix> prefixes, IpFamily family) {
      return new Prefixes(MaximalPrefixes.of(prefixes, family));
    }

    @Override
    public String name() {
      return "prefixes:" + prefixes;
    }

    @Override
    public String set() {
      return Layout.PREFIXES;
    }

    @Override
    public List<NftElement> elements(int id) {
      return prefixes.stream().map(prefix -> Layout.prefix(id, prefix)).toList();
    }

    /// A rule looks once for each; ascending.
    List<Integer> lengths() {
      return prefixes.stream().map(Prefix::length).distinct().sorted().toList();
    }
  }

  /// Who may reach single ports: which set is looked into for which port.
  record Grants(List<Grant> grants) implements RuleList {
    @Override
    public String name() {
      return "grants:" + grants;
    }

    @Override
    public String set() {
      return Layout.GRANTS;
    }

    @Override
    public List<NftElement> elements(int id) {
      return grants.stream().map(grant -> Layout.grant(id, grant)).toList();
    }
  }

  /// @param protocol IP protocol number of one with ports
  /// @param who the set of those who may
  /// @param number the set's number in the kernel
  record Grant(int protocol, int port, SetId who, int number) {}

  /// Port ranges, ascending and apart.
  record Ports(List<PortRange> ranges) implements RuleList {
    static Ports of(Collection<PortRange> ranges) {
      List<PortRange> merged = new ArrayList<>();
      for (PortRange range : ranges.stream().sorted().toList()) {
        PortRange last = merged.isEmpty() ? null : merged.getLast();
        if (last != null && range.first() <= last.last() + 1) {
          merged.removeLast();
          merged.add(new PortRange(last.first(), Math.max(last.last(), range.last())));
        } else {
          merged.add(range);
        }
      }
      return new Ports(List.copyOf(merged));
    }

    @Override
    public String name() {
      return "ports:" + ranges;
    }

    @Override
    public String set() {
      return Layout.PORT_RANGES;
    }

    @Override
    public boolean isSeenLate() {
      return true;
    }

    @Override
    public List<NftElement> elements(int id) {
      return ranges.stream().map(range -> Layout.portRange(id, range)).toList();
    }
  }
}
