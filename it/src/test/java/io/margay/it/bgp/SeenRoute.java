package io.margay.it.bgp;

import java.util.List;
import java.util.Set;

/// One path to a prefix as the other daemon shows it.
///
/// @param from the neighbour it came from; empty when the daemon does not say
/// @param communities `65100:7`, of extended ones `rt:65100:9`, of large ones `65100:1:2`
/// @param originator ORIGINATOR_ID, or empty
/// @param clusters CLUSTER_LIST, nearest first
record SeenRoute(
    String from,
    String nextHop,
    List<Long> asPath,
    Set<String> communities,
    String originator,
    List<String> clusters,
    boolean stale) {

  /// GRACEFUL_SHUTDOWN (RFC 8326 §5).
  static final String DRAINED = "65535:0";

  static final Set<String> THREE_KINDS = Set.of("65100:7", "rt:65100:9", "65100:1:2");
}
