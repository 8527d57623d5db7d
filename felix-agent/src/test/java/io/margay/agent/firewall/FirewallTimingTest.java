package io.margay.agent.firewall;

import static io.margay.agent.firewall.PolicyFixtures.ANY;
import static io.margay.agent.firewall.PolicyFixtures.change;
import static io.margay.agent.firewall.PolicyFixtures.endpoint;
import static io.margay.agent.firewall.PolicyFixtures.inSet;
import static io.margay.agent.firewall.PolicyFixtures.ingress;
import static io.margay.agent.firewall.PolicyFixtures.key;
import static io.margay.agent.firewall.PolicyFixtures.members;
import static io.margay.agent.firewall.PolicyFixtures.ports;
import static io.margay.agent.firewall.PolicyFixtures.profile;
import static io.margay.agent.firewall.PolicyFixtures.tcp;
import static io.margay.agent.firewall.PolicyFixtures.tier;
import static org.assertj.core.api.Assertions.assertThat;

import io.margay.linux.nft.NftOutcome;
import io.margay.linux.nft.NftTable;
import io.margay.linux.nft.NftTable.Ownership;
import io.margay.policy.PolicyUpdate;
import io.margay.policy.RuleAction;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// Prints what the hot path costs on a node of 100 endpoints, 50 policies and 10,000 members. The
/// work is checked, the time is not.
@Tag("netns")
final class FirewallTimingTest {

  private static final int ROUNDS = 300;

  @Test
  void one_member_and_one_pod() throws Exception {
    try (FirewallNamespaces lab = new FirewallNamespaces(0);
        NftTable table = new NftTable(lab.nftables(), "margay", Ownership.WHERE_PERSISTENT)) {
      FirewallManager firewall = new FirewallManager(table, FirewallSettings.DEFAULT);
      String[] many = new String[10_000];
      for (int i = 0; i < many.length; i++) {
        many[i] = "10." + (i >> 8) + "." + (i & 255) + ".9";
      }
      firewall.onUpdate(PolicyFixtures.set("s:many", many));
      firewall.onUpdate(profile("open", RuleAction.ALLOW));
      String[] policies = new String[50];
      for (int i = 0; i < policies.length; i++) {
        policies[i] = "p" + i;
        firewall.onUpdate(
            ingress(
                "p" + i,
                tcp(0, RuleAction.ALLOW, inSet("s:many"), ports(80, 443)),
                tcp(1, RuleAction.DENY, ANY, ports(22))));
      }
      for (int pod = 1; pod <= 100; pod++) {
        firewall.onUpdate(pod(pod, policies));
      }
      long start = System.nanoTime();
      firewall.apply();
      System.out.printf("first apply: %.1f ms%n", (System.nanoTime() - start) / 1e6);

      long[] member = new long[ROUNDS];
      long[] attach = new long[ROUNDS];
      long[] detach = new long[ROUNDS];
      for (int i = 0; i < ROUNDS; i++) {
        String address = "10.200.0." + i % 256;
        member[i] = time(firewall, change("s:many", members(address), members()));
        time(firewall, change("s:many", members(), members(address)));
        attach[i] = time(firewall, pod(101, policies));
        detach[i] = time(firewall, new PolicyUpdate.EndpointRemoved(key(101)));
      }
      print("one member", member);
      print("pod attach", attach);
      print("pod detach", detach);
    }
  }

  private static PolicyUpdate pod(int number, String... policies) {
    return endpoint(
        number,
        List.of(tier(Arrays.copyOfRange(policies, number % 40, number % 40 + 10))),
        List.of(),
        "open");
  }

  private static long time(FirewallManager firewall, PolicyUpdate update) throws Exception {
    long start = System.nanoTime();
    firewall.onUpdate(update);
    assertThat(firewall.apply()).isInstanceOf(NftOutcome.Written.class);
    return System.nanoTime() - start;
  }

  private static void print(String what, long[] nanos) {
    Arrays.sort(nanos);
    System.out.printf(
        "%s: p50 %.0f us, p99 %.0f us%n",
        what, nanos[nanos.length / 2] / 1e3, nanos[nanos.length * 99 / 100] / 1e3);
  }
}
