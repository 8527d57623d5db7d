package io.margay.bgp.rib;

import io.margay.bgp.message.Nlri;
import io.margay.bgp.message.RouteAttributes;
import io.margay.bgp.policy.ImportPolicy;
import io.margay.bgp.policy.ImportVerdict;
import io.margay.bgp.policy.OwnRanges;
import io.margay.model.net.IpFamily;
import org.jspecify.annotations.Nullable;

/// Puts routes of one peer at a time before its import policy; the same attributes once in a row.
final class Importer {

  private static final int NONE = -2;

  private final AttributeStore attributes;
  private IpFamily family = IpFamily.IPV4;
  private @Nullable ImportPolicy policy;
  private OwnRanges guard = OwnRanges.NONE;
  private boolean guarded;
  private boolean byPrefix;
  private int lastReceived = NONE;
  private int lastAccepted = NONE;

  Importer(AttributeStore attributes) {
    this.attributes = attributes;
  }

  void begin(@Nullable ImportPolicy importPolicy, IpFamily of) {
    family = of;
    policy = importPolicy;
    byPrefix = importPolicy != null && importPolicy.filtersLookAtPrefix(of);
    guard = importPolicy == null ? OwnRanges.NONE : importPolicy.guard();
    // With a prefix the policy asks the guard itself.
    guarded = !byPrefix && !guard.isEmpty(of);
  }

  /// The id of the route to consider, valid until the next call; {@link PathTable#REJECTED} if it
  /// is not to be considered.
  int judge(long high, long low, int length, int received) {
    if (guarded && guard.overlapping(family, high, low, length) != null) {
      return PathTable.REJECTED;
    }
    if (received == lastReceived && !byPrefix) {
      return lastAccepted;
    }
    forgetLast();
    lastAccepted = judgeAnew(high, low, length, received);
    lastReceived = received;
    return lastAccepted;
  }

  private int judgeAnew(long high, long low, int length, int received) {
    ImportPolicy judge = policy;
    if (judge == null) {
      return PathTable.REJECTED;
    }
    RouteAttributes route = attributes.get(received);
    return switch (judge.judge(
        family, byPrefix ? Nlri.prefix(family, high, low, length) : null, route)) {
      case ImportVerdict.Accepted(RouteAttributes accepted) -> {
        if (accepted.equals(route)) {
          attributes.acquire(received, 1);
          yield received;
        }
        yield attributes.intern(accepted);
      }
      case ImportVerdict.Rejected _ -> PathTable.REJECTED;
    };
  }

  private void forgetLast() {
    if (lastAccepted >= 0) {
      attributes.release(lastAccepted);
    }
    lastAccepted = NONE;
    lastReceived = NONE;
  }

  /// What was accepted has other holders now.
  void end() {
    forgetLast();
    policy = null;
  }
}
