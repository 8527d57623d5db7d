package io.margay.policy;

import java.util.List;
import java.util.Map;

/// A host endpoint of this node.
///
/// @param labels its own
/// @param profiles in order
record LocalHost(HostInterface where, Map<String, String> labels, List<String> profiles)
    implements Policed {

  LocalHost {
    labels = Map.copyOf(labels);
    profiles = List.copyOf(profiles);
  }
}
