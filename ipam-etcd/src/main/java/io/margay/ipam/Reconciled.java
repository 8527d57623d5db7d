package io.margay.ipam;

import io.margay.model.net.IpAddress;
import java.util.List;

/// What became of addresses taken while the store was away.
public sealed interface Reconciled {

  String handleId();

  /// They are the handle's in the store, and its endpoint is written.
  ///
  /// @param remarks what was not as it was left, for the log; usually empty
  record Moved(String handleId, List<Assignment> assignments, List<String> remarks)
      implements Reconciled {
    public Moved {
      assignments = List.copyOf(assignments);
      remarks = List.copyOf(remarks);
    }
  }

  /// Somebody else holds one of them: the store was put back, or the node was taken for dead and
  /// cleaned up after. The pod must go; until it does, this is said each time.
  record Lost(String handleId, IpAddress address, String reason) implements Reconciled {}

  /// A document that this handle needs can't be used; others go on, and it is tried again.
  record Stuck(String handleId, String reason) implements Reconciled {}

  /// The pod was gone already; nothing of it is left in the store.
  record Dropped(String handleId) implements Reconciled {}
}
