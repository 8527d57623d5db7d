package io.margay.agent.firewall;

import static io.margay.agent.firewall.PolicyFixtures.ANY;
import static io.margay.agent.firewall.PolicyFixtures.TCP;
import static io.margay.agent.firewall.PolicyFixtures.UDP;
import static io.margay.agent.firewall.PolicyFixtures.endpoint;
import static io.margay.agent.firewall.PolicyFixtures.inSet;
import static io.margay.agent.firewall.PolicyFixtures.ingress;
import static io.margay.agent.firewall.PolicyFixtures.nets;
import static io.margay.agent.firewall.PolicyFixtures.policy;
import static io.margay.agent.firewall.PolicyFixtures.ports;
import static io.margay.agent.firewall.PolicyFixtures.profile;
import static io.margay.agent.firewall.PolicyFixtures.set;
import static io.margay.agent.firewall.PolicyFixtures.tcp;
import static io.margay.agent.firewall.PolicyFixtures.tier;
import static org.assertj.core.api.Assertions.assertThat;

import io.margay.linux.nft.FakeNftables;
import io.margay.linux.nft.NftChain;
import io.margay.linux.nft.NftHook;
import io.margay.linux.nft.NftPacket;
import io.margay.linux.nft.NftTable;
import io.margay.linux.nft.NftTableState;
import io.margay.linux.nft.NftText;
import io.margay.linux.nft.NftWalk;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import io.margay.policy.ComputedRule;
import io.margay.policy.PeerMatch;
import io.margay.policy.PolicyUpdate;
import io.margay.policy.PortRange;
import io.margay.policy.RuleAction;
import io.margay.policy.RuleSet;
import io.margay.policy.SetId;
import io.margay.policy.SetKind;
import io.margay.policy.SetMember;
import io.margay.policy.oracle.Flow;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class DenseTierTest {

  private static final InterfaceName HOST_END = new InterfaceName("cali1");
  private static final int SETS = 12;

  private final NftTable table =
      new NftTable(new FakeNftables(false).open(), "margay", NftTable.Ownership.NEVER);
  private final FirewallManager firewall = new FirewallManager(table, FirewallSettings.DEFAULT);

  private NftChain tierOf(int policies, IntFunction<ComputedRule> rule) throws Exception {
    for (int i = 0; i < SETS; i++) {
      firewall.onUpdate(set("s:" + i, "10.0.0." + i));
    }
    String[] names = IntStream.range(0, policies).mapToObj(i -> "p" + i).toArray(String[]::new);
    for (int i = 0; i < policies; i++) {
      firewall.onUpdate(ingress(names[i], rule.apply(i)));
    }
    firewall.onUpdate(profile("open", RuleAction.ALLOW));
    firewall.onUpdate(endpoint(1, List.of(tier(names)), List.of(), "open"));
    firewall.apply();
    String name = Layout.tierChain(new TierKey(Direction.INGRESS, tier(names)));
    return firewall.desired(IpFamily.IPV4).chains().stream()
        .filter(chain -> chain.name().equals(name))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void a_thousand_policies_of_a_port_each_are_one_lookup() throws Exception {
    NftChain chain =
        tierOf(1000, i -> tcp(0, RuleAction.ALLOW, inSet("s:" + i % SETS), ports(1000 + i)));
    assertThat(NftText.print(firewall.desired(IpFamily.IPV4))).contains("@grants");
    // Who may, by a host's address; and the end.
    assertThat(chain.rules()).hasSize(2);
  }

  @Test
  void policies_for_one_port_are_one_lookup_of_everybody_they_let_in() throws Exception {
    NftChain chain = tierOf(100, i -> tcp(0, RuleAction.ALLOW, inSet("s:" + i % SETS), ports(80)));
    assertThat(chain.rules()).hasSize(2);
    assertThat(accepts("10.0.0.3", TCP, 80)).isTrue();
    assertThat(accepts("10.0.0.3", TCP, 81)).isFalse();
    assertThat(accepts("10.0.0.3", UDP, 80)).isFalse();
    assertThat(accepts("10.0.0.99", TCP, 80)).isFalse();
  }

  @Test
  void a_merged_rule_knows_whose_rule_lets_a_packet_in() throws Exception {
    NftChain chain =
        tierOf(
            100, i -> tcp(0, RuleAction.ALLOW, inSet("s:" + i % SETS), ports(i < 50 ? 80 : 443)));
    String id = chain.rules().getFirst().id();
    assertThat(memberOf(chain, id, "10.0.0.3", 80)).isEqualTo("p3");
    assertThat(memberOf(chain, id, "10.0.0.3", 443)).isEqualTo("p51");
    assertThat(memberOf(chain, id, "10.0.0.99", 443)).isEqualTo("none");
    assertThat(memberOf(chain, chain.rules().getLast().id(), "10.0.0.3", 80)).isEqualTo("none");
  }

  private String memberOf(NftChain chain, String id, String peer, int port) {
    return firewall
        .memberOf(
            chain.name(), id, Flow.tcp(IpAddress.parse(peer), IpAddress.parse("10.0.9.9"), port))
        .map(member -> member.policy().name())
        .orElse("none");
  }

  @Test
  void policies_of_networks_are_one_lookup() throws Exception {
    NftChain chain =
        tierOf(
            100,
            i -> tcp(0, RuleAction.ALLOW, nets(List.of("10.9." + i + ".0/24"), List.of()), ANY));
    assertThat(chain.rules()).hasSizeLessThanOrEqualTo(3);
    assertThat(accepts("10.9.99.7", TCP, 1)).isTrue();
    assertThat(accepts("10.9.100.7", TCP, 1)).isFalse();
  }

  @Test
  void a_few_policies_keep_their_shared_chains() throws Exception {
    NftChain chain = tierOf(12, i -> tcp(0, RuleAction.ALLOW, inSet("s:" + i), ports(80)));
    assertThat(chain.rules()).hasSize(13);
  }

  @Test
  void a_large_set_is_not_repeated_in_a_union() throws Exception {
    tierOf(100, i -> tcp(0, RuleAction.ALLOW, inSet("s:" + i % SETS), ports(80)));
    int before = elements();
    String[] many =
        IntStream.rangeClosed(0, AddressSets.LARGE)
            .mapToObj(i -> "10.1." + i / 256 + "." + i % 256)
            .toArray(String[]::new);
    firewall.onUpdate(set("s:3", many));
    firewall.apply();
    // Its own members, in place of one, and not in the union any more.
    assertThat(elements()).isEqualTo(before + many.length - 1 - 1);
    assertThat(accepts("10.1.0.9", TCP, 80)).isTrue();
  }

  private int elements() {
    return firewall.desired(IpFamily.IPV4).sets().entrySet().stream()
        .filter(set -> set.getKey().name().equals(Layout.MEMBERS))
        .mapToInt(set -> set.getValue().size())
        .sum();
  }

  @Test
  void what_no_chain_looks_up_any_more_leaves_the_kernel() throws Exception {
    tierOf(100, i -> tcp(0, RuleAction.ALLOW, inSet("s:" + i % SETS), ports(80 + i % 2)));
    firewall.onUpdate(new PolicyUpdate.EndpointRemoved(PolicyFixtures.key(1)));
    firewall.apply();
    assertThat(elements()).isEqualTo(SETS);
  }

  private boolean accepts(String source, int protocol, int port) {
    return accepts(firewall, table, IpAddress.parse(source), protocol, port);
  }

  private static boolean accepts(
      FirewallManager firewall, NftTable table, IpAddress source, int protocol, int port) {
    firewall.desired(source.family());
    IpAddress pod = IpAddress.parse(source.family() == IpFamily.IPV4 ? "10.65.0.1" : "fd00:65::1");
    NftPacket packet =
        NftPacket.opening(protocol, source, 40_000, pod, port).withOutgoing(HOST_END);
    return new NftWalk(table.view(source.family()))
        .hook(NftHook.Point.FORWARD, packet)
        .getLast()
        .isAccepted();
  }

  /// Where the random worlds of a test mostly go.
  enum Kind {
    ALIKE,
    MIXED
  }

  /// What was told so far, and what it means for a packet.
  private static final class Model {
    private final Map<String, Set<SetMember>> sets = new TreeMap<>();
    private final Map<String, List<ComputedRule>> policies = new TreeMap<>();

    boolean accepts(List<String> order, IpAddress source, int protocol, int port) {
      for (String policy : order) {
        for (ComputedRule rule : policies.getOrDefault(policy, List.of())) {
          if (matches(rule, source, protocol, port)) {
            return rule.action() == RuleAction.ALLOW;
          }
        }
      }
      return false;
    }

    private boolean matches(ComputedRule rule, IpAddress source, int protocol, int port) {
      PeerMatch from = rule.source();
      return (rule.protocol() == null || rule.protocol() == protocol)
          && (from.nets().isEmpty() || isIn(from.nets(), source))
          && from.sets().stream().allMatch(set -> holds(set, source))
          && from.notSets().stream().noneMatch(set -> holds(set, source))
          && (rule.destination().ports().isEmpty()
              || rule.destination().ports().stream().anyMatch(range -> range.contains(port)));
    }

    private static boolean isIn(Collection<Prefix> nets, IpAddress address) {
      return nets.stream()
          .anyMatch(net -> net.family() == address.family() && net.contains(address));
    }

    private boolean holds(SetId set, IpAddress address) {
      List<Prefix> prefixes = new ArrayList<>();
      for (SetMember member : sets.getOrDefault(set.value(), Set.of())) {
        if (member instanceof SetMember.Net(Prefix prefix)) {
          prefixes.add(prefix);
        }
      }
      return isIn(prefixes, address);
    }
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void a_dense_tier_decides_as_its_rules_do_whatever_road_was_taken(Kind kind) throws Exception {
    long first = Long.getLong("seed", 20_261_128L);
    int dense = 0;
    for (long seed = first; seed < first + 12; seed++) {
      dense += world(new Random(seed), seed, kind);
    }
    assertThat(dense).as("worlds whose tier was merged").isGreaterThan(6);
  }

  /// @return 1 if the tier was merged at the end
  private static int world(Random random, long seed, Kind kind) throws Exception {
    NftTable table =
        new NftTable(new FakeNftables(false).open(), "margay", NftTable.Ownership.NEVER);
    FirewallManager firewall = new FirewallManager(table, FirewallSettings.DEFAULT);
    Model model = new Model();
    List<String> order = IntStream.range(0, 40).mapToObj(i -> "p%02d".formatted(i)).toList();
    for (int i = 0; i < SETS; i++) {
      putSet(firewall, model, "s:" + i, randomMembers(random));
    }
    order.forEach(name -> putPolicy(firewall, model, name, randomRules(random, kind)));
    firewall.onUpdate(profile("open", RuleAction.ALLOW));
    firewall.onUpdate(endpoint(1, List.of(tier(order.toArray(String[]::new))), List.of(), "open"));
    firewall.apply();
    for (int step = 0; step < 30; step++) {
      if (random.nextInt(3) == 0) {
        putPolicy(
            firewall, model, order.get(random.nextInt(order.size())), randomRules(random, kind));
      } else {
        changeSet(firewall, model, "s:" + random.nextInt(SETS), random);
      }
      firewall.apply();
      for (int probe = 0; probe < 40; probe++) {
        IpAddress source = randomAddress(random);
        int protocol = random.nextBoolean() ? TCP : UDP;
        int port = 80 + random.nextInt(5);
        assertThat(accepts(firewall, table, source, protocol, port))
            .as("seed %d step %d: %s to %d/%d", seed, step, source, port, protocol)
            .isEqualTo(model.accepts(order, source, protocol, port));
      }
    }
    compareWithScratch(firewall, model, order, seed);
    return NftText.print(firewall.desired(IpFamily.IPV4)).contains("merged") ? 1 : 0;
  }

  private static void compareWithScratch(
      FirewallManager firewall, Model model, List<String> order, long seed) throws Exception {
    FirewallManager scratch =
        new FirewallManager(
            new NftTable(new FakeNftables(false).open(), "margay", NftTable.Ownership.NEVER),
            FirewallSettings.DEFAULT);
    model.sets.forEach((name, members) -> putSet(scratch, new Model(), name, members));
    model.policies.forEach((name, rules) -> putPolicy(scratch, new Model(), name, rules));
    scratch.onUpdate(profile("open", RuleAction.ALLOW));
    scratch.onUpdate(endpoint(1, List.of(tier(order.toArray(String[]::new))), List.of(), "open"));
    scratch.apply();
    for (IpFamily family : IpFamily.values()) {
      NftTableState was = firewall.desired(family);
      NftTableState is = scratch.desired(family);
      assertThat(was.chains()).as("seed %d", seed).isEqualTo(is.chains());
      was.sets()
          .forEach(
              (set, elements) ->
                  assertThat(new HashSet<>(elements))
                      .as("seed %d, set %s", seed, set.name())
                      .isEqualTo(new HashSet<>(is.sets().get(set))));
    }
  }

  private static void putSet(
      FirewallManager firewall, Model model, String name, Set<SetMember> members) {
    model.sets.put(name, members);
    firewall.onUpdate(new PolicyUpdate.SetUpdated(new SetId(name), SetKind.NETS, members));
  }

  private static void changeSet(FirewallManager firewall, Model model, String name, Random random) {
    Set<SetMember> now = randomMembers(random);
    Set<SetMember> added = new HashSet<>(now);
    added.removeAll(model.sets.get(name));
    Set<SetMember> removed = new HashSet<>(model.sets.get(name));
    removed.removeAll(now);
    model.sets.put(name, now);
    firewall.onUpdate(new PolicyUpdate.SetChanged(new SetId(name), added, removed));
  }

  private static void putPolicy(
      FirewallManager firewall, Model model, String name, List<ComputedRule> rules) {
    model.policies.put(name, rules);
    firewall.onUpdate(new PolicyUpdate.PolicyUpdated(policy(name), new RuleSet(rules, List.of())));
  }

  private static Set<SetMember> randomMembers(Random random) {
    Set<SetMember> members = new HashSet<>();
    int count = random.nextInt(4);
    for (int i = 0; i < count; i++) {
      Prefix prefix =
          switch (random.nextInt(10)) {
            case 0 -> Prefix.parse("10.0." + random.nextInt(4) + ".0/24");
            case 1 -> Prefix.parse("fd00::" + random.nextInt(4) + "0/124");
            default -> randomAddress(random).toHostPrefix();
          };
      members.add(new SetMember.Net(prefix));
    }
    // As the calculation hands them over: none inside another.
    members.removeIf(
        member ->
            members.stream()
                .anyMatch(
                    other ->
                        !other.equals(member)
                            && ((SetMember.Net) other)
                                .prefix()
                                .contains(((SetMember.Net) member).prefix())));
    return members;
  }

  private static IpAddress randomAddress(Random random) {
    return random.nextInt(4) == 0
        ? IpAddress.parse("fd00::" + random.nextInt(4) + random.nextInt(4))
        : IpAddress.parse("10.0." + random.nextInt(4) + "." + random.nextInt(8));
  }

  private static List<ComputedRule> randomRules(Random random, Kind kind) {
    List<ComputedRule> rules = new ArrayList<>();
    int count = 1 + random.nextInt(2);
    for (int index = 0; index < count; index++) {
      rules.add(randomRule(index, random, kind));
    }
    return rules;
  }

  private static ComputedRule randomRule(int index, Random random, Kind kind) {
    boolean odd = random.nextInt(kind == Kind.ALIKE ? 60 : 12) == 0;
    PeerMatch source =
        switch (random.nextInt(odd ? 6 : 4)) {
          case 0 ->
              nets(
                  List.of(
                      "10.0." + random.nextInt(4) + ".0/29",
                      "fd00::" + random.nextInt(4) + "0/124"),
                  List.of());
          case 4 -> ANY;
          case 5 -> PolicyFixtures.notInSet("s:" + random.nextInt(SETS));
          default -> inSet("s:" + random.nextInt(SETS));
        };
    PeerMatch destination =
        switch (random.nextInt(6)) {
          case 0 -> ANY;
          case 1 -> PolicyFixtures.portRange(80, 82);
          case 2 -> ports(80, 83);
          default -> ports(80 + random.nextInt(4));
        };
    return new ComputedRule(
        index,
        odd && random.nextBoolean() ? RuleAction.DENY : RuleAction.ALLOW,
        null,
        destination.ports().isEmpty() && random.nextBoolean()
            ? null
            : random.nextInt(3) == 0 ? UDP : TCP,
        null,
        null,
        null,
        source,
        destination);
  }

  @Test
  void ranges_of_ports_alike_are_merged_too() throws Exception {
    NftChain chain =
        tierOf(
            100,
            i ->
                tcp(
                    0,
                    RuleAction.ALLOW,
                    inSet("s:" + i % SETS),
                    new PeerMatch(
                        List.of(),
                        List.of(),
                        List.of(),
                        List.of(),
                        List.of(new PortRange(80, 90), PortRange.of(443)),
                        List.of(),
                        List.of(),
                        List.of())));
    assertThat(chain.rules()).hasSize(3);
    assertThat(accepts("10.0.0.1", TCP, 85)).isTrue();
    assertThat(accepts("10.0.0.1", TCP, 443)).isTrue();
    assertThat(accepts("10.0.0.1", TCP, 91)).isFalse();
  }
}
