package io.margay.ipam;

import io.margay.datastore.KeyValue;
import io.margay.model.net.IpAddress;
import java.util.List;
import java.util.Map;

/// How a move ended. Unless `Moved`, nothing was written.
sealed interface MoveResult {

  /// Committed, with everything that was to be in the same transaction.
  ///
  /// @param remarks what was not as expected: a claim that is gone, an address that had to be taken
  ///   anew
  record Moved(List<Assignment> assignments, List<String> remarks) implements MoveResult {
    public Moved {
      assignments = List.copyOf(assignments);
      remarks = List.copyOf(remarks);
    }
  }

  /// Somebody else holds one of the addresses by now.
  record Elsewhere(IpAddress address, String reason) implements MoveResult {}

  /// A condition of the caller's own did not hold.
  record ExtraConflict(Map<String, KeyValue> current) implements MoveResult {
    public ExtraConflict {
      current = Map.copyOf(current);
    }
  }
}
