package io.margay.agent.firewall;

import static io.margay.agent.firewall.FirewallNamespaces.v4;
import static io.margay.agent.firewall.FirewallNamespaces.v6;
import static io.margay.agent.firewall.PolicyFixtures.endpoint;
import static io.margay.agent.firewall.PolicyFixtures.inSet;
import static io.margay.agent.firewall.PolicyFixtures.ingress;
import static io.margay.agent.firewall.PolicyFixtures.ports;
import static io.margay.agent.firewall.PolicyFixtures.profile;
import static io.margay.agent.firewall.PolicyFixtures.set;
import static io.margay.agent.firewall.PolicyFixtures.tcp;
import static io.margay.agent.firewall.PolicyFixtures.tier;
import static org.assertj.core.api.Assertions.assertThat;

import io.margay.linux.nft.KernelNftables;
import io.margay.linux.nft.NftFeatures;
import io.margay.linux.nft.NftHookedChain;
import io.margay.linux.nft.NftOutcome;
import io.margay.linux.nft.NftTable;
import io.margay.linux.nft.NftTable.Ownership;
import io.margay.policy.PolicyUpdate;
import io.margay.policy.RuleAction;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Other firewalls' rules, in the kernel before ours: what pods still reach, which chain stops
/// them, and that the way out which `margay doctor` tells is one.
@Tag("netns")
class FirewallCoexistenceTest {

  @TempDir Path folder;

  /// What each leaves in the kernel, reduced to the chains forwarded packets go through.
  enum Neighbour {
    DOCKER(
        """
        table ip filter {
          chain DOCKER-USER { counter return; }
          chain FORWARD {
            type filter hook forward priority 0; policy drop;
            counter jump DOCKER-USER
            oifname "docker0" ct state related,established counter accept
            iifname "docker0" counter accept
          }
        }
        table ip6 filter {
          chain FORWARD { type filter hook forward priority 0; policy drop; }
        }
        """,
        List.of("chain FORWARD of table ip filter", "chain FORWARD of table ip6 filter"),
        List.of(
            "insert rule ip filter DOCKER-USER iifname \"cali*\" accept",
            "insert rule ip6 filter FORWARD iifname \"cali*\" accept")),
    FIREWALLD(
        """
        table inet firewalld {
          chain filter_FORWARD_POLICIES { iifname "eth9" accept; }
          chain filter_FORWARD {
            type filter hook forward priority 10; policy accept;
            ct state { established, related } accept
            ct status dnat accept
            iifname "lo" accept
            jump filter_FORWARD_POLICIES
            reject with icmpx admin-prohibited
          }
        }
        """,
        List.of("chain filter_FORWARD of table inet firewalld"),
        List.of(
            "insert rule inet firewalld filter_FORWARD_POLICIES ip saddr 10.65.0.0/16 accept",
            "insert rule inet firewalld filter_FORWARD_POLICIES ip6 saddr fd00:65::/64 accept")),
    UFW(
        """
        table ip filter {
          chain ufw-user-forward { }
          chain ufw-before-forward {
            ct state related,established accept
            jump ufw-user-forward
          }
          chain FORWARD {
            type filter hook forward priority 0; policy drop;
            jump ufw-before-forward
          }
        }
        table ip6 filter {
          chain ufw6-user-forward { }
          chain FORWARD {
            type filter hook forward priority 0; policy drop;
            ct state related,established accept
            jump ufw6-user-forward
          }
        }
        """,
        List.of("chain FORWARD of table ip filter", "chain FORWARD of table ip6 filter"),
        List.of(
            "add rule ip filter ufw-user-forward iifname \"cali*\" accept",
            "add rule ip6 filter ufw6-user-forward iifname \"cali*\" accept")),
    KUBE_PROXY(
        """
        table ip kube-proxy {
          map no-endpoint-services {
            type ipv4_addr . inet_proto . inet_service : verdict
            elements = { 10.96.0.9 . tcp . 80 : goto reject-chain }
          }
          chain reject-chain { reject; }
          chain filter-forward {
            type filter hook forward priority -110; policy accept;
            ct state new ip daddr . meta l4proto . th dport vmap @no-endpoint-services
          }
          chain nat-prerouting {
            type nat hook prerouting priority -100; policy accept;
            ip daddr 10.96.0.1 tcp dport 80 dnat to 10.65.0.1:80
          }
        }
        table ip6 kube-proxy {
          chain filter-forward { type filter hook forward priority -110; policy accept; }
        }
        """,
        List.of(),
        List.of());

    private final String rules;
    private final List<String> closed;
    private final List<String> wayOut;

    Neighbour(String rules, List<String> closed, List<String> wayOut) {
      this.rules = rules;
      this.closed = closed;
      this.wayOut = wayOut;
    }
  }

  @ParameterizedTest
  @EnumSource(Neighbour.class)
  void what_another_firewall_stops_is_named_and_ours_still_decides(Neighbour neighbour)
      throws Exception {
    try (FirewallNamespaces lab = new FirewallNamespaces(3)) {
      load(lab, neighbour.rules);
      lab.listen(1, 80);
      try (NftTable table =
              new NftTable(lab.nftables(features()), "margay", Ownership.WHERE_PERSISTENT);
          KernelNftables reader = lab.nftables()) {
        FirewallManager firewall = new FirewallManager(table, FirewallSettings.DEFAULT);
        List.<PolicyUpdate>of(
                profile("open", RuleAction.ALLOW),
                set("s:two", "10.65.0.2", "fd00:65::2"),
                ingress("two", tcp(0, RuleAction.ALLOW, inSet("s:two"), ports(80))),
                endpoint(1, List.of(tier("two")), List.of(), "open"),
                endpoint(2, List.of(), List.of(), "open"),
                endpoint(3, List.of(), List.of(), "open"))
            .forEach(firewall::onUpdate);
        assertThat(firewall.apply()).isInstanceOf(NftOutcome.Written.class);

        assertThat(
                reader.hookedChains().stream()
                    .filter(NftHookedChain::isClosed)
                    .map(NftHookedChain::toString))
            .containsExactlyInAnyOrderElementsOf(neighbour.closed);
        boolean open = neighbour.closed.isEmpty();
        assertThat(passes(lab, 2, v4(1))).isEqualTo(open);
        assertThat(passes(lab, 2, v6(1))).isEqualTo(open);
        for (String rule : neighbour.wayOut) {
          load(lab, rule);
        }
        for (InetAddress one : List.of(v4(1), v6(1))) {
          assertThat(passes(lab, 2, one)).isTrue();
          assertThat(passes(lab, 3, one)).isFalse();
        }
        if (neighbour == Neighbour.KUBE_PROXY) {
          // Policy sees the pod behind the service's address.
          InetAddress service = InetAddress.getByName("10.96.0.1");
          assertThat(passes(lab, 2, service)).isTrue();
          assertThat(passes(lab, 3, service)).isFalse();
        }
        // Theirs was written while ours was there: nothing of ours needs repair.
        assertThat(firewall.resync()).isEqualTo(new NftOutcome.Unchanged());
      }
    }
  }

  NftFeatures features() {
    return NftFeatures.ALL;
  }

  private void load(FirewallNamespaces lab, String rules) throws IOException {
    Path file = folder.resolve("rules.nft");
    Files.writeString(file, rules + "\n");
    lab.in("r", "nft -f " + file);
  }

  /// Dropped or rejected is the same to policy.
  private static boolean passes(FirewallNamespaces lab, int from, InetAddress to) {
    try {
      return !lab.dropped(from, to, 80);
    } catch (IOException rejected) {
      return false;
    }
  }
}
