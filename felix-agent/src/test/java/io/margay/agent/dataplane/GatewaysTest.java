package io.margay.agent.dataplane;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.bgp.speaker.FibNextHop;
import io.margay.linux.Errno;
import io.margay.linux.LinuxException;
import io.margay.linux.route.NextHop;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class GatewaysTest {

  private static final Prefix NEAR = Prefix.parse("10.65.0.0/26");
  private static final Prefix FAR = Prefix.parse("10.65.0.64/26");
  private static final IpAddress TOR_A = IpAddress.parse("172.16.0.0");
  private static final IpAddress TOR_B = IpAddress.parse("172.16.1.0");
  private static final IpAddress NODE = IpAddress.parse("10.0.0.3");

  private final Map<IpAddress, List<NextHop>> kernel = new HashMap<>();
  private boolean kernelRefuses;
  private int asked;
  private final Gateways gateways =
      new Gateways(name -> name.value().equals("eth0") ? OptionalInt.of(2) : OptionalInt.empty());

  @BeforeEach
  void follow() {
    gateways.follow(
        gateway -> {
          asked++;
          if (kernelRefuses) {
            throw new LinuxException("look up", gateway.toString(), new Errno(1));
          }
          return Optional.ofNullable(kernel.get(gateway));
        });
    kernel.put(TOR_A, List.of(NextHop.via(TOR_A)));
    kernel.put(NODE, List.of(NextHop.via(TOR_A, 2), NextHop.via(TOR_B, 3)));
  }

  private static List<FibNextHop> over(IpAddress... addresses) {
    return List.of(addresses).stream().map(address -> new FibNextHop(address, null)).toList();
  }

  @Test
  void a_next_hop_on_a_link_is_named_and_one_behind_routers_is_reached_over_them() {
    assertThat(gateways.resolve(NEAR, over(TOR_A))).containsExactly(NextHop.via(TOR_A));
    assertThat(gateways.resolve(FAR, over(NODE)))
        .containsExactly(NextHop.via(TOR_A, 2), NextHop.via(TOR_B, 3));
    assertThat(
            gateways.resolve(
                FAR,
                List.of(new FibNextHop(IpAddress.parse("fe80::1"), new InterfaceName("eth0")))))
        .containsExactly(NextHop.via(IpAddress.parse("fe80::1"), 2));
  }

  @Test
  void many_routes_over_one_next_hop_are_one_question() {
    for (int i = 0; i < 100; i++) {
      gateways.resolve(Prefix.parse("10.65." + i + ".0/26"), over(TOR_A));
    }
    assertThat(asked).isEqualTo(1);
  }

  @Test
  void routes_follow_the_way_to_a_distant_next_hop() {
    gateways.resolve(NEAR, over(TOR_A));
    gateways.resolve(FAR, over(NODE));
    assertThat(gateways.lookAgain()).isEmpty();
    kernel.put(NODE, List.of(NextHop.via(TOR_B, 3)));
    assertThat(gateways.lookAgain()).isEqualTo(Map.of(FAR, over(NODE)));
    assertThat(gateways.resolve(FAR, over(NODE))).containsExactly(NextHop.via(TOR_B, 3));
    assertThat(gateways.lookAgain()).isEmpty();
    gateways.forget(FAR);
    kernel.remove(NODE);
    assertThat(gateways.lookAgain()).isEmpty();
  }

  @Test
  void a_next_hop_nothing_leads_to_is_looked_for_until_something_does() throws Exception {
    kernel.remove(NODE);
    assertThat(gateways.resolve(FAR, over(NODE))).isEmpty();
    assertThat(gateways.resolve(FAR, over(NODE, TOR_A))).containsExactly(NextHop.via(TOR_A));
    kernelRefuses = true;
    assertThat(gateways.lookAgain()).isEqualTo(Map.of(FAR, over(NODE, TOR_A)));
    kernelRefuses = false;
    kernel.put(NODE, List.of(NextHop.via(TOR_B, 3)));
    assertThat(gateways.lookAgain()).isEqualTo(Map.of(FAR, over(NODE, TOR_A)));
    assertThat(gateways.resolve(FAR, over(NODE, TOR_A)))
        .containsExactly(NextHop.via(TOR_B, 3), NextHop.via(TOR_A));
  }
}
