package io.margay.agent.firewall;

import io.margay.linux.nft.NftCounter;
import io.margay.linux.nft.NftRuleInfo;
import io.margay.model.net.IpFamily;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// Counts of rules across their rewriting: a chain that changes is written anew, and its rules then
/// count from zero. What a rule counted between the last reading and its end is lost.
///
/// A rule whose id leaves the table is forgotten. One thread.
public final class RuleTally {

  private final Map<IpFamily, Map<Long, NftRuleInfo>> read = new EnumMap<>(IpFamily.class);
  private final Map<IpFamily, Map<String, NftCounter>> totals = new EnumMap<>(IpFamily.class);

  /// Takes all rules of a table as they are now.
  public void take(IpFamily family, List<NftRuleInfo> rules) {
    Map<Long, NftRuleInfo> before = read.getOrDefault(family, Map.of());
    Map<String, NftCounter> known = totals.getOrDefault(family, Map.of());
    Map<Long, NftRuleInfo> now = new HashMap<>();
    Map<String, NftCounter> sums = new HashMap<>();
    for (NftRuleInfo rule : rules) {
      NftCounter counter = rule.counter();
      if (counter == null) {
        continue;
      }
      now.put(rule.handle(), rule);
      sums.putIfAbsent(rule.id(), known.getOrDefault(rule.id(), NftCounter.ZERO));
      sums.merge(rule.id(), rise(before.get(rule.handle()), rule.id(), counter), NftCounter::plus);
    }
    read.put(family, now);
    totals.put(family, sums);
  }

  /// A table that was deleted hands out its handles again.
  private static NftCounter rise(@Nullable NftRuleInfo before, String id, NftCounter now) {
    NftCounter then = before == null ? null : before.counter();
    if (before == null || then == null || !before.id().equals(id)) {
      return now;
    }
    return now.packets() >= then.packets() && now.octets() >= then.octets() ? now.minus(then) : now;
  }

  /// What policy's rules have counted, in the order of tier and name.
  public List<PolicyCount> counts(RuleOrigins origins) {
    Map<PolicyCount.Subject, PolicyCount> counts = new TreeMap<>();
    totals.forEach(
        (family, sums) ->
            sums.forEach(
                (id, sum) -> {
                  PolicyCount.Subject what = PolicyCount.Subject.of(id, origins);
                  if (what != null) {
                    counts.put(
                        what,
                        counts
                            .getOrDefault(
                                what, new PolicyCount(what, NftCounter.ZERO, NftCounter.ZERO))
                            .plus(family, sum));
                  }
                }));
    return new ArrayList<>(counts.values());
  }
}
