package io.margay.ipam.care;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.datastore.InMemoryDatastore;
import io.margay.datastore.json.ResourceKeys;
import io.margay.ipam.Block;
import io.margay.ipam.IpamKeys;
import io.margay.ipam.care.GarbageVerdict.Outcome;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import io.margay.model.resource.Kind;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// The table of witnesses, row by row, on a cluster of two nodes with three pods each.
class GarbageDecisionTest {

  private static final Duration GRACE = GarbageLimits.DEFAULT.grace();
  private static final String LEAKED = Cluster.handle("p0x1");
  private static final String OTHERS = Cluster.handle("p1x1");

  private final InMemoryDatastore store = new InMemoryDatastore();
  private Cluster cluster;
  private Instant now = Cluster.BIRTH;
  private GarbageLedger ledger = GarbageLedger.EMPTY;
  private Set<String> here = Set.of();
  private Set<String> interfaces = Set.of();
  private boolean isComplete = true;
  private boolean judgesVanished = true;
  private Set<String> declaredGone = Set.of();
  private GarbageLimits limits = GarbageLimits.DEFAULT;

  @BeforeEach
  void build() throws Exception {
    cluster = Cluster.of(store, 2, 3);
    here = Set.of(Cluster.handle("p0x0"), Cluster.handle("p0x2"));
  }

  @AfterEach
  void close() {
    store.close();
  }

  private GarbageDecision.Result look() throws Exception {
    GarbageRole role =
        new GarbageRole(
            Optional.of(new NodeWitness("n0", here, Set.of(), interfaces, isComplete)),
            judgesVanished,
            declaredGone);
    GarbageDecision.Result result =
        GarbageDecision.decide(IpamState.read(store), role, ledger, limits, now);
    ledger = result.ledger();
    return result;
  }

  /// Looks now and after the grace period.
  private GarbageDecision.Result lookLong() throws Exception {
    look();
    now = now.plus(GRACE);
    return look();
  }

  private static GarbageVerdict of(GarbageDecision.Result result, String handle) {
    return result.verdicts().stream()
        .filter(verdict -> verdict.handle().equals(handle))
        .findFirst()
        .orElseThrow();
  }

  private void loseEndpoint(String node, String pod) throws Exception {
    cluster.delete(Cluster.endpointKey(node, pod));
  }

  private void beat(String node, int number) throws Exception {
    cluster.put(AgentBeat.key(node), new AgentBeat(Cluster.BIRTH.plusSeconds(number)).toJson());
  }

  @Test
  void a_sound_cluster_has_no_garbage() throws Exception {
    here = Set.of(Cluster.handle("p0x0"), Cluster.handle("p0x1"), Cluster.handle("p0x2"));
    GarbageDecision.Result result = lookLong();
    assertThat(result.verdicts()).extracting(GarbageVerdict::outcome).containsOnly(Outcome.KEEP);
    assertThat(result.emptyBlocks()).isEmpty();
    assertThat(result.goneNodes()).isEmpty();
  }

  @Test
  void an_unused_address_is_suspected_first_and_released_after_the_grace_period() throws Exception {
    loseEndpoint("n0", "p0x1");
    assertThat(of(look(), LEAKED).outcome()).isEqualTo(Outcome.SUSPECT);
    now = now.plus(GRACE).minusSeconds(1);
    assertThat(of(look(), LEAKED).outcome()).isEqualTo(Outcome.SUSPECT);
    now = now.plusSeconds(1);
    GarbageVerdict verdict = of(look(), LEAKED);
    assertThat(verdict.outcome()).isEqualTo(Outcome.RELEASE);
    assertThat(verdict.addresses()).hasSize(2);
    assertThat(verdict.endpoints()).isEmpty();
    assertThat(verdict.reason()).contains("no endpoint", "neither journal entry nor wire");
  }

  @Test
  void one_long_look_is_not_enough() throws Exception {
    loseEndpoint("n0", "p0x1");
    limits = GarbageLimits.DEFAULT.withGrace(Duration.ZERO);
    assertThat(of(look(), LEAKED).outcome()).isEqualTo(Outcome.SUSPECT);
    assertThat(of(look(), LEAKED).outcome()).isEqualTo(Outcome.RELEASE);
  }

  @Test
  void without_the_endpoint_an_attachment_keeps_its_address() throws Exception {
    loseEndpoint("n0", "p0x1");
    here = Set.of(LEAKED);
    assertThat(of(lookLong(), LEAKED).outcome()).isEqualTo(Outcome.KEEP);
    assertThat(of(look(), LEAKED).reason()).contains("the node has the attachment");
  }

  @Test
  void an_endpoint_without_an_attachment_goes_with_its_address() throws Exception {
    GarbageVerdict verdict = of(lookLong(), LEAKED);
    assertThat(verdict.outcome()).isEqualTo(Outcome.RELEASE);
    assertThat(verdict.endpoints()).containsExactly(Cluster.endpointKey("n0", "p0x1"));
  }

  @Test
  void a_wire_without_a_journal_entry_keeps_its_address() throws Exception {
    cluster.put(
        Cluster.endpointKey("n0", "p0x1"),
        store
            .get(Cluster.endpointKey("n0", "p0x1"))
            .orElseThrow()
            .value()
            .replace("\"endpoint\":\"eth0\"", "\"endpoint\":\"eth0\",\"interfaceName\":\"cali1\""));
    interfaces = Set.of("lo", "cali1");
    assertThat(of(lookLong(), LEAKED).outcome()).isEqualTo(Outcome.KEEP);
  }

  @Test
  void a_journal_that_cant_be_read_witnesses_nothing() throws Exception {
    loseEndpoint("n0", "p0x1");
    isComplete = false;
    assertThat(of(lookLong(), LEAKED).outcome()).isEqualTo(Outcome.KEEP);
  }

  @Test
  void nobody_judges_pods_of_another_living_node() throws Exception {
    loseEndpoint("n1", "p1x1");
    GarbageVerdict verdict = of(lookLong(), OTHERS);
    assertThat(verdict.outcome()).isEqualTo(Outcome.KEEP);
    assertThat(verdict.reason()).contains("node n1 has no agent to witness that");
    beat("n1", 1);
    assertThat(of(look(), OTHERS).reason()).contains("the agent of node n1 judges that");
  }

  @Test
  void an_endpoint_that_comes_back_clears_the_suspicion() throws Exception {
    String key = Cluster.endpointKey("n0", "p0x1");
    String document = store.get(key).orElseThrow().value();
    cluster.delete(key);
    look();
    now = now.plus(GRACE);
    cluster.put(key, document);
    here = Set.of(LEAKED);
    assertThat(of(look(), LEAKED).outcome()).isEqualTo(Outcome.KEEP);
    cluster.delete(key);
    here = Set.of();
    assertThat(of(look(), LEAKED).outcome()).isEqualTo(Outcome.SUSPECT);
  }

  @Test
  void an_address_assigned_anew_is_another_suspect() throws Exception {
    loseEndpoint("n0", "p0x1");
    look();
    for (var item : cluster.blocks()) {
      cluster.put(item.key(), item.value().replaceAll("(\"\\d+\":\\d{18})\\d", "$17"));
    }
    now = now.plus(GRACE);
    assertThat(of(look(), LEAKED).outcome()).isEqualTo(Outcome.SUSPECT);
  }

  @Test
  void all_addresses_of_a_handle_must_be_unused() throws Exception {
    loseEndpoint("n0", "p0x1");
    IpAddress one = of(look(), LEAKED).addresses().firstKey();
    cluster.put(Cluster.endpoint("n1", "thief", "cthief", List.of(one)));
    GarbageVerdict verdict = of(lookLong(), LEAKED);
    assertThat(verdict.outcome()).isEqualTo(Outcome.KEEP);
    assertThat(verdict.reason()).contains("of another container uses " + one);
  }

  @Test
  void missing_metadata_is_never_garbage() throws Exception {
    replaceInBlocks("\"node\":\"n0\",\"pod\":\"p0x1\"", "\"pod\":\"p0x1\"");
    loseEndpoint("n0", "p0x1");
    assertThat(of(lookLong(), LEAKED).outcome()).isEqualTo(Outcome.KEEP);
    assertThat(of(look(), LEAKED).reason()).contains("does not say for which node");
  }

  @Test
  void an_address_without_a_handle_is_never_garbage() throws Exception {
    replaceInBlocks("\"handle_id\":\"" + LEAKED + "\"", "\"handle_id\":null");
    loseEndpoint("n0", "p0x1");
    assertThat(lookLong().verdicts())
        .filteredOn(verdict -> verdict.handle().startsWith("(no handle)"))
        .hasSize(2)
        .allMatch(verdict -> verdict.outcome() == Outcome.KEEP);
  }

  @Test
  void an_unknown_source_is_never_garbage_and_holds_its_vanished_nodes_blocks() throws Exception {
    replaceInBlocks(
        "\"namespace\":\"shop\",\"node\":\"n1\",\"pod\":\"p1x1\"",
        "\"node\":\"n1\",\"type\":\"somethingNew\"");
    cluster.deleteNode("n1");
    GarbageDecision.Result result = lookLong();
    assertThat(of(result, OTHERS).outcome()).isEqualTo(Outcome.KEEP);
    assertThat(of(result, Cluster.handle("p1x0")).outcome()).isEqualTo(Outcome.RELEASE);
    assertThat(result.goneNodes()).isEmpty();
  }

  @Test
  void a_block_that_contradicts_itself_is_repaired_before_anything_in_it_is_freed()
      throws Exception {
    loseEndpoint("n0", "p0x1");
    replaceInBlocks("\"unallocated\":[", "\"unallocated\":[15,");
    assertThat(of(lookLong(), LEAKED).reason()).contains("contradicts itself");
  }

  @Test
  void tunnels_and_reserves_of_a_node_that_is_there_are_kept() throws Exception {
    GarbageDecision.Result result = lookLong();
    assertThat(of(result, "ipip-tunnel-addr-n0").outcome()).isEqualTo(Outcome.KEEP);
    assertThat(of(result, "margay-reserve.n0").outcome()).isEqualTo(Outcome.KEEP);
  }

  @Test
  void a_store_without_a_single_node_is_not_believed() throws Exception {
    cluster.deleteNode("n0");
    cluster.deleteNode("n1");
    assertThat(lookLong().verdicts()).allMatch(verdict -> verdict.outcome() == Outcome.KEEP);
  }

  @Test
  void a_vanished_nodes_pods_go_after_the_grace_period_endpoints_included() throws Exception {
    cluster.deleteNode("n1");
    assertThat(of(look(), OTHERS).outcome()).isEqualTo(Outcome.SUSPECT);
    now = now.plus(GRACE);
    GarbageVerdict verdict = of(look(), OTHERS);
    assertThat(verdict.outcome()).isEqualTo(Outcome.RELEASE);
    assertThat(verdict.endpoints()).containsExactly(Cluster.endpointKey("n1", "p1x1"));
    assertThat(verdict.ofVanishedNode()).isTrue();
  }

  @Test
  void only_one_of_all_judges_vanished_nodes() throws Exception {
    judgesVanished = false;
    cluster.deleteNode("n1");
    assertThat(of(lookLong(), OTHERS).reason()).contains("another agent judges that");
  }

  /// Who does not judge does not read every sign of life, so its waiting counts for nothing.
  @Test
  void a_judge_that_takes_over_waits_the_whole_grace_period() throws Exception {
    judgesVanished = false;
    cluster.deleteNode("n1");
    lookLong();
    judgesVanished = true;
    assertThat(of(look(), OTHERS).outcome()).isEqualTo(Outcome.SUSPECT);
    assertThat(of(look(), OTHERS).outcome()).isEqualTo(Outcome.SUSPECT);
    now = now.plus(GRACE);
    assertThat(of(look(), OTHERS).outcome()).isEqualTo(Outcome.RELEASE);
  }

  @Test
  void a_sign_of_life_keeps_a_node_without_a_resource() throws Exception {
    cluster.deleteNode("n1");
    for (int minute = 0; minute < 40; minute++) {
      beat("n1", minute);
      now = now.plus(Duration.ofMinutes(1));
      assertThat(of(look(), OTHERS).outcome()).isEqualTo(Outcome.KEEP);
    }
    // It falls silent: first it may still be alive, then the grace period runs.
    now = now.plus(AgentBeat.ALIVE);
    assertThat(of(look(), OTHERS).outcome()).isEqualTo(Outcome.SUSPECT);
    now = now.plus(GRACE);
    assertThat(of(look(), OTHERS).outcome()).isEqualTo(Outcome.RELEASE);
  }

  @Test
  void felixs_leased_status_is_a_sign_of_life() throws Exception {
    cluster.deleteNode("n1");
    cluster.put("/calico/felix/v2/no-region/host/n1/status", "{}");
    assertThat(of(lookLong(), OTHERS).outcome()).isEqualTo(Outcome.KEEP);
  }

  @Test
  void a_node_that_comes_back_clears_the_suspicion() throws Exception {
    cluster.deleteNode("n1");
    look();
    now = now.plus(GRACE);
    cluster.node("n1");
    assertThat(of(look(), OTHERS).outcome()).isEqualTo(Outcome.KEEP);
    cluster.deleteNode("n1");
    assertThat(of(look(), OTHERS).outcome()).isEqualTo(Outcome.SUSPECT);
  }

  @Test
  void a_persons_word_stands_for_the_silence_but_not_for_the_missing_node() throws Exception {
    declaredGone = Set.of("n1");
    assertThat(of(look(), OTHERS).outcome()).isEqualTo(Outcome.KEEP);
    cluster.deleteNode("n1");
    GarbageVerdict verdict = of(look(), OTHERS);
    assertThat(verdict.outcome()).isEqualTo(Outcome.RELEASE);
    assertThat(verdict.reason()).contains("you say that it is gone");
  }

  @Test
  void a_vanished_nodes_own_addresses_go_when_its_pods_are_gone_and_its_claims_last()
      throws Exception {
    cluster.node("n9");
    cluster.deleteNode("n0");
    here = Set.of();
    look();
    now = now.plus(GRACE);
    GarbageDecision.Result result = look();
    assertThat(of(result, "ipip-tunnel-addr-n0").outcome()).isEqualTo(Outcome.KEEP);
    assertThat(result.goneNodes()).isEmpty();
    drop("p0x0", "p0x1", "p0x2");
    result = look();
    assertThat(of(result, "ipip-tunnel-addr-n0").outcome()).isEqualTo(Outcome.RELEASE);
    assertThat(of(result, "margay-reserve.n0").outcome()).isEqualTo(Outcome.RELEASE);
    assertThat(result.goneNodes()).isEmpty();
    drop("ipip-tunnel-addr-n0", "margay-reserve.n0");
    assertThat(look().goneNodes()).containsExactly("n0");
  }

  @Test
  void a_surplus_of_empty_blocks_is_given_back_at_the_second_look_but_one_a_pool_is_kept()
      throws Exception {
    emptyBlock("10.8.15.0/28");
    emptyBlock("10.8.15.16/28");
    assertThat(look().emptyBlocks()).isEmpty();
    assertThat(look().emptyBlocks())
        .extracting(IpamKeys.AffinityKey::block)
        .containsExactlyInAnyOrder(Prefix.parse("10.8.15.0/28"), Prefix.parse("10.8.15.16/28"));
    limits = new GarbageLimits(GRACE, 2, 100, 1);
    assertThat(look().emptyBlocks()).hasSize(1);
    drop("p0x0", "p0x1", "p0x2", "ipip-tunnel-addr-n0", "margay-reserve.n0");
    limits = GarbageLimits.DEFAULT;
    look();
    long v4 = look().emptyBlocks().stream().filter(key -> Cluster.V4.contains(key.block())).count();
    long owned =
        IpamState.read(store).claims.keySet().stream()
            .filter(key -> key.node().equals("n0") && Cluster.V4.contains(key.block()))
            .count();
    assertThat(v4).isEqualTo(owned - 1);
  }

  @Test
  void a_block_written_between_two_looks_is_not_empty_twice() throws Exception {
    emptyBlock("10.8.15.0/28");
    look();
    emptyBlock("10.8.15.0/28");
    assertThat(look().emptyBlocks()).isEmpty();
  }

  /// #10333: when more is garbage than a round may free, the longest suspected goes first, and
  /// nobody's time starts again.
  @Test
  void the_longest_suspected_comes_first() throws Exception {
    here = Set.of(Cluster.handle("p0x0"), Cluster.handle("p0x1"));
    look();
    now = now.plusSeconds(60);
    here = Set.of();
    look();
    now = now.plus(GRACE);
    List<GarbageVerdict> releases =
        look().verdicts().stream().filter(verdict -> verdict.outcome() == Outcome.RELEASE).toList();
    assertThat(releases)
        .extracting(GarbageVerdict::handle)
        .containsExactly(Cluster.handle("p0x2"), Cluster.handle("p0x0"), Cluster.handle("p0x1"));
    assertThat(new ArrayList<>(releases))
        .isSortedAccordingTo(Comparator.comparing(verdict -> verdict.since().orElseThrow()));
  }

  private void replaceInBlocks(String from, String to) throws Exception {
    int replaced = 0;
    for (var item : cluster.blocks()) {
      if (item.value().contains(from)) {
        cluster.put(item.key(), item.value().replace(from, to));
        replaced++;
      }
    }
    assertThat(replaced).isPositive();
  }

  /// Frees what pods or handles hold.
  private void drop(String... names) throws Exception {
    Set<String> handles = new HashSet<>();
    for (String name : names) {
      handles.add(name.startsWith("p") ? Cluster.handle(name) : name);
    }
    for (var item : cluster.blocks()) {
      Block block = cluster.block(item);
      List<IpAddress> going =
          block.allocated().stream()
              .filter(held -> handles.contains(held.holder().handleId().orElse("")))
              .map(Block.Allocation::address)
              .toList();
      if (!going.isEmpty()) {
        cluster.put(item.key(), block.free(going, now, Duration.ZERO).advanced().toJson());
      }
    }
    for (String handle : handles) {
      cluster.delete(IpamKeys.handle(handle));
    }
  }

  private void emptyBlock(String cidr) throws Exception {
    Prefix block = Prefix.parse(cidr);
    cluster.put(IpamKeys.block(block), Damage.emptyBlock(block, "\"host:n0\""));
    cluster.put(IpamKeys.affinity("n0", block), "{\"state\":\"confirmed\",\"deleted\":false}");
  }

  @Test
  void an_unreadable_node_is_there_all_the_same() throws Exception {
    cluster.put(ResourceKeys.prefix(Kind.NODE) + "n1", "{\"kind\":\"Node\"");
    assertThat(of(lookLong(), OTHERS).outcome()).isEqualTo(Outcome.KEEP);
    assertThat(Map.copyOf(ledger.absences())).isEmpty();
  }
}
