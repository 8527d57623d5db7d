package io.margay.ipam;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.InMemoryDatastore;
import io.margay.datastore.KeyValue;
import io.margay.datastore.Listing;
import io.margay.datastore.Txn;
import io.margay.ipam.care.IpamCheck;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import io.margay.model.resource.PoolUse;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class IpamTest {

  private static final Pool V4 = Pool.of("v4", Prefix.parse("10.65.0.0/24"), 26);
  private static final Pool V6 = Pool.of("v6", Prefix.parse("fd00:65::/64"), 122);

  private final InMemoryDatastore store = new InMemoryDatastore();
  private final FaultyDatastore counted = FaultyDatastore.counting(store);
  private Instant now = Instant.parse("2026-11-23T10:00:00Z");
  private final Ipam ipam = new Ipam(counted, () -> now, Pools.of(V4, V6));

  @AfterEach
  void close() {
    ipam.close();
    store.close();
  }

  private static AssignRequest request(String handle, String node, int v4, int v6) {
    return new AssignRequest(
        handle,
        node,
        v4,
        v6,
        Map.of("pod", handle, "namespace", "n", "node", node),
        List.of(),
        endpoint(handle));
  }

  private static SameTxn endpoint(String handle) {
    return assignments -> {
      String key = IpamCheck.ENDPOINTS + "n/" + handle;
      String networks =
          String.join(
              ",",
              assignments.stream()
                  .map(held -> "\"" + held.address().toHostPrefix() + "\"")
                  .toList());
      return new SameTxn.Extras(
          List.of(),
          List.of(new Txn.Write.Put(key, "{\"spec\":{\"ipNetworks\":[" + networks + "]}}")));
    };
  }

  private static SameTxn.Extras withoutEndpoint(String handle) {
    return new SameTxn.Extras(
        List.of(), List.of(new Txn.Write.Delete(IpamCheck.ENDPOINTS + "n/" + handle)));
  }

  private static AssignResult.Assigned assigned(AssignResult result) {
    assertThat(result).isInstanceOf(AssignResult.Assigned.class);
    return (AssignResult.Assigned) result;
  }

  private static List<IpAddress> addresses(AssignResult result) {
    return assigned(result).assignments().stream().map(Assignment::address).toList();
  }

  private AssignResult probe(AssignRequest request) throws DatastoreException {
    return ipam.probe(request, Ipam.CALL_LIMIT);
  }

  private void assertSound() throws DatastoreException {
    assertThat(IpamCheck.run(store).findings()).isEmpty();
  }

  @Test
  void block_claim_handle_and_endpoint_of_both_families_are_one_transaction()
      throws DatastoreException {
    AssignResult.Assigned result = assigned(ipam.assign(request("h1", "n1", 1, 1)));
    assertThat(result.assignments())
        .extracting(held -> held.address().family())
        .containsExactly(IpFamily.IPV4, IpFamily.IPV6);
    assertThat(counted.commits).hasValue(1);
    List<KeyValue> all = store.list("/calico/").items();
    assertThat(all).hasSize(6).extracting(KeyValue::modRevision).containsOnly(result.revision());
    assertThat(ipam.ownBlocks("n1").confirmed())
        .containsExactly(
            result.assignments().getFirst().block(), result.assignments().getLast().block());
    assertSound();
  }

  @Test
  void once_warm_an_address_costs_one_round_trip_and_so_does_its_release()
      throws DatastoreException {
    ipam.assign(request("h0", "n1", 1, 1));
    int before = counted.roundTrips();
    for (int i = 1; i <= 10; i++) {
      ipam.assign(request("h" + i, "n1", 1, 1));
    }
    assertThat(counted.roundTrips() - before).isEqualTo(10);
    for (int i = 1; i <= 10; i++) {
      ipam.releaseByHandle("h" + i, withoutEndpoint("h" + i));
    }
    assertThat(counted.roundTrips() - before).isEqualTo(20);
    assertSound();
    assertThat(IpamCheck.run(store).allocatedCount()).isEqualTo(2);
  }

  @Test
  void a_probe_says_what_an_assignment_would_and_writes_nothing() throws DatastoreException {
    ipam.assign(request("h1", "n1", 1, 1));
    List<KeyValue> before = store.list("/calico/").items();
    int roundTrips = counted.roundTrips();
    assertThat(probe(request("p", "n1", 1, 1))).isInstanceOf(AssignResult.Assigned.class);
    assertThat(counted.roundTrips()).as("from memory").isEqualTo(roundTrips);

    ipam.setPools(Pools.of(Pool.of("tiny", Prefix.parse("10.66.0.0/30"), 30)));
    assertThat(probe(request("p", "n1", 1, 0))).isInstanceOf(AssignResult.Assigned.class);
    assertThat(store.list("/calico/").items()).isEqualTo(before);
    ipam.assign(request("h2", "n1", 4, 0));
    assertThat(probe(request("p", "n1", 1, 0))).isInstanceOf(AssignResult.PoolExhausted.class);
    ipam.releaseByHandle("h2", withoutEndpoint("h2"));
    now = now.plus(IpamConfig.DEFAULT.cooldown()).plusSeconds(1);
    assertThat(probe(request("p", "n1", 1, 0))).isInstanceOf(AssignResult.Assigned.class);

    ipam.setPools(Pools.none());
    assertThat(probe(request("p", "n1", 1, 0))).isInstanceOf(AssignResult.NoPool.class);
    assertSound();
  }

  @Test
  void nodes_start_at_different_blocks_and_never_share_one() throws DatastoreException {
    List<Prefix> claimed = new ArrayList<>();
    for (int node = 0; node < 4; node++) {
      claimed.add(
          assigned(ipam.assign(request("h" + node, "n" + node, 1, 0)))
              .assignments()
              .getFirst()
              .block());
    }
    assertThat(claimed).doesNotHaveDuplicates();
    assertSound();
  }

  @Test
  void when_blocks_run_out_addresses_are_borrowed_and_said_to_be() throws DatastoreException {
    for (int node = 0; node < 4; node++) {
      ipam.assign(request("h" + node, "n" + node, 1, 0));
    }
    Assignment borrowed =
        assigned(ipam.assign(request("hx", "late", 1, 0))).assignments().getFirst();
    assertThat(borrowed.borrowed()).isTrue();
    assertThat(ipam.ownBlocks("late"))
        .isEqualTo(OwnBlocks.of(List.of(), List.of(borrowed.address())));
    store.commit(
        Txn.create(IpamKeys.CONFIG, "{\"strict_affinity\":true,\"auto_allocate_blocks\":true}"));
    assertThat(ipam.assign(request("hy", "later", 1, 0)))
        .isInstanceOf(AssignResult.PoolExhausted.class);
    assertSound();
  }

  @Test
  void a_full_block_leads_to_the_next_and_the_limit_ends_it() throws DatastoreException {
    ipam.setPools(Pools.of(Pool.of("p", Prefix.parse("10.1.0.0/24"), 30)));
    store.commit(Txn.create(IpamKeys.CONFIG, "{\"maxBlocksPerHost\":2}"));
    for (int i = 0; i < 8; i++) {
      assigned(ipam.assign(request("h" + i, "n1", 1, 0)));
    }
    assertThat(ipam.assign(request("h8", "n1", 1, 0)))
        .isEqualTo(new AssignResult.BlockLimit(IpFamily.IPV4, 2));
    assertThat(ipam.listBlocks()).hasSize(2);
    assertSound();
  }

  @Test
  void both_families_or_none() throws DatastoreException {
    ipam.setPools(Pools.of(V4));
    assertThat(ipam.assign(request("h", "n1", 1, 1)))
        .isInstanceOfSatisfying(
            AssignResult.NoPool.class,
            none -> {
              assertThat(none.family()).isEqualTo(IpFamily.IPV6);
              assertThat(none.reason()).contains("n1");
            });
    assertThat(store.list("/calico/").items()).isEmpty();
  }

  @Test
  void pools_are_chosen_by_state_mode_use_and_node() throws DatastoreException {
    Prefix cidr = Prefix.parse("10.2.0.0/24");
    Prefix good = Prefix.parse("10.9.0.0/24");
    ipam.setPools(
        new Pools(
            List.of(
                new Pool("disabled", Prefix.parse("10.1.0.0/24"), 26, true, true, true, "all()"),
                new Pool("manual", cidr, 26, false, false, true, "all()"),
                new Pool("tunnel", Prefix.parse("10.3.0.0/24"), 26, false, true, false, "all()"),
                new Pool(
                    "others", Prefix.parse("10.4.0.0/24"), 26, false, true, true, "rack == 'x'"),
                Pool.of("good", good, 26)),
            List.of(),
            (pool, _) -> pool.nodeSelector().equals("all()")));
    assertThat(good.contains(addresses(ipam.assign(request("h1", "n1", 1, 0))).getFirst()))
        .isTrue();
    AssignRequest named =
        new AssignRequest("h2", "n1", 1, 0, Map.of(), List.of(cidr), SameTxn.nothing());
    assertThat(cidr.contains(addresses(ipam.assign(named)).getFirst())).isTrue();
  }

  @Test
  void reserved_addresses_are_never_assigned_by_themselves_but_may_be_asked_for()
      throws DatastoreException {
    ipam.setPools(
        new Pools(
            List.of(Pool.of("p", Prefix.parse("10.1.0.0/29"), 29)),
            List.of(Prefix.parse("10.1.0.0/30")),
            (_, _) -> true));
    assertThat(addresses(ipam.assign(request("h", "n1", 4, 0))))
        .extracting(IpAddress::toString)
        .containsExactly("10.1.0.4", "10.1.0.5", "10.1.0.6", "10.1.0.7");
    IpAddress reserved = IpAddress.parse("10.1.0.1");
    assertThat(
            addresses(
                ipam.assignIp(
                    new AssignIpRequest(reserved, "g", "n1", Map.of(), SameTxn.nothing()))))
        .containsExactly(reserved);
  }

  @Test
  void asking_again_with_the_same_handle_finds_the_same_addresses() throws DatastoreException {
    List<IpAddress> first = addresses(ipam.assign(request("h", "n1", 1, 1)));
    assertThat(addresses(ipam.assign(request("h", "n1", 1, 1)))).isEqualTo(first);
    try (Ipam stranger = new Ipam(store, () -> now, Pools.of(V4, V6))) {
      assertThat(addresses(stranger.assign(request("h", "n1", 1, 1)))).isEqualTo(first);
      assertThat(addresses(stranger.assign(request("h", "n1", 2, 1))))
          .containsAll(first)
          .hasSize(3);
    }
    assertThat(addresses(ipam.assign(request("h", "n1", 2, 1)))).containsAll(first).hasSize(3);
    assertThat(IpamCheck.run(store).allocatedCount()).isEqualTo(3);
  }

  @Test
  void an_answer_that_got_lost_leaks_nothing() throws DatastoreException {
    for (int seed = 0; seed < 20; seed++) {
      String handle = "lost" + seed;
      try (Ipam unlucky =
          new Ipam(new FaultyDatastore(store, seed, 0, 1), () -> now, Pools.of(V4, V6))) {
        assertThatThrownBy(() -> unlucky.assign(request(handle, "n1", 1, 1)))
            .isInstanceOfSatisfying(
                DatastoreException.class,
                failure -> assertThat(failure.isOutcomeUnknown()).isTrue());
      }
      assigned(ipam.assign(request(handle, "n1", 1, 1)));
    }
    assertThat(IpamCheck.run(store).allocatedCount()).isEqualTo(40);
    assertSound();
  }

  @Test
  void a_stale_belief_costs_a_round_trip_and_never_an_address() throws DatastoreException {
    addresses(ipam.assign(request("h1", "n1", 1, 0)));
    try (Ipam other = new Ipam(store, () -> now, Pools.of(V4, V6))) {
      List<IpAddress> theirs = addresses(other.assign(request("h2", "n1", 1, 0)));
      int before = counted.roundTrips();
      assertThat(addresses(ipam.assign(request("h3", "n1", 1, 0))))
          .doesNotContainAnyElementsOf(theirs);
      assertThat(counted.roundTrips() - before).isEqualTo(2);
      other.releaseByHandle("h3", withoutEndpoint("h3"));
      assertThat(ipam.releaseByHandle("h3", SameTxn.Extras.NONE))
          .isEqualTo(new ReleaseResult.Released(List.of()));
    }
    assertSound();
  }

  @Test
  void losing_the_race_for_a_block_leads_to_another() throws Exception {
    try (Ipam rival = new Ipam(store, () -> now, Pools.of(V4, V6))) {
      counted.beforeNextCommit =
          () -> {
            try {
              Prefix wanted =
                  BlockChoice.unclaimed(
                          V4,
                          "n1",
                          now,
                          new java.util.TreeSet<>(),
                          new Plan(new BlockCache()),
                          Pools.of(V4))
                      .orElseThrow();
              rival.assignIp(
                  new AssignIpRequest(
                      wanted.address(), "rival", "n2", Map.of("node", "n2"), SameTxn.nothing()));
            } catch (DatastoreException impossible) {
              throw new IllegalStateException(impossible);
            }
          };
      Assignment mine = assigned(ipam.assign(request("h", "n1", 1, 0))).assignments().getFirst();
      assertThat(mine.borrowed()).isFalse();
      assertThat(counted.conflicts).hasValue(1);
      assertThat(ipam.listBlocks()).hasSize(2);
      assertSound();
    }
  }

  @Test
  void interrupted_claims_are_finished() throws DatastoreException {
    Prefix missing = Prefix.parse("10.65.0.64/26");
    Prefix unconfirmed = Prefix.parse("10.65.0.128/26");
    String pending = "{\"state\":\"pending\",\"deleted\":false}";
    store.commit(
        Txn.builder()
            .put(IpamKeys.affinity("n1", missing), pending)
            .put(IpamKeys.affinity("n1", unconfirmed), pending)
            .put(IpamKeys.block(unconfirmed), Block.create(unconfirmed, "host:n1", now).toJson())
            .build());
    assertThat(assigned(ipam.assign(request("h", "n1", 32, 0))).assignments())
        .allMatch(held -> held.block().equals(unconfirmed));
    assertThat(assigned(ipam.assign(request("i", "n1", 32, 0))).assignments()).hasSize(32);
    assertThat(assigned(ipam.assign(request("j", "n1", 1, 0))).assignments())
        .allMatch(held -> held.block().equals(missing));
    assertThat(ipam.ownBlocks("n1").confirmed()).containsExactly(missing, unconfirmed);
    assertSound();
  }

  @Test
  void the_callers_own_condition_decides_for_it_alone() throws DatastoreException {
    store.commit(Txn.create("/x", "there"));
    SameTxn refused =
        _ ->
            new SameTxn.Extras(
                List.of(new Txn.Condition.Absent("/x")), List.of(new Txn.Write.Put("/x", "mine")));
    AssignResult result =
        ipam.assign(new AssignRequest("h", "n1", 1, 0, Map.of(), List.of(), refused));
    assertThat(result)
        .isInstanceOfSatisfying(
            AssignResult.ExtraConflict.class,
            conflict ->
                assertThat(conflict.current().get("/x"))
                    .extracting(KeyValue::value)
                    .isEqualTo("there"));
    assertThat(store.list(IpamKeys.ROOT).items()).isEmpty();
    ReleaseResult kept =
        ipam.releaseByHandle(
            "h", new SameTxn.Extras(List.of(new Txn.Condition.Absent("/x")), List.of()));
    assertThat(kept).isInstanceOf(ReleaseResult.ExtraConflict.class);
  }

  @Test
  void a_particular_address_is_given_once() throws DatastoreException {
    IpAddress address = IpAddress.parse("10.65.0.77");
    AssignIpRequest mine =
        new AssignIpRequest(address, "h", "n1", Map.of("node", "n1"), SameTxn.nothing());
    assertThat(addresses(ipam.assignIp(mine))).containsExactly(address);
    assertThat(addresses(ipam.assignIp(mine))).containsExactly(address);
    assertThat(
            ipam.assignIp(new AssignIpRequest(address, "other", "n1", Map.of(), SameTxn.nothing())))
        .isInstanceOfSatisfying(
            AssignResult.Unavailable.class, no -> assertThat(no.reason()).contains("held by h"));
    assertThat(
            ipam.assignIp(
                new AssignIpRequest(
                    IpAddress.parse("10.99.0.1"), "h", "n1", Map.of(), SameTxn.nothing())))
        .isInstanceOfSatisfying(
            AssignResult.Unavailable.class,
            no -> assertThat(no.reason()).contains("no enabled IPPool"));
    assertThat(ipam.holderOf(address)).map(Block.Allocation::address).contains(address);
    assertSound();
  }

  @Test
  void a_late_release_of_an_address_that_was_assigned_anew_is_refused() throws DatastoreException {
    IpAddress address = IpAddress.parse("10.65.0.77");
    AssignIpRequest mine = new AssignIpRequest(address, "h", "n1", Map.of(), SameTxn.nothing());
    long old = assigned(ipam.assignIp(mine)).assignments().getFirst().sequenceNumber();
    Release late = new Release(address, Optional.of("h"), OptionalLong.of(old));
    assertThat(ipam.releaseIps(List.of(late)))
        .containsExactly(new ReleaseResult.Released(List.of(address)));
    assertThat(ipam.releaseIps(List.of(late)))
        .containsExactly(new ReleaseResult.Released(List.of()));
    ipam.assignIp(mine);
    assertThat(ipam.releaseIps(List.of(late))).first().isInstanceOf(ReleaseResult.Refused.class);
    assertThat(
            ipam.releaseIps(List.of(new Release(address, Optional.of("g"), OptionalLong.empty()))))
        .first()
        .isInstanceOf(ReleaseResult.Refused.class);
    assertThat(ipam.holderOf(address)).isPresent();
    assertSound();
  }

  @Test
  void freed_addresses_rest_as_long_as_the_cluster_says() throws DatastoreException {
    ipam.setPools(Pools.of(Pool.of("p", Prefix.parse("10.1.0.0/30"), 30)));
    store.commit(Txn.create(IpamKeys.CONFIG, "{\"ipCooldownSeconds\":60}"));
    assigned(ipam.assign(request("h", "n1", 4, 0)));
    ipam.releaseByHandle("h", withoutEndpoint("h"));
    assertThat(ipam.assign(request("i", "n1", 1, 0)))
        .isInstanceOf(AssignResult.PoolExhausted.class);
    assertSound();
    now = now.plusSeconds(60);
    assertThat(addresses(ipam.assign(request("i", "n1", 1, 0))))
        .extracting(IpAddress::toString)
        .containsExactly("10.1.0.0");
    assertSound();
  }

  /// As Calico's AssignIP: what rests is held, also from whom had it.
  @Test
  void a_particular_address_is_refused_while_it_rests_and_given_afterwards()
      throws DatastoreException {
    store.commit(Txn.create(IpamKeys.CONFIG, "{\"ipCooldownSeconds\":60}"));
    IpAddress address = IpAddress.parse("10.65.0.77");
    assigned(ipam.assignIp(particular(address, "h")));
    ipam.releaseByHandle("h", withoutEndpoint("h"));
    now = now.plusSeconds(59);
    for (String handle : List.of("h", "other")) {
      assertThat(ipam.assignIp(particular(address, handle)))
          .isEqualTo(
              new AssignResult.Unavailable(
                  address,
                  "it was freed at 2026-11-23T10:00:00Z and rests for 60 s (ipCooldownSeconds)"));
    }
    now = now.plusSeconds(1);
    assertThat(addresses(ipam.assignIp(particular(address, "other")))).containsExactly(address);
    assertSound();
  }

  @Test
  void a_particular_address_is_had_of_the_open_one_of_pools_that_overlap()
      throws DatastoreException {
    Pool closed =
        new Pool(
            "wide",
            Prefix.parse("10.65.0.0/16"),
            26,
            false,
            true,
            Set.of(PoolUse.WORKLOAD),
            Pool.ALL,
            Pool.ALL,
            Optional.of("it overlaps another"));
    ipam.setPools(Pools.of(closed, Pool.of("narrow", Prefix.parse("10.65.4.0/24"), 26)));
    IpAddress inside = IpAddress.parse("10.65.4.9");
    assertThat(addresses(ipam.assignIp(particular(inside, "h")))).containsExactly(inside);
    assertThat(ipam.assignIp(particular(IpAddress.parse("10.65.5.9"), "h")))
        .isInstanceOf(AssignResult.Unavailable.class);
  }

  private static AssignIpRequest particular(IpAddress address, String handle) {
    return new AssignIpRequest(address, handle, "n1", Map.of("node", "n1"), SameTxn.nothing());
  }

  @Test
  void a_lost_nodes_blocks_are_given_back_and_drain() throws DatastoreException {
    ipam.assign(request("used", "gone", 1, 0));
    Prefix used = ipam.listBlocks().getFirst().cidr();
    ipam.assign(new AssignRequest("tmp", "gone", 0, 1, Map.of(), List.of(), SameTxn.nothing()));
    ipam.releaseByHandle("tmp", SameTxn.Extras.NONE);
    assertThat(ipam.releaseAffinities("gone")).isEqualTo(2);
    assertThat(ipam.listBlocks())
        .singleElement()
        .satisfies(
            block -> {
              assertThat(block.cidr()).isEqualTo(used);
              assertThat(block.affinity()).isEmpty();
            });
    assertThat(store.list(IpamKeys.affinities("gone")).items()).isEmpty();
    ipam.releaseByHandle("used", withoutEndpoint("used"));
    assertThat(store.list("/calico/").items()).isEmpty();
    assigned(ipam.assign(request("again", "gone", 1, 1)));
    assertSound();
  }

  /// A new block every four addresses, and still one round trip each: which blocks there are is
  /// remembered for a while.
  @Test
  void the_next_block_is_claimed_without_looking_at_all_blocks_again() throws DatastoreException {
    ipam.setPools(Pools.of(Pool.of("p", Prefix.parse("10.1.0.0/24"), 30)));
    ipam.assign(request("warm", "n1", 1, 0));
    int before = counted.roundTrips();
    for (int i = 0; i < 40; i++) {
      assigned(ipam.assign(request("h" + i, "n1", 1, 0)));
    }
    assertThat(counted.roundTrips() - before).isEqualTo(40);
    // Somebody else was there meanwhile: one more round trip, and never the same block.
    try (Ipam rival =
        new Ipam(store, () -> now, Pools.of(Pool.of("p", Prefix.parse("10.1.0.0/24"), 30)))) {
      for (int i = 0; i < 12; i++) {
        assigned(rival.assign(request("r" + i, "n1", 1, 0)));
        assigned(ipam.assign(request("i" + i, "n1", 1, 0)));
      }
    }
    assertSound();
  }

  /// What was read for a request and then forgotten, because claims changed behind the cache, is
  /// not taken for absent.
  @Test
  void a_handle_forgotten_after_it_was_read_is_read_again() throws DatastoreException {
    List<IpAddress> held = addresses(ipam.assign(request("h", "n1", 1, 1)));
    InterruptedReads reads = new InterruptedReads(store);
    try (Ipam other = new Ipam(reads, () -> now, Pools.of(V4, V6))) {
      reads.afterHandle =
          () -> {
            try {
              other.releaseAffinities("gone");
            } catch (DatastoreException impossible) {
              throw new IllegalStateException(impossible);
            }
          };
      assertThat(other.releaseByHandle("h", withoutEndpoint("h")))
          .isEqualTo(new ReleaseResult.Released(held));
    }
    assertSound();
  }

  /// Runs something after a handle is read.
  private static final class InterruptedReads extends ForwardingDatastore {
    private Runnable afterHandle = () -> {};

    InterruptedReads(Datastore real) {
      super(real);
    }

    @Override
    public Listing getAll(List<String> keys) throws DatastoreException {
      Listing answer = super.getAll(keys);
      if (keys.stream().anyMatch(key -> IpamKeys.handleOf(key).isPresent())) {
        Runnable once = afterHandle;
        afterHandle = () -> {};
        once.run();
      }
      return answer;
    }
  }

  @Test
  void after_close_callers_are_told_at_once() {
    ipam.close();
    assertThatThrownBy(() -> ipam.assign(request("h", "n1", 1, 0)))
        .isInstanceOf(DatastoreException.class)
        .hasMessage("IPAM: IPAM is closed (datastore ipam)");
  }

  @Test
  void an_unreadable_block_harms_only_itself() throws DatastoreException {
    assigned(ipam.assign(request("h1", "n1", 1, 0)));
    Prefix broken = ipam.listBlocks().getFirst().cidr();
    store.commit(Txn.builder().put(IpamKeys.block(broken), "{").build());
    Assignment next = assigned(ipam.assign(request("h2", "n1", 1, 0))).assignments().getFirst();
    assertThat(next.block()).isNotEqualTo(broken);
    assertThat(store.get(IpamKeys.block(broken))).map(KeyValue::value).contains("{");
  }

  @Test
  void a_full_group_fits_one_transaction() throws Exception {
    ipam.assign(request("warm", "n1", 1, 1));
    List<Future<AssignResult>> answers = new ArrayList<>();
    int before = counted.commits.get();
    try (var callers = Executors.newVirtualThreadPerTaskExecutor()) {
      java.util.concurrent.CountDownLatch all = new java.util.concurrent.CountDownLatch(1);
      counted.beforeNextCommit =
          () -> {
            try {
              all.await();
            } catch (InterruptedException stop) {
              Thread.currentThread().interrupt();
            }
          };
      answers.add(callers.submit(() -> ipam.assign(request("first", "n1", 1, 1))));
      while (counted.commits.get() == before) {
        Thread.onSpinWait();
      }
      for (int i = 0; i < Committer.MAX_GROUP; i++) {
        String handle = "h" + i;
        answers.add(callers.submit(() -> ipam.assign(request(handle, "n1", 1, 1))));
      }
      while (ipam.waiting() < Committer.MAX_GROUP) {
        Thread.onSpinWait();
      }
      all.countDown();
      for (Future<AssignResult> answer : answers) {
        assigned(answer.get());
      }
    }
    assertThat(counted.commits.get() - before).isEqualTo(2);
    assertSound();
  }

  @Test
  void more_extras_than_a_group_can_carry_are_refused_at_once() {
    List<Txn.Write> nine = new ArrayList<>();
    for (int i = 0; i < 9; i++) {
      nine.add(new Txn.Write.Delete("/x/" + i));
    }
    assertThatThrownBy(() -> new SameTxn.Extras(List.of(), nine)).hasMessageContaining("at most 8");
    assertThatThrownBy(
            () -> new SameTxn.Extras(List.of(), List.of(new Txn.Write.Delete(IpamKeys.CONFIG))))
        .hasMessageContaining("only IPAM writes it");
  }
}
