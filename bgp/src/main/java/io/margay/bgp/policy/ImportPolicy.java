package io.margay.bgp.policy;

import io.margay.bgp.message.AsPath;
import io.margay.bgp.message.NextHop;
import io.margay.bgp.message.PathAttribute;
import io.margay.bgp.message.PathAttributes;
import io.margay.bgp.message.RouteAttributes;
import io.margay.model.net.Asn;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Ipv4Address;
import io.margay.model.net.Ipv6Address;
import io.margay.model.net.Prefix;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Which routes of one peer are considered, and with which attributes.
///
/// The checks that keep routing sane come first and no filter overrides them. Then the filters
/// decide, then the peer's import mode.
public final class ImportPolicy {

  /// Longer paths exist by mistake or malice only: the longest of the global table are below 100.
  public static final int MAX_AS_PATH_HOPS = 255;

  /// RFC 8326 §4.1 asks for a value below every other.
  private static final int LEAST_LOCAL_PREF = 0;

  private static final CommunityTag GRACEFUL_SHUTDOWN =
      new CommunityTag.Standard(WellKnown.GRACEFUL_SHUTDOWN);

  private final SpeakerPolicy speaker;
  private final PeerPolicy policy;
  private final RouteSource source;
  private final ImportMode mode;
  private final Map<IpFamily, FilterChain> filters = new EnumMap<>(IpFamily.class);

  public ImportPolicy(SpeakerPolicy speaker, PeerPolicy policy, RouteSource source) {
    this.speaker = speaker;
    this.policy = policy;
    this.source = source;
    this.mode = policy.importMode(source.kind());
    for (IpFamily family : IpFamily.values()) {
      filters.put(
          family,
          new FilterChain(policy.filters(), RouteFilter.Direction.IMPORT, family, source.kind()));
    }
  }

  /// Whether two prefixes with the same attributes may fare differently.
  public boolean dependsOnPrefix(IpFamily family) {
    return filtersLookAtPrefix(family) || !speaker.guard().isEmpty(family);
  }

  /// Whether a filter looks at the prefix. If none does, {@link #judge} can be asked once for a set
  /// of attributes with no prefix, and the {@link #guard} once for a prefix.
  public boolean filtersLookAtPrefix(IpFamily family) {
    return filters(family).looksAtPrefix();
  }

  /// What no peer may announce.
  public OwnRanges guard() {
    return speaker.guard();
  }

  /// @param prefix null only if {@link #filtersLookAtPrefix} is false; the guard is not asked then
  public ImportVerdict judge(IpFamily family, @Nullable Prefix prefix, RouteAttributes received) {
    if (mode == ImportMode.UNSTATED) {
      return new ImportVerdict.Rejected(
          RejectReason.NO_POLICY, "state import or filters for " + source.peer() + " to accept");
    }
    ImportVerdict.Rejected insane = check(prefix, received);
    if (insane != null) {
      return insane;
    }
    PathAttributes trusted = trusted(received.attributes());
    if (filters(family).isEmpty()) {
      return undecided(received, trusted);
    }
    return switch (filters(family).decide(prefix, trusted, source)) {
      case FilterChain.Outcome.Accepted(PathAttributes changed, _) -> accepted(received, changed);
      case FilterChain.Outcome.Rejected(String by) ->
          new ImportVerdict.Rejected(RejectReason.FILTER, by);
      case FilterChain.Outcome.Undecided() -> undecided(received, trusted);
    };
  }

  private ImportVerdict undecided(RouteAttributes received, PathAttributes trusted) {
    return mode == ImportMode.ACCEPT
        ? accepted(received, trusted)
        : new ImportVerdict.Rejected(
            RejectReason.IMPORT_REJECTS, "no filter accepts it and import is reject");
  }

  private FilterChain filters(IpFamily family) {
    return Objects.requireNonNull(filters.get(family));
  }

  private ImportVerdict.@Nullable Rejected check(
      @Nullable Prefix prefix, RouteAttributes received) {
    ImportVerdict.Rejected rejected = checkPath(received.attributes().asPath());
    if (rejected == null && source.kind().isInternal()) {
      rejected = checkReflection(received.attributes());
    }
    if (rejected == null) {
      rejected = checkNextHop(received.nextHop());
    }
    Prefix own = rejected == null && prefix != null ? speaker.guard().overlapping(prefix) : null;
    return own == null
        ? rejected
        : new ImportVerdict.Rejected(RejectReason.OWN_RANGE, prefix + " overlaps " + own);
  }

  private ImportVerdict.@Nullable Rejected checkPath(AsPath path) {
    if (path.hops() > MAX_AS_PATH_HOPS) {
      return new ImportVerdict.Rejected(
          RejectReason.LONG_AS_PATH, path.hops() + " hops; at most " + MAX_AS_PATH_HOPS);
    }
    // RFC 4271 §9.1.2: "If the AS_PATH attribute of a BGP route contains an AS loop, the BGP route
    // should be excluded from the Phase 2 decision function."
    Asn looped = loops(path, speaker.asn()) ? speaker.asn() : null;
    LocalAs localAs = policy.localAs();
    if (looped == null && localAs != null && loops(path, localAs.asn())) {
      looped = localAs.asn();
    }
    if (looped != null) {
      return new ImportVerdict.Rejected(
          RejectReason.AS_LOOP,
          looped + " is in \"" + path + "\", allowed " + policy.allowLocalAs() + " times");
    }
    if (policy.rejectAsSets() && (path.has(AsPath.Kind.SET) || path.has(AsPath.Kind.CONFED_SET))) {
      return new ImportVerdict.Rejected(RejectReason.AS_SET, "\"" + path + "\"");
    }
    // RFC 4271 §6.3: "the local system MAY check whether the leftmost [...] AS in the AS_PATH
    // attribute is equal to the autonomous system number of the peer that sent the message."
    if (policy.enforceFirstAs() && !source.kind().isInternal() && !path.isFrom(source.asn())) {
      return new ImportVerdict.Rejected(
          RejectReason.FIRST_AS, "\"" + path + "\" does not begin with " + source.asn());
    }
    return null;
  }

  private boolean loops(AsPath path, Asn asn) {
    return path.occurrences(asn) > policy.allowLocalAs();
  }

  // RFC 4456 §8: "A router that recognizes the ORIGINATOR_ID attribute SHOULD ignore a route
  // received with its BGP Identifier as the ORIGINATOR_ID. [...] If the local CLUSTER_ID is found
  // in
  // the CLUSTER_LIST, the advertisement received SHOULD be ignored."
  private ImportVerdict.@Nullable Rejected checkReflection(PathAttributes attributes) {
    if (speaker.routerId().equals(attributes.originatorId())) {
      return new ImportVerdict.Rejected(
          RejectReason.ORIGINATOR, "ORIGINATOR_ID is " + speaker.routerId());
    }
    if (attributes.clusterList().contains(speaker.clusterId())) {
      return new ImportVerdict.Rejected(
          RejectReason.CLUSTER_LOOP, "CLUSTER_LIST holds " + new Ipv4Address(speaker.clusterId()));
    }
    return null;
  }

  private ImportVerdict.@Nullable Rejected checkNextHop(NextHop hop) {
    String wrong = unusable(hop.address());
    if (wrong == null && hop.linkLocal() != null) {
      wrong = unusable(hop.linkLocal());
    }
    return wrong == null ? null : new ImportVerdict.Rejected(RejectReason.NEXT_HOP, wrong);
  }

  /// What is wrong with a next hop; null: nothing. Not a syntax error: the session goes on (RFC
  /// 4271 §6.3).
  private @Nullable String unusable(IpAddress hop) {
    if (speaker.ownAddresses().contains(hop)) {
      return hop + " is an address of this node";
    }
    return switch (hop) {
      case Ipv4Address address -> unusable(address);
      case Ipv6Address address -> unusable(address);
    };
  }

  private @Nullable String unusable(Ipv4Address hop) {
    // RFC 6890 §2.2.2: 0.0.0.0/8 is this network, 127.0.0.0/8 loopback, 240.0.0.0/4 reserved.
    boolean reserved = hop.value() >>> 24 == 0 || hop.isLoopback() || hop.value() >>> 28 == 0xf;
    if (reserved || hop.isMulticast()) {
      return hop + " is no address of a router";
    }
    if (hop.isLinkLocal() && !source.peer().address().isLinkLocal()) {
      return hop + " is valid on another link only";
    }
    return null;
  }

  private @Nullable String unusable(Ipv6Address hop) {
    boolean mapped = hop.high() == 0 && hop.low() >>> 32 == 0xffff;
    if (hop.isUnspecified() || hop.isLoopback() || hop.isMulticast() || mapped) {
      return hop + " is no address of a router";
    }
    if (hop.isLinkLocal() && source.via() == null) {
      return hop + " is link-local and the peer's interface is not known";
    }
    return null;
  }

  /// The attributes less those that an external peer has no say in.
  private PathAttributes trusted(PathAttributes received) {
    if (source.kind().isInternal()) {
      return received;
    }
    boolean ordinary = speaker.defaultLocalPref() == SpeakerPolicy.USUAL_LOCAL_PREF;
    // RFC 4271 §5.1.5: "If it is contained in an UPDATE message that is received from an external
    // peer, then this attribute MUST be ignored by the receiving speaker". RFC 7606 §7.9 says
    // so of ORIGINATOR_ID, RFC 7606 §7.10 of CLUSTER_LIST.
    if (ordinary
        && !received.hasLocalPref()
        && received.originatorId() == null
        && received.clusterList().isEmpty()) {
      return received;
    }
    PathAttributes.Builder trusted =
        received.toBuilder().originatorId(null).clusterList(PathAttribute.ClusterList.NONE);
    if (ordinary) {
      trusted.withoutLocalPref();
    } else {
      trusted.localPref((int) speaker.defaultLocalPref());
    }
    return trusted.build();
  }

  private ImportVerdict.Accepted accepted(RouteAttributes received, PathAttributes wanted) {
    PathAttributes kept = wanted;
    // RFC 8326 §4.1: such a path is the last resort. Within the AS it comes with a low LOCAL_PREF
    // already.
    if (!source.kind().isInternal() && GRACEFUL_SHUTDOWN.isOn(kept)) {
      kept = kept.toBuilder().localPref(LEAST_LOCAL_PREF).build();
    }
    return new ImportVerdict.Accepted(
        kept.equals(received.attributes())
            ? received
            : new RouteAttributes(kept, received.nextHop()));
  }
}
