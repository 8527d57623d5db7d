package io.margay.agent.firewall;

import io.margay.linux.nft.NftExpr;
import io.margay.policy.PolicyKey;
import io.margay.policy.RuleAction;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// What a log entry begins with: which rule it is of.
///
/// In NFLOG groups it is Felix's form, and the tier: `<A, D, N or L><P, R, E or H><I or E><rule>`,
/// as `LPI0|default|np/shop/db`: action (allow, deny, next tier, log), owner (policy, profile,
/// endpoint, host endpoint), direction, rule. What is longer than the kernel takes ends in a hash;
/// [RuleOrigins#ofLogPrefix] knows those, too.
final class LogPrefix {

  private LogPrefix() {}

  /// For an NFLOG group.
  static String ofGroup(
      RuleAction action, RuleOrigin origin, Function<PolicyKey, @Nullable String> tiers) {
    char end =
        switch (origin.direction()) {
          case INGRESS -> 'I';
          case EGRESS -> 'E';
        };
    String text =
        letter(action)
            + switch (origin) {
              case RuleOrigin.PolicyRule(PolicyKey policy, Direction _, int index) ->
                  "P" + end + index + "|" + ofPolicy(policy, tiers);
              case RuleOrigin.StagedRule(PolicyKey policy, Direction _, int index, RuleAction _) ->
                  "P" + end + index + "|" + ofPolicy(policy, tiers);
              case RuleOrigin.MissingPolicy(PolicyKey policy, Direction _) ->
                  "P" + end + "|" + ofPolicy(policy, tiers) + "|missing";
              case RuleOrigin.MergedRules(String tier, Direction _, int number) ->
                  "P" + end + "|" + tier + "|merged|" + number;
              case RuleOrigin.IntoTier(String tier, Direction _) -> "P" + end + "|" + tier + "|in";
              case RuleOrigin.EndOfTier(String tier, Direction _) -> "P" + end + "|" + tier;
              case RuleOrigin.ProfileRule(String profile, Direction _, int index) ->
                  "R" + end + index + "|" + profile;
              case RuleOrigin.MissingProfile(String profile, Direction _) ->
                  "R" + end + "|" + profile + "|missing";
              case RuleOrigin.EndOfEndpoint(var endpoint, Direction _) ->
                  "E" + end + "|" + endpoint;
              case RuleOrigin.EndOfHostEndpoint(var endpoint, Direction _, String slot) ->
                  "H" + end + "|" + endpoint.name() + "|" + slot;
            };
    return Layout.cut(text, NftExpr.Log.MAX_PREFIX_OCTETS);
  }

  private static char letter(RuleAction action) {
    return switch (action) {
      case ALLOW -> 'A';
      case DENY -> 'D';
      case PASS -> 'N';
      case LOG -> 'L';
    };
  }

  private static String ofPolicy(PolicyKey policy, Function<PolicyKey, @Nullable String> tiers) {
    String tier = tiers.apply(policy);
    return (tier == null ? "" : tier) + "|" + shortKind(policy) + "/" + policy;
  }

  /// As calicoctl abbreviates it.
  private static String shortKind(PolicyKey policy) {
    return (policy.isStaged() ? "s" : "") + (policy.namespace().isEmpty() ? "gnp" : "np");
  }

  /// For the kernel's log. Unless somebody set another, the prefix is Calico's and the rule's id.
  /// One that was set may hold `%t` (tier), `%k` (kind), `%n` (name), `%p` (namespace/name).
  static String ofKernel(
      @Nullable String set, RuleOrigin origin, Function<PolicyKey, @Nullable String> tiers) {
    String text =
        set == null ? PacketLog.DEFAULT_PREFIX + " " + origin.id() : spelled(set, origin, tiers);
    String end = ": ";
    return Layout.cut(plain(text), NftExpr.Log.MAX_PREFIX_OCTETS - end.length()) + end;
  }

  private static String spelled(
      String set, RuleOrigin origin, Function<PolicyKey, @Nullable String> tiers) {
    String tier = "";
    String kind = "";
    String name = "";
    String path = "";
    switch (origin) {
      case RuleOrigin.PolicyRule(PolicyKey policy, Direction _, int _) -> {
        String of = tiers.apply(policy);
        tier = of == null ? "" : of;
        kind = shortKind(policy);
        name = policy.name();
        path = policy.toString();
      }
      case RuleOrigin.ProfileRule(String profile, Direction _, int _) -> {
        kind = "pro";
        name = profile;
        path = profile;
      }
      // No rule with action Log is any of these.
      case RuleOrigin.StagedRule _,
          RuleOrigin.MissingPolicy _,
          RuleOrigin.MergedRules _,
          RuleOrigin.IntoTier _,
          RuleOrigin.EndOfTier _,
          RuleOrigin.MissingProfile _,
          RuleOrigin.EndOfEndpoint _,
          RuleOrigin.EndOfHostEndpoint _ -> {}
    }
    return set.replace("%t", tier).replace("%k", kind).replace("%n", name).replace("%p", path);
  }

  /// A line of the kernel's log is one line, and nft has no way to quote a quote.
  private static String plain(String text) {
    return text.replaceAll("[\\p{Cntrl}\"]", "_");
  }
}
