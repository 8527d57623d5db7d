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
import static org.assertj.core.api.Assertions.catchThrowable;

import io.margay.agent.dataplane.Dataplane;
import io.margay.agent.loop.TestLoop;
import io.margay.linux.nft.NftDump;
import io.margay.linux.nft.NftException;
import io.margay.linux.nft.NftFeatures;
import io.margay.linux.nft.NftKernel;
import io.margay.linux.nft.NftOutcome;
import io.margay.linux.nft.NftTable;
import io.margay.linux.nft.NftTable.Ownership;
import io.margay.linux.nft.NftTableName;
import io.margay.linux.route.RouteTable;
import io.margay.linux.testing.FakeRoutes;
import io.margay.model.net.IpFamily;
import io.margay.policy.PolicyUpdate;
import io.margay.policy.RuleAction;
import java.io.IOException;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Whatever other processes do to our tables, they are as they should be soon after, by the
/// dataplane's own watch; and where we own them, nothing happens to them at all.
@Tag("netns")
final class FirewallTamperingTest {

  /// How a node holds its tables.
  enum Held {
    OWNED(Ownership.WHERE_PERSISTENT, NftFeatures.ALL),
    OPEN(Ownership.NEVER, NftFeatures.ALL),
    /// With every probe forced off, as on Linux 5.15.
    OPEN_FOR_WANT_OF_FEATURES(Ownership.WHERE_PERSISTENT, NftFeatures.NONE);

    private final Ownership ownership;
    private final NftFeatures features;

    Held(Ownership ownership, NftFeatures features) {
      this.ownership = ownership;
      this.features = features;
    }
  }

  private static final Map<Held, Node> NODES = new EnumMap<>(Held.class);

  /// A node with pods 1 to 3, whose first lets only the second in, to port 80.
  private static final class Node implements AutoCloseable {
    final FirewallNamespaces lab = new FirewallNamespaces(3);
    final NftKernel other = lab.nftables();
    final TestLoop test = new TestLoop("dataplane");
    final NftTable table;
    final FirewallManager firewall;

    Node(Held held) throws Exception {
      table = new NftTable(lab.nftables(held.features), "margay", held.ownership);
      firewall = new FirewallManager(table, FirewallSettings.DEFAULT);
      RouteTable routes = new RouteTable(new FakeRoutes(), _ -> true);
      routes.adopt();
      Dataplane dataplane = new Dataplane(test.loop(), firewall, routes, _ -> OptionalInt.empty());
      lab.listen(1, 80);
      List<PolicyUpdate> updates =
          List.of(
              profile("open", RuleAction.ALLOW),
              set("s:two", "10.65.0.2", "fd00:65::2"),
              ingress("two", tcp(0, RuleAction.ALLOW, inSet("s:two"), ports(80))),
              endpoint(1, List.of(tier("two")), List.of(), "open"),
              endpoint(2, List.of(), List.of(), "open"),
              endpoint(3, List.of(), List.of(), "open"));
      CompletableFuture<Void> applied = new CompletableFuture<>();
      test.loop().start(dataplane::settle);
      dataplane.onPolicy(updates, List.of());
      dataplane.begin(() -> applied.complete(null));
      TestLoop.get(applied);
    }

    List<Optional<NftDump>> dumps() throws NftException {
      List<Optional<NftDump>> dumps = new ArrayList<>();
      for (IpFamily family : IpFamily.values()) {
        dumps.add(other.dump(new NftTableName(family, "margay")));
      }
      return dumps;
    }

    @Override
    public void close() throws IOException {
      test.close();
      table.close();
      other.close();
      lab.close();
    }
  }

  private static Node node(Held held) throws Exception {
    if (!NODES.containsKey(held)) {
      NODES.put(held, new Node(held));
    }
    return NODES.get(held);
  }

  @AfterAll
  static void clean() throws Exception {
    for (Node node : NODES.values()) {
      node.close();
    }
    NODES.clear();
  }

  static List<Arguments> cases() {
    List<Arguments> cases = new ArrayList<>();
    for (Held held : Held.values()) {
      for (IpFamily family : IpFamily.values()) {
        for (Tampering tampering : Tampering.values()) {
          cases.add(Arguments.of(tampering, held, family));
        }
      }
    }
    return cases;
  }

  @ParameterizedTest
  @MethodSource("cases")
  void what_others_do_to_our_tables_does_not_last(Tampering tampering, Held held, IpFamily family)
      throws Exception {
    Node node = node(held);
    NftTableName table = new NftTableName(family, "margay");
    InetAddress one = family == IpFamily.IPV4 ? v4(1) : v6(1);
    List<Optional<NftDump>> right = node.dumps();
    assertThat(right.getFirst().orElseThrow().owned()).isEqualTo(held == Held.OWNED);
    int repairs = node.test.see(node.firewall::tampering).repairs();

    Throwable refused = catchThrowable(() -> tampering.by(node.lab, node.other, table));

    boolean harmless = tampering == Tampering.A_TABLE_OF_THEIR_OWN;
    if (held == Held.OWNED) {
      // The tool passes over what it may not flush, without a word.
      boolean silent = harmless || tampering == Tampering.FLUSH_RULESET;
      if (silent) {
        assertThat(refused).isNull();
      } else {
        assertThat(refused).hasMessageMatching("(?s).*(not permitted|EPERM).*");
      }
      assertThat(node.dumps()).isEqualTo(right);
      assertThat(node.test.see(node.firewall::tampering).repairs()).isEqualTo(repairs);
    } else {
      assertThat(refused).isNull();
      if (!harmless) {
        node.test.await(() -> node.firewall.tampering().repairs(), repaired -> repaired > repairs);
      }
      assertThat(node.dumps()).isEqualTo(right);
    }
    // A look that finds nothing wrong writes nothing.
    int generation = node.other.generation();
    assertThat(node.test.see(node.firewall::resync)).isEqualTo(new NftOutcome.Unchanged());
    assertThat(node.other.generation()).isEqualTo(generation);
    assertThat(node.lab.allowed(2, one, 80)).isTrue();
    assertThat(node.lab.dropped(3, one, 80)).isTrue();
  }
}
