package io.margay.agent.firewall;

import io.margay.model.net.IpFamily;
import io.margay.policy.SetId;
import java.util.List;

/// What a renderer must know of address sets to refer to them.
interface SetShapes {

  /// The set's number in the kernel.
  int id(SetId set);

  /// The number of a rule's own list.
  int id(RuleList list);

  /// Makes a union known under its id.
  void define(SetUnion union);

  /// Whether the set has too many members to be repeated in a union.
  boolean isLarge(SetId set);

  /// The lengths of the prefixes that the set holds beside single addresses: a rule must look once
  /// for each.
  List<Integer> prefixLengths(SetId set, IpFamily family);
}
