package io.margay.bgp.speaker;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.bgp.bfd.BfdParameters;
import io.margay.bgp.bfd.BfdPeer;
import io.margay.bgp.policy.PeerPolicy;
import io.margay.bgp.transport.Endpoints;
import io.margay.model.net.Asn;
import io.margay.model.net.ScopedAddress;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

class BfdWatchTest {

  private static final ScopedAddress ONE = ScopedAddress.parse("10.0.0.1");
  private static final ScopedAddress TWO = ScopedAddress.parse("10.0.0.2");
  private static final ScopedAddress US = ScopedAddress.parse("10.0.0.9");

  private final Set<ScopedAddress> watched = new HashSet<>();

  /// As a socket has room for so many filters and no more.
  private final BfdWatch watch =
      new BfdWatch(
          paths -> {
            if (paths.size() > 1) {
              throw new IllegalArgumentException("too many");
            }
            watched.clear();
            paths.stream().map(BfdPeer::peer).forEach(watched::add);
          });

  private void up(ScopedAddress peer) {
    watch.watch(
        peer,
        PeerConfig.builder(peer, new Asn(65001), PeerPolicy.builder().build())
            .bfd(new BfdParameters(Duration.ofMillis(300), 3))
            .build(),
        new Endpoints(US, 179, peer, 179));
  }

  @Test
  void a_path_that_cannot_be_watched_costs_neither_its_session_nor_others_theirs() {
    up(ONE);
    up(TWO);
    assertThat(watched).containsExactly(ONE);
    assertThat(watch.text(TWO)).isEqualTo("not watched: too many");
    assertThat(watch.text(ONE)).isEqualTo("not up yet");
    watch.forget(ONE);
    assertThat(watched).isEmpty();
    up(TWO);
    assertThat(watched).containsExactly(TWO);
  }
}
