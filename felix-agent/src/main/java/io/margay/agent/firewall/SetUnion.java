package io.margay.agent.firewall;

import io.margay.model.net.Prefix;
import io.margay.policy.SetId;
import java.util.Collection;
import java.util.List;

/// Everybody whom any of several rules lets in, as one set: a packet looks once, not once a rule.
///
/// @param sets ascending, each once
/// @param nets of both families, ascending, each once
record SetUnion(List<SetId> sets, List<Prefix> nets) {

  SetUnion {
    sets = List.copyOf(sets);
    nets = List.copyOf(nets);
  }

  static SetUnion of(Collection<SetId> sets, Collection<Prefix> nets) {
    return new SetUnion(
        sets.stream().distinct().sorted().toList(), nets.stream().distinct().sorted().toList());
  }

  /// Under which rules look it up: a union of one set is that set.
  SetId id() {
    return sets.size() == 1 && nets.isEmpty()
        ? sets.getFirst()
        : new SetId("union:" + Layout.hash(sets + "|" + nets));
  }
}
