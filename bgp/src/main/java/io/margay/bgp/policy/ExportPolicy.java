package io.margay.bgp.policy;

import io.margay.bgp.message.NextHop;
import io.margay.bgp.message.PathAttribute;
import io.margay.bgp.message.PathAttributes;
import io.margay.bgp.message.RouteAttributes;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Which chosen routes one peer is told, and in which words.
///
/// The rules of the protocol come first and no filter overrides them: split horizon and reflection,
/// well-known communities. Then the filters decide, then the peer's export mode. What passes is put
/// into the words of the session by {@link Rewriting} and {@link NextHopChoice}.
public final class ExportPolicy {

  private final PeerPolicy policy;
  private final ExportSession to;
  private final ExportMode mode;
  private final Rewriting rewriting;
  private final NextHopChoice nextHops;
  private final Map<IpFamily, FilterChain> filters = new EnumMap<>(IpFamily.class);

  public ExportPolicy(SpeakerPolicy speaker, PeerPolicy policy, ExportSession to) {
    this.policy = policy;
    this.to = to;
    this.mode = policy.exportMode(to.kind());
    this.rewriting = new Rewriting(speaker, policy, to.kind());
    this.nextHops = new NextHopChoice(policy.nextHop(), to);
    for (IpFamily family : IpFamily.values()) {
      filters.put(
          family,
          new FilterChain(policy.filters(), RouteFilter.Direction.EXPORT, family, to.kind()));
    }
  }

  /// Whether two prefixes with the same attributes from the same source may fare differently.
  public boolean dependsOnPrefix(IpFamily family) {
    return filters(family).looksAtPrefix();
  }

  /// What the peer is told; empty: nothing.
  ///
  /// @param prefix null only if {@link #dependsOnPrefix} is false
  /// @param from whom the route was learned from; null: our own
  public Optional<RouteAttributes> export(
      IpFamily family, @Nullable Prefix prefix, RouteAttributes best, @Nullable RouteSource from) {
    return explain(family, prefix, best, from) instanceof ExportVerdict.Announced told
        ? Optional.of(told.route())
        : Optional.empty();
  }

  /// The same with the reason.
  public ExportVerdict explain(
      IpFamily family, @Nullable Prefix prefix, RouteAttributes best, @Nullable RouteSource from) {
    if (!to.families().contains(family)) {
      return withheld(WithholdReason.FAMILY, "IPv" + family.version() + " with " + to.peer());
    }
    if (from != null) {
      ExportVerdict.Withheld withheld = checkSource(best.attributes(), from);
      if (withheld == null) {
        withheld = checkCommunities(best.attributes());
      }
      if (withheld != null) {
        return withheld;
      }
    }
    if (filters(family).isEmpty()) {
      return undecided(family, best, from);
    }
    return switch (filters(family).decide(prefix, best.attributes(), from)) {
      case FilterChain.Outcome.Accepted(PathAttributes changed, String by) ->
          announced(family, new RouteAttributes(changed, best.nextHop()), from, by);
      case FilterChain.Outcome.Rejected(String by) -> withheld(WithholdReason.FILTER, by);
      case FilterChain.Outcome.Undecided() -> undecided(family, best, from);
    };
  }

  private FilterChain filters(IpFamily family) {
    return Objects.requireNonNull(filters.get(family));
  }

  private static ExportVerdict.Withheld withheld(WithholdReason reason, String detail) {
    return new ExportVerdict.Withheld(reason, detail);
  }

  private ExportVerdict.@Nullable Withheld checkSource(
      PathAttributes attributes, RouteSource from) {
    if (from.peer().equals(to.peer())) {
      return withheld(WithholdReason.SAME_PEER, to.peer().toString());
    }
    if (!from.kind().isInternal() || !to.kind().isInternal()) {
      return null;
    }
    // RFC 4456 §6: a route from a non-client peer is reflected to the clients only, one from a
    // client to all.
    if (from.kind() == PeerKind.IBGP && to.kind() == PeerKind.IBGP) {
      return withheld(
          WithholdReason.SPLIT_HORIZON, from.peer() + " and " + to.peer() + " are internal");
    }
    // RFC 4456 §8 lets the originator ignore its own route when it comes back: not to send it saves
    // both sides the work.
    if (Rewriting.originator(attributes, from).equals(to.routerId())) {
      return withheld(WithholdReason.ORIGINATOR, "originator " + to.routerId());
    }
    return null;
  }

  /// RFC 1997 speaks of routes received: what we tag ourselves is for the peer to keep to itself.
  private ExportVerdict.@Nullable Withheld checkCommunities(PathAttributes attributes) {
    PathAttribute.Communities all = attributes.communities();
    if (all.isEmpty()) {
      return null;
    }
    boolean external = !to.kind().isInternal();
    if (all.contains(WellKnown.NO_ADVERTISE)) {
      return withheld(WithholdReason.NO_ADVERTISE, "to no peer");
    }
    if (external && all.contains(WellKnown.NO_EXPORT)) {
      return withheld(WithholdReason.NO_EXPORT, to.peer() + " is external");
    }
    if (external && all.contains(WellKnown.NO_EXPORT_SUBCONFED)) {
      return withheld(WithholdReason.NO_EXPORT_SUBCONFED, to.peer() + " is external");
    }
    if (external && policy.bilateral() && all.contains(WellKnown.NOPEER)) {
      return withheld(WithholdReason.NOPEER, to.peer() + " is a bilateral peer");
    }
    return null;
  }

  private ExportVerdict undecided(
      IpFamily family, RouteAttributes best, @Nullable RouteSource from) {
    return switch (mode) {
      case ALL -> announced(family, best, from, "export all");
      case OWN ->
          from == null
              ? announced(family, best, from, "export own")
              : withheld(WithholdReason.NOT_OWN, "learned from " + from.peer());
      case NONE -> withheld(WithholdReason.EXPORT_NONE, "no filter accepts it and export is none");
      case UNSTATED ->
          withheld(
              WithholdReason.NO_POLICY,
              "state export or filters for " + to.peer() + " to announce");
    };
  }

  private ExportVerdict announced(
      IpFamily family, RouteAttributes route, @Nullable RouteSource from, String by) {
    boolean reflected = from != null && from.kind().isInternal() && to.kind().isInternal();
    return switch (nextHops.choose(family, route.nextHop(), from != null, reflected)) {
      case NextHopChoice.Choice.Chosen(NextHop hop) ->
          new ExportVerdict.Announced(
              new RouteAttributes(rewriting.rewrite(route.attributes(), from), hop), by);
      case NextHopChoice.Choice.Impossible(WithholdReason reason, String detail) ->
          withheld(reason, detail);
    };
  }
}
