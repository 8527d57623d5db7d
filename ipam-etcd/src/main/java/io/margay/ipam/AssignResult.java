package io.margay.ipam;

import io.margay.datastore.KeyValue;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import java.util.List;
import java.util.Map;

/// How a request for addresses ended. Unless `Assigned`, nothing was written.
public sealed interface AssignResult {

  /// Committed, with everything that was to be in the same transaction.
  ///
  /// @param assignments IPv4 first
  /// @param revision the datastore revision of the commit
  record Assigned(List<Assignment> assignments, long revision) implements AssignResult {
    public Assigned {
      assignments = List.copyOf(assignments);
    }
  }

  /// No pool may be used for this node and family.
  record NoPool(IpFamily family, String reason) implements AssignResult {}

  /// Every eligible pool is used up.
  record PoolExhausted(IpFamily family, String reason) implements AssignResult {}

  /// The node owns as many blocks as it may and all are full.
  record BlockLimit(IpFamily family, int limit) implements AssignResult {}

  /// The explicitly asked address can't be had.
  record Unavailable(IpAddress address, String reason) implements AssignResult {}

  /// A condition of the caller's own did not hold.
  ///
  /// @param current what the keys of the caller's conditions hold now; absent keys are missing
  record ExtraConflict(Map<String, KeyValue> current) implements AssignResult {
    public ExtraConflict {
      current = Map.copyOf(current);
    }
  }
}
