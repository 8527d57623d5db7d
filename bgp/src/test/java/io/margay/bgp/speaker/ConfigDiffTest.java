package io.margay.bgp.speaker;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.bgp.bfd.BfdParameters;
import io.margay.bgp.fsm.ExpectedAs;
import io.margay.bgp.fsm.Negotiated;
import io.margay.bgp.fsm.SessionConfig;
import io.margay.bgp.message.AfiSafi;
import io.margay.bgp.message.Capability;
import io.margay.bgp.message.Open;
import io.margay.bgp.policy.ExportMode;
import io.margay.bgp.policy.ImportMode;
import io.margay.bgp.policy.LocalAs;
import io.margay.bgp.policy.PeerPolicy;
import io.margay.bgp.transport.Endpoints;
import io.margay.bgp.transport.Password;
import io.margay.bgp.transport.Ttl;
import io.margay.model.net.Asn;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.RouterId;
import io.margay.model.net.ScopedAddress;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class ConfigDiffTest {

  private static final ScopedAddress PEER = ScopedAddress.parse("10.0.0.2");
  private static final PeerConfig BEFORE =
      PeerConfig.builder(
              PEER,
              Asn.of(65002),
              PeerPolicy.builder().importMode(ImportMode.ACCEPT).exportMode(ExportMode.OWN).build())
          .build();
  private static final ConfigDiff.Session SESSION =
      new ConfigDiff.Session(
          negotiated(), new Endpoints(ScopedAddress.parse("10.0.0.1"), 40_000, PEER, 179));

  private static Open open(int asn, String id) {
    return new Open(
        Asn.of(asn),
        Duration.ofSeconds(90),
        RouterId.parse(id),
        List.of(new Capability.MultiProtocol(AfiSafi.IPV4_UNICAST)));
  }

  private static Negotiated negotiated() {
    SessionConfig config =
        new SessionConfig(
            false,
            new ExpectedAs.Any(),
            open(65001, "10.0.0.1"),
            Duration.ofSeconds(5),
            null,
            null);
    return ((Negotiated.Verdict.Agreed) Negotiated.check(open(65002, "10.0.0.2"), config))
        .negotiated();
  }

  static Stream<Arguments> changes() {
    return Stream.of(
        live("description", b -> b.description("other")),
        live("policy", b -> b.policy(PeerPolicy.UNSTATED)),
        live("routeReflectorClient", b -> b.routeReflectorClient(true)),
        live("nextHops", b -> b.nextHops(Map.of(IpFamily.IPV4, IpAddress.parse("10.0.0.7")))),
        live("bfd", b -> b.bfd(BfdParameters.DEFAULT)),
        live("connectRetry", b -> b.connectRetry(Duration.ofSeconds(1))),
        live("passive", b -> b.passive(true)),
        live("ttl", b -> b.ttl(Ttl.secured(1))),
        live("password", b -> b.password(new Password("s3cret"))),
        live("localAddress", b -> b.localAddress(IpAddress.parse("10.0.0.1"))),
        live("asn", b -> b.asn(new ExpectedAs.External())),
        later("holdTime", b -> b.holdTime(Duration.ofSeconds(9))),
        later("restartTime", b -> b.restartTime(Duration.ofSeconds(30))),
        later("port", b -> b.port(1790)),
        reset("asn", b -> b.asn(ExpectedAs.only(Asn.of(65009)))),
        reset("families", b -> b.families(Set.of(IpFamily.values()))),
        reset("addPath", b -> b.addPath(AddPathMode.RECEIVE)),
        reset("gracefulRestart", b -> b.gracefulRestart(false)),
        reset("localAddress", b -> b.localAddress(IpAddress.parse("10.0.0.9"))),
        reset(
            "localAs",
            b ->
                b.policy(
                    BEFORE.policy().toBuilder()
                        .localAs(LocalAs.replacing(Asn.of(65010)))
                        .build())));
  }

  private static Arguments live(String field, UnaryOperator<PeerConfig.Builder> change) {
    return Arguments.of(field, "live", change);
  }

  private static Arguments later(String field, UnaryOperator<PeerConfig.Builder> change) {
    return Arguments.of(field, "next session", change);
  }

  private static Arguments reset(String field, UnaryOperator<PeerConfig.Builder> change) {
    return Arguments.of(field, "reset", change);
  }

  @ParameterizedTest(name = "{0}: {1}")
  @MethodSource("changes")
  void a_session_is_reset_only_for_what_the_protocol_cannot_change_within_one(
      String field, String how, UnaryOperator<PeerConfig.Builder> change) {
    PeerChange found =
        ConfigDiff.between(BEFORE, change.apply(BEFORE.toBuilder()).build(), SESSION);
    assertThat(found.live()).isEqualTo(how.equals("live") ? Set.of(field) : Set.of());
    assertThat(found.nextSession())
        .isEqualTo(how.equals("next session") ? Set.of(field) : Set.of());
    assertThat(found.reset()).isEqualTo(how.equals("reset") ? Set.of(field) : Set.of());
    assertThat(found.outcome())
        .isEqualTo(how.equals("reset") ? PeerChange.Outcome.RESET : PeerChange.Outcome.CHANGED);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("changes")
  void without_a_session_nothing_is_reset(
      String field, String how, UnaryOperator<PeerConfig.Builder> change) {
    PeerChange found = ConfigDiff.between(BEFORE, change.apply(BEFORE.toBuilder()).build(), null);
    assertThat(found.reset()).isEmpty();
    assertThat(found.outcome()).isEqualTo(PeerChange.Outcome.CHANGED);
  }

  @Test
  void the_same_again_is_no_change() {
    assertThat(ConfigDiff.between(BEFORE, BEFORE.toBuilder().build(), SESSION).outcome())
        .isEqualTo(PeerChange.Outcome.UNCHANGED);
  }
}
