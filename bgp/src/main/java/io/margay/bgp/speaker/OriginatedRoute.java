package io.margay.bgp.speaker;

import io.margay.bgp.message.Community;
import io.margay.model.net.Prefix;
import java.util.Collections;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;

/// A prefix of our own that peers should hear of.
///
/// @param communities sent with it (RFC 1997)
public record OriginatedRoute(Prefix prefix, Set<Community> communities) {
  public OriginatedRoute {
    SortedSet<Community> sorted = new TreeSet<>(communities);
    communities = Collections.unmodifiableSortedSet(sorted);
  }

  /// The prefix without communities.
  public static OriginatedRoute of(Prefix prefix) {
    return new OriginatedRoute(prefix, Set.of());
  }
}
