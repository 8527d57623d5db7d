package io.margay.ipam;

import io.margay.datastore.KeyValue;
import io.margay.model.net.IpAddress;
import java.util.List;
import java.util.Map;

/// How a release ended.
public sealed interface ReleaseResult {

  /// Committed, with everything that was to be in the same transaction.
  ///
  /// @param addresses what was freed; empty when nothing was held, which is success too
  record Released(List<IpAddress> addresses) implements ReleaseResult {
    public Released {
      addresses = List.copyOf(addresses);
    }
  }

  /// The address is held, but not by whom, or not since when, the request said; or what says who
  /// holds it can't be read. Nothing was freed.
  ///
  /// @param reason why, and in the latter case which document it is and how to put it right
  record Refused(IpAddress address, String reason) implements ReleaseResult {}

  /// A condition of the caller's own did not hold. Nothing was freed.
  record ExtraConflict(Map<String, KeyValue> current) implements ReleaseResult {
    public ExtraConflict {
      current = Map.copyOf(current);
    }
  }
}
