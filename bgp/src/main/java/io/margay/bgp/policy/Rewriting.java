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

  /// RFC 4360 §2: the T bit of the type, set when the community stays within an AS.
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
  static RouterId originator(PathAttributes attributes, RouteSource from) {
    RouterId named = attributes.originatorId();
    return named == null ? from.routerId() : named;
  }

  /// @param from null: our own route
  PathAttributes rewrite(PathAttributes attributes, @Nullable RouteSource from) {
    PathAttributes told = to.isInternal() ? internal(attributes, from) : external(attributes, from);
    if (!speaker.gracefulShutdown()) {
      return told;
    }
    told = GRACEFUL_SHUTDOWN.addTo(told);
    // RFC 8326 §4.1 has only external peers honour the community: internal ones are given the
    // preference that it stands for.
    return to.isInternal() ? told.with(new PathAttribute.LocalPref(0)) : told;
  }

  private PathAttributes internal(PathAttributes attributes, @Nullable RouteSource from) {
    PathAttributes.Builder told = common(attributes, from);
    told.put(new PathAttribute.AsPathAttribute(attributes.asPath()));
    if (attributes.hasMed()) {
      told.put(new PathAttribute.MultiExitDisc((int) attributes.med()));
    }
    // RFC 4271 §5.1.5: LOCAL_PREF "SHALL be included in all UPDATE messages that a given BGP
    // speaker
    // sends to other internal peers."
    long preference =
        attributes.hasLocalPref() ? attributes.localPref() : speaker.defaultLocalPref();
    told.put(new PathAttribute.LocalPref((int) preference));
    told.put(attributes.extendedCommunities());
    if (from != null && from.kind().isInternal()) {
      // RFC 4456 §8: "A BGP speaker SHOULD NOT create an ORIGINATOR_ID attribute if one already
      // exists. [...] When an RR reflects a route, it MUST prepend the local CLUSTER_ID to the
      // CLUSTER_LIST."
      told.put(new PathAttribute.OriginatorId(originator(attributes, from)));
      told.put(throughUs(attributes.clusterList()));
    }
    return told.build();
  }

  private PathAttribute.ClusterList throughUs(PathAttribute.ClusterList clusters) {
    int[] longer = new int[clusters.size() + 1];
    longer[0] = speaker.clusterId();
    for (int i = 0; i < clusters.size(); i++) {
      longer[i + 1] = clusters.value(i);
    }
    return PathAttribute.ClusterList.ofValues(longer);
  }

  /// Less than an internal peer is told: what is not put in does not leave the AS.
  private PathAttributes external(PathAttributes attributes, @Nullable RouteSource from) {
    PathAttributes.Builder told = common(attributes, from);
    told.put(new PathAttribute.AsPathAttribute(externalPath(attributes.asPath())));
    // RFC 4271 §5.1.4: "The MULTI_EXIT_DISC attribute received from a neighboring AS MUST NOT be
    // propagated to other neighboring ASes." Our own says what we think of our links, and goes out.
    if (from == null && attributes.hasMed()) {
      told.put(new PathAttribute.MultiExitDisc((int) attributes.med()));
    }
    told.put(transitive(attributes.extendedCommunities()));
    return told.build();
  }

  /// What every peer is told.
  private static PathAttributes.Builder common(
      PathAttributes attributes, @Nullable RouteSource from) {
    PathAttributes.Builder told = PathAttributes.builder();
    told.put(new PathAttribute.Origin(attributes.origin()));
    if (attributes.atomicAggregate()) {
      told.put(new PathAttribute.AtomicAggregate());
    }
    if (attributes.aggregator() != null) {
      told.put(attributes.aggregator());
    }
    told.put(attributes.communities());
    told.put(attributes.largeCommunities());
    for (PathAttribute.Unrecognized attribute : attributes.unrecognized()) {
      // RFC 4271 §5: "the unrecognized transitive optional attribute of that path MUST be passed,
      // along with the path, to other BGP speakers with the Partial bit in the Attribute Flags
      // octet set to 1."
      told.put(
          from == null
              ? attribute
              : new PathAttribute.Unrecognized(
                  attribute.flags() | PARTIAL, attribute.code(), attribute.value()));
    }
    return told;
  }

  private static PathAttribute.ExtendedCommunities transitive(
      PathAttribute.ExtendedCommunities given) {
    List<Long> transitive =
        given.communities().stream().filter(each -> (each & NON_TRANSITIVE) == 0).toList();
    return transitive.size() == given.size()
        ? given
        : new PathAttribute.ExtendedCommunities(transitive);
  }

  /// Confederation segments do not leave the AS (RFC 5065 §4.1); what of us stands in front does.
  private AsPath externalPath(AsPath path) {
    AsPath told = path;
    if (path.has(AsPath.Kind.CONFED_SEQUENCE) || path.has(AsPath.Kind.CONFED_SET)) {
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
