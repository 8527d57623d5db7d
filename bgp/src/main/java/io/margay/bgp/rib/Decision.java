package io.margay.bgp.rib;

import java.util.List;
import java.util.Map;

/// What was decided for a prefix.
///
/// @param best the winner
/// @param multipath the learned paths traffic is shared over, the winner first; empty when the
///   winner is our own
/// @param decidedBy the last rule that told the winner from another path
/// @param lost why each other path is not the winner, shared-over ones included
public record Decision(
    Path best, List<Path.Learned> multipath, DecisionStep decidedBy, Map<Path, DecisionStep> lost) {
  public Decision {
    multipath = List.copyOf(multipath);
    lost = Map.copyOf(lost);
  }
}
