package io.margay.bgp.message;

import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Routes announced and withdrawn (RFC 4271 §4.3).
///
/// @param withdrawn IPv4 prefixes of the message's own field
/// @param unreachable withdrawals of MP_UNREACH_NLRI; absent if the attribute is
/// @param attributes of all announced routes
/// @param announced IPv4 prefixes of the message's own field
/// @param reachable announcements of MP_REACH_NLRI; absent if the attribute is
public record Update(
    List<Prefix> withdrawn,
    PathAttribute.@Nullable MpUnreach unreachable,
    PathAttributes attributes,
    List<Prefix> announced,
    PathAttribute.@Nullable MpReach reachable)
    implements Message {

  public Update {
    withdrawn = List.copyOf(withdrawn);
    announced = List.copyOf(announced);
  }

  /// A message of IPv4 routes in its own fields.
  public static Update ofIpv4(
      List<Prefix> withdrawn, PathAttributes attributes, List<Prefix> announced) {
    return new Update(withdrawn, null, attributes, announced, null);
  }

  /// A message that only withdraws, by MP_UNREACH_NLRI.
  public static Update ofUnreachable(PathAttribute.MpUnreach unreachable) {
    return new Update(List.of(), unreachable, PathAttributes.EMPTY, List.of(), null);
  }

  /// The marker that the initial routes of a family are complete (RFC 4724 §2).
  public static Update endOfRib(IpFamily family) {
    return switch (family) {
      case IPV4 -> new Update(List.of(), null, PathAttributes.EMPTY, List.of(), null);
      case IPV6 ->
          new Update(
              List.of(),
              new PathAttribute.MpUnreach(AfiSafi.IPV6_UNICAST, List.of()),
              PathAttributes.EMPTY,
              List.of(),
              null);
    };
  }

  /// The family whose End-of-RIB this is.
  public Optional<AfiSafi> endOfRib() {
    if (!withdrawn.isEmpty()
        || !announced.isEmpty()
        || reachable != null
        || !attributes.isEmpty()) {
      return Optional.empty();
    }
    if (unreachable == null) {
      return Optional.of(AfiSafi.IPV4_UNICAST);
    }
    return unreachable.prefixes().isEmpty() ? Optional.of(unreachable.family()) : Optional.empty();
  }

  /// The same message with every announcement turned into a withdrawal (RFC 7606 §2,
  /// treat-as-withdraw).
  public Update asWithdrawal() {
    List<Prefix> gone = new ArrayList<>(withdrawn);
    gone.addAll(announced);
    PathAttribute.MpUnreach unreach = unreachable;
    if (reachable != null) {
      AfiSafi family = reachable.family();
      if (unreach == null) {
        unreach = new PathAttribute.MpUnreach(family, reachable.prefixes());
      } else if (unreach.family().equals(family)) {
        List<Prefix> both = new ArrayList<>(unreach.prefixes());
        both.addAll(reachable.prefixes());
        unreach = new PathAttribute.MpUnreach(family, both);
      } else if (family.equals(AfiSafi.IPV4_UNICAST)) {
        gone.addAll(reachable.prefixes());
      } else {
        // MP_UNREACH is of another family than MP_REACH: IPv4 withdrawals move to the message's
        // own field, which leaves the attribute free.
        gone.addAll(unreach.family().equals(AfiSafi.IPV4_UNICAST) ? unreach.prefixes() : List.of());
        unreach = new PathAttribute.MpUnreach(family, reachable.prefixes());
      }
    }
    return new Update(gone, unreach, PathAttributes.EMPTY, List.of(), null);
  }
}
