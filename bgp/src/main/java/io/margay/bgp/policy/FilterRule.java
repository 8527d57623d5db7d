package io.margay.bgp.policy;

import io.margay.bgp.message.AsPath;
import io.margay.bgp.message.PathAttributes;
import io.margay.model.net.Asn;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.Prefix;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// One rule of a {@link RouteFilter}: what it applies to, and what it does then. What is left out
/// applies to every route. Messages of the constructors begin with the field they mean, as the v3
/// API names it.
///
/// @param prefix what the prefix has to be; null = anything
/// @param fromRemotePeers only routes learned over BGP (`source: RemotePeers`)
/// @param via only routes that leave by such an interface; one whose interface is not known does
///   not match
/// @param peerType only sessions of this kind
/// @param community only routes that carry it
/// @param asPathPrefix only routes whose AS path begins so
/// @param priority only routes of this priority
/// @param action what happens
/// @param operations changes before the route is accepted, in order
public record FilterRule(
    @Nullable PrefixMatch prefix,
    boolean fromRemotePeers,
    @Nullable InterfacePattern via,
    @Nullable PeerType peerType,
    @Nullable CommunityTag community,
    List<Asn> asPathPrefix,
    @Nullable Integer priority,
    Action action,
    List<RouteOperation> operations) {

  /// As many operations as the API allows a rule.
  public static final int MAX_OPERATIONS = 10;

  /// What happens to a route the rule applies to. Either ends the evaluation, of this filter and of
  /// those behind it.
  public enum Action {
    ACCEPT,
    REJECT
  }

  /// A kind of session.
  public enum PeerType {
    /// `eBGP`.
    EXTERNAL,
    /// `iBGP`.
    INTERNAL;

    boolean includes(PeerKind kind) {
      return (this == INTERNAL) == kind.isInternal();
    }
  }

  public FilterRule {
    asPathPrefix = List.copyOf(asPathPrefix);
    operations = List.copyOf(operations);
    if (priority != null && (priority < RoutePriority.MIN || priority > RoutePriority.MAX)) {
      throw new IllegalArgumentException(
          "priority: " + priority + " is not in " + RoutePriority.MIN + ".." + RoutePriority.MAX);
    }
    if (operations.size() > MAX_OPERATIONS) {
      throw new IllegalArgumentException(
          "operations: "
              + operations.size()
              + " entries; at most "
              + MAX_OPERATIONS
              + " are allowed");
    }
    if (!operations.isEmpty() && action == Action.REJECT) {
      throw new IllegalArgumentException("operations: may only be used with action Accept");
    }
  }

  /// A rule that applies to every route; narrowed by the methods that follow it.
  public static FilterRule of(Action action) {
    return new FilterRule(null, false, null, null, null, List.of(), null, action, List.of());
  }

  public FilterRule onPrefix(PrefixMatch match) {
    return new FilterRule(
        match,
        fromRemotePeers,
        via,
        peerType,
        community,
        asPathPrefix,
        priority,
        action,
        operations);
  }

  public FilterRule onRemotePeers() {
    return new FilterRule(
        prefix, true, via, peerType, community, asPathPrefix, priority, action, operations);
  }

  public FilterRule onInterface(InterfacePattern pattern) {
    return new FilterRule(
        prefix,
        fromRemotePeers,
        pattern,
        peerType,
        community,
        asPathPrefix,
        priority,
        action,
        operations);
  }

  public FilterRule onPeerType(PeerType type) {
    return new FilterRule(
        prefix, fromRemotePeers, via, type, community, asPathPrefix, priority, action, operations);
  }

  public FilterRule onCommunity(CommunityTag tag) {
    return new FilterRule(
        prefix, fromRemotePeers, via, peerType, tag, asPathPrefix, priority, action, operations);
  }

  public FilterRule onAsPathPrefix(List<Asn> asns) {
    return new FilterRule(
        prefix, fromRemotePeers, via, peerType, community, asns, priority, action, operations);
  }

  public FilterRule onPriority(int value) {
    return new FilterRule(
        prefix, fromRemotePeers, via, peerType, community, asPathPrefix, value, action, operations);
  }

  public FilterRule doing(List<RouteOperation> changes) {
    return new FilterRule(
        prefix, fromRemotePeers, via, peerType, community, asPathPrefix, priority, action, changes);
  }

  /// Whether the rule applies to a route.
  ///
  /// @param net the prefix; null only for a rule without {@link #prefix}
  /// @param from whom the route was learned from; null: our own
  boolean matches(@Nullable Prefix net, PathAttributes attributes, @Nullable RouteSource from) {
    return (prefix == null || net != null && prefix.matches(net))
        && (!fromRemotePeers || from != null)
        && (via == null || leavesBy(via, from))
        && (community == null || community.isOn(attributes))
        && (asPathPrefix.isEmpty() || beginsWith(attributes.asPath(), asPathPrefix))
        && (priority == null || RoutePriority.of(attributes) == priority);
  }

  private static boolean leavesBy(InterfacePattern pattern, @Nullable RouteSource from) {
    InterfaceName name = from == null ? null : from.via();
    return name != null && pattern.matches(name);
  }

  /// A set stands for one hop that is any of its ASes.
  private static boolean beginsWith(AsPath path, List<Asn> wanted) {
    int matched = 0;
    for (AsPath.Segment segment : path.segments()) {
      switch (segment.kind()) {
        case SEQUENCE, CONFED_SEQUENCE -> {
          for (Asn asn : segment.asns()) {
            if (matched < wanted.size() && !wanted.get(matched++).equals(asn)) {
              return false;
            }
          }
        }
        case SET, CONFED_SET -> {
          if (matched < wanted.size() && !segment.asns().contains(wanted.get(matched++))) {
            return false;
          }
        }
      }
      if (matched == wanted.size()) {
        return true;
      }
    }
    return false;
  }
}
