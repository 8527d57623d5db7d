package io.margay.bgp.rib;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.bgp.message.AsPath;
import io.margay.bgp.message.PathAttribute;
import io.margay.bgp.message.PathAttributes;
import io.margay.model.net.Asn;
import io.margay.model.net.IpAddress;
import io.margay.model.net.RouterId;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class DecisionProcessTest {

  private static final DecisionProcess STRICT = new DecisionProcess(false, 8);
  private static final DecisionProcess RELAXED = new DecisionProcess(true, 8);

  private static Path.Learned path(int peer, boolean external, PathAttribute... attributes) {
    return new Path.Learned(
        new RibPeer(
            IpAddress.parse("10.0.0." + peer),
            new Asn(65100),
            RouterId.parse("1.1.1." + peer),
            external),
        PathAttributes.of(attributes),
        IpAddress.parse("10.0.0." + peer),
        false);
  }

  private static PathAttribute as(int... asns) {
    Asn[] all = new Asn[asns.length];
    for (int i = 0; i < asns.length; i++) {
      all[i] = new Asn(asns[i]);
    }
    return new PathAttribute.AsPathAttribute(AsPath.of(all));
  }

  private static PathAttribute origin(PathAttribute.OriginCode code) {
    return new PathAttribute.Origin(code);
  }

  private static final PathAttribute IGP = origin(PathAttribute.OriginCode.IGP);

  /// The second path always has the better router id, so that only the named step can save the
  /// first.
  static Stream<Arguments> pairs() {
    return Stream.of(
        Arguments.of(
            DecisionStep.LOCAL_PREF,
            path(9, true, IGP, as(1, 2, 3), new PathAttribute.LocalPref(200)),
            path(1, true, IGP, as(1))),
        Arguments.of(DecisionStep.AS_PATH, path(9, true, IGP, as(1)), path(1, true, IGP, as(1, 2))),
        Arguments.of(
            DecisionStep.ORIGIN,
            path(9, true, IGP, as(1)),
            path(1, true, origin(PathAttribute.OriginCode.INCOMPLETE), as(1))),
        Arguments.of(
            DecisionStep.MED,
            path(9, true, IGP, as(1)),
            path(1, true, IGP, as(1), new PathAttribute.MultiExitDisc(1))),
        Arguments.of(DecisionStep.PEER_TYPE, path(9, true, IGP, as(1)), path(1, false, IGP, as(1))),
        Arguments.of(DecisionStep.ROUTER_ID, path(2, true, IGP, as(1)), path(3, true, IGP, as(1))),
        Arguments.of(
            DecisionStep.ROUTER_ID,
            path(2, true, IGP, as(1)),
            path(3, true, IGP, as(2), new PathAttribute.MultiExitDisc(7))));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("pairs")
  void the_first_path_wins_by_the_step(DecisionStep step, Path.Learned winner, Path.Learned loser) {
    for (List<Path> order : List.of(List.<Path>of(winner, loser), List.<Path>of(loser, winner))) {
      Decision decision = STRICT.decide(order);
      assertThat(decision.best()).isEqualTo(winner);
      assertThat(decision.decidedBy()).isEqualTo(step);
      assertThat(decision.lost()).containsExactly(Map.entry(loser, step));
    }
  }

  @Test
  void our_own_path_beats_every_other_and_shares_nothing() {
    Path own = new Path.Local(PathAttributes.of(IGP, as(1)));
    Path other = path(1, true, IGP, as(1), new PathAttribute.LocalPref(999));
    Decision decision = STRICT.decide(List.of(other, own));
    assertThat(decision.best()).isEqualTo(own);
    assertThat(decision.multipath()).isEmpty();
    assertThat(decision.lost()).containsEntry(other, DecisionStep.LOCAL_ROUTE);
  }

  @Test
  void relaxing_lets_paths_of_equal_length_share() {
    Path.Learned one = path(1, true, IGP, as(1));
    Path.Learned two = path(2, true, IGP, as(2));
    assertThat(STRICT.decide(List.of(one, two)).multipath()).containsExactly(one);
    assertThat(RELAXED.decide(List.of(one, two)).multipath()).containsExactly(one, two);
    assertThat(new DecisionProcess(true, 1).decide(List.of(one, two)).multipath())
        .containsExactly(one);
  }

  @Test
  void the_order_of_the_paths_never_matters() {
    Random random = new Random(4271);
    for (int round = 0; round < 500; round++) {
      List<Path> paths = new ArrayList<>();
      for (int peer = 1; peer <= 6; peer++) {
        paths.add(
            path(
                peer,
                random.nextBoolean(),
                random.nextBoolean() ? IGP : origin(PathAttribute.OriginCode.EGP),
                as(1 + random.nextInt(2), 7),
                new PathAttribute.MultiExitDisc(random.nextInt(3))));
      }
      Decision first = RELAXED.decide(paths);
      Collections.shuffle(paths, random);
      assertThat(RELAXED.decide(paths)).isEqualTo(first);
    }
  }
}
