package io.margay.agent.firewall;

import io.margay.model.net.IpFamily;
import io.margay.policy.SetId;

/// What a renderer must know of address sets to refer to them.
interface SetShapes {

  /// The set's number in the kernel.
  int id(SetId set);

  /// The number of a rule's own list.
  int id(RuleList list);

  /// Whether the set holds prefixes of the family beside single addresses, so that a rule must look
  /// in two places.
  boolean hasPrefixes(SetId set, IpFamily family);
}
