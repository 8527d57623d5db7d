package io.margay.it.bgp;

import java.util.List;

/// A route the other daemon originates.
///
/// @param communities the three kinds: 65100:7, rt 65100:9, 65100:1:2
/// @param drained whether it carries GRACEFUL_SHUTDOWN (RFC 8326); BIRD and FRR only
/// @param path ASes already in the path when the daemon puts its own in front
/// @param paths how many paths of it, told apart by path identifier (add-path)
record Origin(String prefix, boolean communities, boolean drained, List<Long> path, int paths) {

  static Origin of(String prefix) {
    return new Origin(prefix, false, false, List.of(), 1);
  }

  Origin withCommunities() {
    return new Origin(prefix, true, drained, path, paths);
  }

  Origin beingDrained() {
    return new Origin(prefix, communities, true, path, paths);
  }

  Origin behind(Long... asns) {
    return new Origin(prefix, communities, drained, List.of(asns), paths);
  }

  Origin inPaths(int count) {
    return new Origin(prefix, communities, drained, path, count);
  }

  boolean isIpv6() {
    return prefix.contains(":");
  }
}
