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

  /// What an external peer sees in front of the path, in the order it is put there.
  private final List<Asn> farthestFirst;

  Rewriting(SpeakerPolicy speaker, PeerPolicy policy, PeerKind to) {
    this.speaker = speaker;
    this.to = to;
    this.farthestFirst =
        List.copyOf(inFront(speaker.asn(), policy.localAs(), policy.prepend()).reversed());
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
    return asns;
  }

  /// Who brought a route into the AS (RFC 4456 §8).
  static RouterId originator(PathAttributes attributes, RouteSource from) {
    RouterId named = attributes.originatorId();
    return named == null ? from.routerId() : named;
  }

  /// @param from null: our own route
  PathAttributes rewrite(PathAttributes attributes, @Nullable RouteSource from) {
    PathAttributes.Builder told = attributes.toBuilder();
    told.origin(attributes.origin());
    if (from != null && !attributes.unrecognized().isEmpty()) {
      markPartial(attributes, told);
    }
    if (to.isInternal()) {
      tellInternal(attributes, from, told);
    } else {
      tellExternal(attributes, from, told);
    }
    return speaker.gracefulShutdown() ? leaving(told.build()) : told.build();
  }

  // RFC 4271 §5: "the unrecognized transitive optional attribute of that path MUST be passed, along
  // with the path, to other BGP speakers with the Partial bit in the Attribute Flags octet set to
  // 1."
  private static void markPartial(PathAttributes attributes, PathAttributes.Builder told) {
    for (PathAttribute.Unrecognized attribute : attributes.unrecognized()) {
      told.put(
          new PathAttribute.Unrecognized(
              attribute.flags() | PARTIAL, attribute.code(), attribute.value()));
    }
  }

  private PathAttributes leaving(PathAttributes told) {
    PathAttributes marked = GRACEFUL_SHUTDOWN.addTo(told);
    // RFC 8326 §4.1 has only external peers honour the community: internal ones are given the
    // preference that it stands for.
    return to.isInternal() ? marked.toBuilder().localPref(0).build() : marked;
  }

  private void tellInternal(
      PathAttributes attributes, @Nullable RouteSource from, PathAttributes.Builder told) {
    told.asPath(attributes.asPath());
    // RFC 4271 §5.1.5: LOCAL_PREF "SHALL be included in all UPDATE messages that a given BGP
    // speaker
    // sends to other internal peers."
    if (!attributes.hasLocalPref()) {
      told.localPref((int) speaker.defaultLocalPref());
    }
    if (from != null && from.kind().isInternal()) {
      // RFC 4456 §8: "A BGP speaker SHOULD NOT create an ORIGINATOR_ID attribute if one already
      // exists. [...] When an RR reflects a route, it MUST prepend the local CLUSTER_ID to the
      // CLUSTER_LIST."
      told.originatorId(originator(attributes, from));
      told.clusterList(throughUs(attributes.clusterList()));
    }
  }

  private PathAttribute.ClusterList throughUs(PathAttribute.ClusterList clusters) {
    int[] longer = new int[clusters.size() + 1];
    longer[0] = speaker.clusterId();
    for (int i = 0; i < clusters.size(); i++) {
      longer[i + 1] = clusters.value(i);
    }
    return PathAttribute.ClusterList.ofValues(longer);
  }

  private void tellExternal(
      PathAttributes attributes, @Nullable RouteSource from, PathAttributes.Builder told) {
    told.asPath(externalPath(attributes.asPath()));
    told.withoutLocalPref();
    told.originatorId(null);
    told.clusterList(PathAttribute.ClusterList.NONE);
    // RFC 4271 §5.1.4: "The MULTI_EXIT_DISC attribute received from a neighboring AS MUST NOT be
    // propagated to other neighboring ASes." Our own says what we think of our links, and goes out.
    if (from != null) {
      told.withoutMed();
    }
    if (!attributes.extendedCommunities().isEmpty()) {
      told.put(transitive(attributes.extendedCommunities()));
    }
  }

  private static PathAttribute.ExtendedCommunities transitive(
      PathAttribute.ExtendedCommunities given) {
    List<Long> transitive =
        given.communities().stream().filter(each -> (each & NON_TRANSITIVE) == 0).toList();
    return transitive.size() == given.size()
        ? given
        : new PathAttribute.ExtendedCommunities(transitive);
  }

  /// Confederation segments do not leave the AS (RFC 5065 §4.1); what of us stands in front does,
  /// in an AS_SEQUENCE (RFC 4271 §5.1.2).
  private AsPath externalPath(AsPath path) {
    AsPath told = path.withoutConfederations();
    for (Asn asn : farthestFirst) {
      told = told.prepend(asn);
    }
    return told;
  }
}
