package io.margay.bgp.policy;

import io.margay.bgp.message.AsPath;
import io.margay.bgp.message.PathAttribute;
import io.margay.bgp.message.PathAttributes;
import io.margay.model.net.Asn;
import io.margay.model.net.RouterId;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The attributes of a route in the words of one session.
final class Rewriting {

  /// RFC 4360 §2: the T bit of the type: "Non-transitive across Autonomous System boundaries".
  private static final long NON_TRANSITIVE = 0x40L << 56;

  /// RFC 4271 §4.3: the flag of an attribute that some speaker on the way did not know.
  private static final int PARTIAL = 0x20;

  private static final CommunityTag GRACEFUL_SHUTDOWN =
      new CommunityTag.Standard(WellKnown.GRACEFUL_SHUTDOWN);

  private final SpeakerPolicy speaker;
  private final PeerKind to;
  private final List<Asn> inFront;

  Rewriting(SpeakerPolicy speaker, PeerPolicy policy, PeerKind to) {
    this.speaker = speaker;
    this.to = to;
    this.inFront = inFront(speaker.asn(), policy.localAs(), policy.prepend());
  }

  /// The ASes an external peer sees before those of the route, nearest first.
  private static List<Asn> inFront(Asn own, @Nullable LocalAs localAs, int prepend) {
    List<Asn> asns = new ArrayList<>();
    Asn shown = localAs == null ? own : localAs.asn();
    for (int i = 0; i <= prepend; i++) {
      asns.add(shown);
    }
    if (localAs != null && !localAs.asn().equals(own)) {
      switch (localAs.shown()) {
        case OTHER_ONLY -> {}
        case BOTH -> asns.add(own);
      }
    }
    return List.copyOf(asns);
  }

  /// Who brought a route into the AS (RFC 4456 §8).
  RouterId originator(PathAttributes attributes, RouteSource from) {
    return attributes
        .find(PathAttribute.OriginatorId.class)
        .map(PathAttribute.OriginatorId::id)
        .orElse(from.routerId());
  }

  /// @param from null: our own route
  PathAttributes rewrite(PathAttributes attributes, @Nullable RouteSource from) {
    PathAttributes told = from == null ? attributes : partial(attributes);
    told = to.isInternal() ? internal(told, from) : external(told, from);
    if (speaker.gracefulShutdown()) {
      told = GRACEFUL_SHUTDOWN.addTo(told);
      // RFC 8326 §4.1 and, within the AS, where the community means nothing, the value its
      // receivers would have given the path.
      if (to.isInternal()) {
        told = told.with(new PathAttribute.LocalPref(0));
      }
    }
    return told;
  }

  // RFC 4271 §9: "If the attribute is [...] unrecognized [and transitive] and is accepted and
  // passed
  // to other BGP peers, then the Partial bit [...] MUST be set to 1".
  private static PathAttributes partial(PathAttributes attributes) {
    PathAttributes told = attributes;
    for (PathAttribute attribute : attributes.all()) {
      if (attribute instanceof PathAttribute.Unrecognized(int flags, int code, var value)
          && (flags & PARTIAL) == 0) {
        told = told.with(new PathAttribute.Unrecognized(flags | PARTIAL, code, value));
      }
    }
    return told;
  }

  private PathAttributes internal(PathAttributes attributes, @Nullable RouteSource from) {
    PathAttributes told = attributes;
    // RFC 4271 §5.1.5: LOCAL_PREF "SHALL be included in all UPDATE messages that a given BGP
    // speaker
    // sends to other internal peers."
    if (told.find(PathAttribute.LocalPref.class).isEmpty()) {
      told = told.with(new PathAttribute.LocalPref((int) speaker.defaultLocalPref()));
    }
    // RFC 4271 §5.1.2: an empty path is sent for a route of our own AS.
    if (told.find(PathAttribute.AsPathAttribute.class).isEmpty()) {
      told = told.with(new PathAttribute.AsPathAttribute(AsPath.EMPTY));
    }
    return from != null && from.kind().isInternal() ? reflected(told, from) : told;
  }

  // RFC 4456 §8: "A BGP speaker SHOULD NOT create an ORIGINATOR_ID attribute if one already exists.
  // [...] When an RR reflects a route, it MUST prepend the local CLUSTER_ID to the CLUSTER_LIST."
  private PathAttributes reflected(PathAttributes attributes, RouteSource from) {
    List<Integer> clusters = new ArrayList<>();
    clusters.add(speaker.clusterId());
    attributes
        .find(PathAttribute.ClusterList.class)
        .ifPresent(given -> clusters.addAll(given.clusters()));
    return attributes
        .with(new PathAttribute.OriginatorId(originator(attributes, from)))
        .with(new PathAttribute.ClusterList(clusters));
  }

  private PathAttributes external(PathAttributes attributes, @Nullable RouteSource from) {
    PathAttributes told = attributes;
    for (Class<? extends PathAttribute> internal : ImportPolicy.INTERNAL) {
      told = told.without(internal);
    }
    // RFC 4271 §5.1.4: a MULTI_EXIT_DISC received over EBGP "MUST NOT be propagated to other
    // neighboring ASes." Our own says what we think of our links, and goes out.
    if (from != null) {
      told = told.without(PathAttribute.MultiExitDisc.class);
    }
    told = withinReach(told);
    return told.with(new PathAttribute.AsPathAttribute(externalPath(told.asPath())));
  }

  private static PathAttributes withinReach(PathAttributes attributes) {
    PathAttribute.ExtendedCommunities given =
        attributes.find(PathAttribute.ExtendedCommunities.class).orElse(null);
    if (given == null) {
      return attributes;
    }
    List<Long> transitive =
        given.communities().stream().filter(each -> (each & NON_TRANSITIVE) == 0).toList();
    if (transitive.size() == given.communities().size()) {
      return attributes;
    }
    return transitive.isEmpty()
        ? attributes.without(PathAttribute.ExtendedCommunities.class)
        : attributes.with(new PathAttribute.ExtendedCommunities(transitive));
  }

  /// Confederation segments do not leave the AS (RFC 5065 §4.1); what of us stands in front does.
  private AsPath externalPath(AsPath path) {
    AsPath told = path;
    if (path.segments().stream().anyMatch(segment -> segment.kind().isConfederation())) {
      told =
          new AsPath(
              path.segments().stream()
                  .filter(segment -> !segment.kind().isConfederation())
                  .toList());
    }
    for (Asn asn : inFront.reversed()) {
      told = told.prepend(asn);
    }
    return told;
  }
}
