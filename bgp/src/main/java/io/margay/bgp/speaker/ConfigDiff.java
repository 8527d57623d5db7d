package io.margay.bgp.speaker;

import io.margay.bgp.fsm.ExpectedAs;
import io.margay.bgp.fsm.Negotiated;
import io.margay.bgp.policy.PeerPolicy;
import io.margay.bgp.transport.Endpoints;
import io.margay.model.net.Asn;
import io.margay.model.net.IpAddress;
import java.util.LinkedHashSet;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Which changes of a peer's configuration its session survives: pure. A session is reset only for
/// what an OPEN says or a TCP connection is made of, and only if it really differs from what the
/// session has.
final class ConfigDiff {

  private final Set<String> live = new LinkedHashSet<>();
  private final Set<String> nextSession = new LinkedHashSet<>();
  private final Set<String> reset = new LinkedHashSet<>();

  /// A session as it is.
  record Session(Negotiated negotiated, Endpoints endpoints) {}

  private ConfigDiff() {}

  /// @param session null: none is up, so nothing can be reset
  static PeerChange between(PeerConfig before, PeerConfig after, @Nullable Session session) {
    ConfigDiff diff = new ConfigDiff();
    diff.liveFields(before, after);
    diff.openFields(before, after, session);
    diff.connectionFields(before.connection(), after.connection(), session);
    return PeerChange.of(after.remote(), diff.live, diff.nextSession, diff.reset);
  }

  private void liveFields(PeerConfig before, PeerConfig after) {
    note(live, "description", before.description(), after.description());
    note(live, "policy", withoutLocalAs(before.policy()), withoutLocalAs(after.policy()));
    note(live, "routeReflectorClient", before.routeReflectorClient(), after.routeReflectorClient());
    note(live, "nextHops", before.nextHops(), after.nextHops());
    note(live, "bfd", before.bfd(), after.bfd());
    note(live, "connectRetry", before.timers().connectRetry(), after.timers().connectRetry());
  }

  /// The local AS stands in our OPEN, everything else of a policy concerns routes only.
  private static PeerPolicy withoutLocalAs(PeerPolicy policy) {
    return policy.toBuilder().localAs(null).build();
  }

  private void openFields(PeerConfig before, PeerConfig after, @Nullable Session session) {
    // Timers are agreed on in the OPENs, but an old agreement is no error.
    note(nextSession, "holdTime", before.timers().holdTime(), after.timers().holdTime());
    note(
        nextSession,
        "keepaliveTime",
        before.timers().keepaliveTime(),
        after.timers().keepaliveTime());
    note(nextSession, "restartTime", before.restartTime(), after.restartTime());
    note(nextSession, "sendHold", before.timers().sendHold(), after.timers().sendHold());
    Set<String> open = session == null ? nextSession : reset;
    note(open, "families", before.families(), after.families());
    note(open, "addPath", before.addPath(), after.addPath());
    note(open, "gracefulRestart", before.gracefulRestart(), after.gracefulRestart());
    note(open, "nextHops", Terms.mayUseIpv6NextHop(before), Terms.mayUseIpv6NextHop(after));
    note(open, "localAs", before.policy().localAs(), after.policy().localAs());
    if (!before.asn().equals(after.asn())) {
      boolean stillFits = session != null && fits(after.asn(), session.negotiated());
      (stillFits ? live : open).add("asn");
    }
  }

  private static boolean fits(ExpectedAs expected, Negotiated negotiated) {
    Asn peer = negotiated.peer().asn();
    return expected.allows(peer, negotiated.ours().asn());
  }

  private void connectionFields(Connection before, Connection after, @Nullable Session session) {
    note(live, "passive", before.passive(), after.passive());
    note(live, "ttl", before.ttl(), after.ttl());
    note(live, "password", before.password(), after.password());
    note(nextSession, "port", before.port(), after.port());
    if (!Objects.equals(before.localAddress(), after.localAddress())) {
      IpAddress wanted = after.localAddress();
      boolean fits =
          session == null || wanted == null || session.endpoints().local().address().equals(wanted);
      (fits ? live : reset).add("localAddress");
    }
  }

  private static void note(
      Set<String> where, String field, @Nullable Object before, @Nullable Object after) {
    if (!Objects.equals(before, after)) {
      where.add(field);
    }
  }
}
