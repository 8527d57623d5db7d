package io.margay.bgp.message;

import io.margay.model.net.IpFamily;
import io.margay.model.net.Ipv4Address;
import io.margay.model.net.Prefix;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Routes announced and withdrawn (RFC 4271 §4.3).
///
/// @param withdrawn IPv4 prefixes of the message's own field
/// @param unreachable withdrawals of MP_UNREACH_NLRI; absent if the attribute is
/// @param attributes of all announced routes
/// @param nextHop NEXT_HOP, for the prefixes of the message's own field; absent if the attribute is
/// @param announced IPv4 prefixes of the message's own field
/// @param reachable announcements of MP_REACH_NLRI; absent if the attribute is
/// @param partial something of the message was left out: that nothing is left does not make it an
///   End-of-RIB
public record Update(
    Nlri withdrawn,
    PathAttribute.@Nullable MpUnreach unreachable,
    PathAttributes attributes,
    @Nullable Ipv4Address nextHop,
    Nlri announced,
    PathAttribute.@Nullable MpReach reachable,
    boolean partial)
    implements Message {

  private static final Nlri NO_IPV4 = Nlri.none(IpFamily.IPV4);

  /// A whole message.
  public Update(
      Nlri withdrawn,
      PathAttribute.@Nullable MpUnreach unreachable,
      PathAttributes attributes,
      @Nullable Ipv4Address nextHop,
      Nlri announced,
      PathAttribute.@Nullable MpReach reachable) {
    this(withdrawn, unreachable, attributes, nextHop, announced, reachable, false);
  }

  /// A message of IPv4 routes in its own fields.
  ///
  /// @param nextHop absent only when nothing is announced
  public static Update ofIpv4(
      Collection<Prefix> withdrawn,
      PathAttributes attributes,
      @Nullable Ipv4Address nextHop,
      Collection<Prefix> announced) {
    return new Update(
        Nlri.of(IpFamily.IPV4, withdrawn),
        null,
        attributes,
        nextHop,
        Nlri.of(IpFamily.IPV4, announced),
        null);
  }

  /// A message that only withdraws, by MP_UNREACH_NLRI.
  public static Update ofUnreachable(PathAttribute.MpUnreach unreachable) {
    return new Update(NO_IPV4, unreachable, PathAttributes.EMPTY, null, NO_IPV4, null);
  }

  /// A message that only announces, by MP_REACH_NLRI.
  public static Update ofReachable(PathAttributes attributes, PathAttribute.MpReach reachable) {
    return new Update(NO_IPV4, null, attributes, null, NO_IPV4, reachable);
  }

  /// The marker that the initial routes of a family are complete (RFC 4724 §2).
  public static Update endOfRib(IpFamily family) {
    return switch (family) {
      case IPV4 -> ofIpv4(List.of(), PathAttributes.EMPTY, null, List.of());
      case IPV6 ->
          ofUnreachable(
              new PathAttribute.MpUnreach(AfiSafi.IPV6_UNICAST, Nlri.none(IpFamily.IPV6)));
    };
  }

  /// The family whose End-of-RIB this is.
  public Optional<AfiSafi> endOfRib() {
    if (partial
        || !withdrawn.isEmpty()
        || !announced.isEmpty()
        || reachable != null
        || nextHop != null
        || !attributes.isEmpty()) {
      return Optional.empty();
    }
    if (unreachable == null) {
      return Optional.of(AfiSafi.IPV4_UNICAST);
    }
    return unreachable.nlri().isEmpty() ? Optional.of(unreachable.family()) : Optional.empty();
  }

  /// The same, known to lack something the message had.
  public Update asPartial() {
    return new Update(withdrawn, unreachable, attributes, nextHop, announced, reachable, true);
  }

  /// The same message with every announcement turned into a withdrawal (RFC 7606 §2,
  /// treat-as-withdraw).
  public Update asWithdrawal() {
    Nlri gone = join(withdrawn, announced);
    PathAttribute.MpUnreach unreach = unreachable;
    if (reachable != null) {
      AfiSafi family = reachable.family();
      if (unreach == null) {
        unreach = new PathAttribute.MpUnreach(family, reachable.nlri());
      } else if (unreach.family().equals(family)) {
        unreach = new PathAttribute.MpUnreach(family, join(unreach.nlri(), reachable.nlri()));
      } else if (family.equals(AfiSafi.IPV4_UNICAST)) {
        gone = join(gone, reachable.nlri());
      } else {
        // MP_UNREACH is of another family than MP_REACH: IPv4 withdrawals move to the message's
        // own field, which leaves the attribute free.
        if (unreach.family().equals(AfiSafi.IPV4_UNICAST)) {
          gone = join(gone, unreach.nlri());
        }
        unreach = new PathAttribute.MpUnreach(family, reachable.nlri());
      }
    }
    return new Update(gone, unreach, PathAttributes.EMPTY, null, NO_IPV4, null, true);
  }

  private static Nlri join(Nlri first, Nlri second) {
    if (first.isEmpty()) {
      return second;
    }
    if (second.isEmpty()) {
      return first;
    }
    Nlri.Builder both = Nlri.builder(first.family(), first.size() + second.size());
    both.addAll(first);
    both.addAll(second);
    return both.build();
  }
}
