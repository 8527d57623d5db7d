package io.margay.agent.firewall;

import io.margay.linux.nft.NftCounter;
import io.margay.model.net.IpFamily;
import io.margay.policy.PolicyKey;
import io.margay.policy.RuleAction;
import java.util.Comparator;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// What one rule, as its author knows it, has counted on this node.
///
/// @param what the rule
/// @param ipv4 packets of that family
/// @param ipv6 packets of that family
public record PolicyCount(Subject what, NftCounter ipv4, NftCounter ipv6) {

  /// A rule as its author knows it. Kernel rules that differ only in the endpoint are one.
  ///
  /// @param tier empty if it belongs to none
  /// @param kind of the document; empty for the end of a tier and for merged rules
  /// @param policy name, or namespace/name, of the policy, profile or host endpoint; empty where
  ///   `kind` is
  /// @param direction `ingress` or `egress`
  /// @param rule its index, or `end` (of the tier), `merged`, `missing` or `no-profile`
  /// @param action `allow`, `deny`, `pass` or `log`; what it would be, of a policy on trial
  public record Subject(
      String tier, String kind, String policy, String direction, String rule, String action)
      implements Comparable<Subject> {

    private static final Comparator<Subject> ORDER =
        Comparator.comparing(Subject::tier)
            .thenComparing(Subject::policy)
            .thenComparing(Subject::kind)
            .thenComparing(Subject::direction)
            .thenComparingInt(subject -> subject.rule.length())
            .thenComparing(Subject::rule)
            .thenComparing(Subject::action);

    @Override
    public int compareTo(Subject other) {
      return ORDER.compare(this, other);
    }

    /// The rule that has the id; null if it is nobody's policy.
    static @Nullable Subject of(String ruleId, RuleOrigins origins) {
      RuleOrigin origin = origins.of(ruleId);
      RuleAction action = origins.actionOf(ruleId);
      if (origin == null || action == null) {
        return null;
      }
      String direction = origin.direction().word();
      String does = action.name().toLowerCase(Locale.ROOT);
      return switch (origin) {
        case RuleOrigin.PolicyRule(PolicyKey policy, Direction _, int index) ->
            ofPolicy(policy, direction, Integer.toString(index), does, origins);
        case RuleOrigin.StagedRule(PolicyKey policy, Direction _, int index, RuleAction _) ->
            ofPolicy(policy, direction, Integer.toString(index), does, origins);
        case RuleOrigin.MissingPolicy(PolicyKey policy, Direction _) ->
            ofPolicy(policy, direction, "missing", does, origins);
        case RuleOrigin.MergedRules(String tier, Direction _, int _) ->
            new Subject(tier, "", "", direction, "merged", does);
        case RuleOrigin.EndOfTier(String tier, Direction _) ->
            new Subject(tier, "", "", direction, "end", does);
        case RuleOrigin.ProfileRule(String profile, Direction _, int index) ->
            new Subject("", "Profile", profile, direction, Integer.toString(index), does);
        case RuleOrigin.MissingProfile(String profile, Direction _) ->
            new Subject("", "Profile", profile, direction, "missing", does);
        case RuleOrigin.EndOfEndpoint _ -> new Subject("", "", "", direction, "no-profile", does);
        case RuleOrigin.EndOfHostEndpoint(var endpoint, Direction _, String _) ->
            new Subject("", "HostEndpoint", endpoint.name(), direction, "no-profile", does);
        case RuleOrigin.IntoTier _ -> null;
      };
    }

    private static Subject ofPolicy(
        PolicyKey policy, String direction, String rule, String action, RuleOrigins origins) {
      String tier = origins.tierOf(policy);
      return new Subject(
          tier == null ? "" : tier, policy.kind(), policy.toString(), direction, rule, action);
    }
  }

  /// Of both families.
  public long packets() {
    return ipv4.packets() + ipv6.packets();
  }

  /// Of both families, from the network header on.
  public long octets() {
    return ipv4.octets() + ipv6.octets();
  }

  PolicyCount plus(IpFamily family, NftCounter more) {
    return switch (family) {
      case IPV4 -> new PolicyCount(what, ipv4.plus(more), ipv6);
      case IPV6 -> new PolicyCount(what, ipv4, ipv6.plus(more));
    };
  }
}
