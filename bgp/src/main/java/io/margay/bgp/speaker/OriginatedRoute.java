package io.margay.bgp.speaker;

import io.margay.bgp.message.AsPath;
import io.margay.bgp.message.Community;
import io.margay.bgp.message.LargeCommunity;
import io.margay.bgp.message.PathAttribute;
import io.margay.bgp.message.PathAttributes;
import io.margay.model.net.Prefix;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;

/// A prefix of our own that peers should hear of.
///
/// @param communities sent with it (RFC 1997)
/// @param largeCommunities sent with it (RFC 8092)
public record OriginatedRoute(
    Prefix prefix, Set<Community> communities, Set<LargeCommunity> largeCommunities) {
  public OriginatedRoute {
    SortedSet<Community> sorted = new TreeSet<>(communities);
    communities = Collections.unmodifiableSortedSet(sorted);
    largeCommunities =
        Collections.unmodifiableSet(
            new LinkedHashSet<>(
                largeCommunities.stream()
                    .sorted(Comparator.comparing(LargeCommunity::toString))
                    .toList()));
  }

  public OriginatedRoute(Prefix prefix, Set<Community> communities) {
    this(prefix, communities, Set.of());
  }

  /// What it is told with, before any policy.
  PathAttributes attributes() {
    List<PathAttribute> all = new ArrayList<>();
    all.add(new PathAttribute.Origin(PathAttribute.OriginCode.IGP));
    all.add(new PathAttribute.AsPathAttribute(AsPath.EMPTY));
    if (!communities.isEmpty()) {
      all.add(new PathAttribute.Communities(List.copyOf(communities)));
    }
    if (!largeCommunities.isEmpty()) {
      all.add(new PathAttribute.LargeCommunities(List.copyOf(largeCommunities)));
    }
    return PathAttributes.of(all);
  }

  /// The prefix without communities.
  public static OriginatedRoute of(Prefix prefix) {
    return new OriginatedRoute(prefix, Set.of());
  }
}
