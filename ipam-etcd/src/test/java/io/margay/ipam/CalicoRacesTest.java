package io.margay.ipam;

import static io.margay.ipam.BlockAffinity.State.CONFIRMED;
import static io.margay.ipam.BlockAffinity.State.PENDING;
import static io.margay.ipam.BlockAffinity.State.PENDING_DELETION;
import static org.assertj.core.api.Assertions.assertThat;

import io.margay.datastore.CommitResult;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.KeyValue;
import io.margay.datastore.Txn;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The races calico.md tells of (section 4 and section 10, rows 10 to 14), one by one: each with a
/// writer of Calico's that stops, or moves, at the worst moment.
class CalicoRacesTest {

  private static void before(Cluster cluster, Race race) {
    cluster.counted.beforeNextCommit =
        () -> {
          try {
            race.run();
          } catch (Exception impossible) {
            throw new IllegalStateException(impossible);
          }
        };
  }

  private interface Race {
    void run() throws Exception;
  }

  private static boolean committed(Cluster cluster, Txn txn) throws DatastoreException {
    return cluster.store.commit(txn) instanceof CommitResult.Committed;
  }

  /// #6486, #4471: a claim that stays pending is never announced, its addresses are unreachable.
  @ParameterizedTest
  @EnumSource(IpFamily.class)
  void a_pending_claim_to_a_block_of_ours_is_confirmed_even_when_the_block_is_full(IpFamily family)
      throws Exception {
    try (Cluster cluster = new Cluster(family)) {
      Pool pool = cluster.pool(1, 4, 2);
      Block full =
          Block.create(cluster.block(pool, 0), "host:n1", cluster.now)
              .take(4, Block.Attribute.of("old", Map.of()), _ -> false)
              .block();
      cluster.put(full);
      cluster.put(IpamKeys.handle("old"), Handle.empty("old").adjusted(full.cidr(), 4).toJson());
      cluster.claim("n1", full.cidr(), PENDING);
      KeyValue asRead = cluster.store.get(IpamKeys.block(full.cidr())).orElseThrow();
      Ipam ipam = cluster.ipam(Pools.of(pool));
      Cluster.one(ipam.assign(cluster.request("a", "n1", 1)));
      assertThat(ipam.ownBlocks("n1").confirmed()).contains(full.cidr());
      cluster.assertSound();
      // Whoever was about to delete the block as he read it is stopped.
      assertThat(committed(cluster, Txn.delete(asRead))).isFalse();
    }
  }

  /// A release that stopped after its first step leaves the block unannounced while we go on
  /// assigning from it by memory.
  @ParameterizedTest
  @EnumSource(IpFamily.class)
  void a_release_that_died_after_marking_the_claim_is_undone_by_the_next_assignment(IpFamily family)
      throws Exception {
    try (Cluster cluster = new Cluster(family)) {
      Ipam ipam = cluster.ipam(Pools.of(cluster.pool(1, 6, 4)));
      Prefix block = Cluster.one(ipam.assign(cluster.request("a", "n1", 1))).block();
      KeyValue asRead = cluster.store.get(IpamKeys.block(block)).orElseThrow();
      cluster.claim("n1", block, PENDING_DELETION);
      assertThat(Cluster.one(ipam.assign(cluster.request("b", "n1", 1))).block()).isEqualTo(block);
      assertThat(ipam.ownBlocks("n1").confirmed()).containsExactly(block);
      assertThat(committed(cluster, Txn.delete(asRead))).isFalse();
      cluster.assertSound();
    }
  }

  /// #3246, #6867: two nodes with a claim to one block.
  @ParameterizedTest
  @EnumSource(IpFamily.class)
  void a_claim_to_what_became_anothers_block_is_dropped(IpFamily family) throws Exception {
    try (Cluster cluster = new Cluster(family)) {
      Pool pool = cluster.pool(1, 6, 4);
      Prefix theirs = cluster.block(pool, 0);
      cluster.put(Block.create(theirs, "host:n2", cluster.now));
      cluster.claim("n2", theirs, CONFIRMED);
      cluster.claim("n1", theirs, PENDING);
      Prefix nobodys = cluster.block(pool, 1);
      cluster.put(
          Block.create(nobodys, "host:n1", cluster.now)
              .take(1, Block.Attribute.of("old", Map.of()), _ -> false)
              .block()
              .withAffinity(Optional.empty()));
      cluster.put(IpamKeys.handle("old"), Handle.empty("old").adjusted(nobodys, 1).toJson());
      cluster.claim("n1", nobodys, CONFIRMED);
      Ipam ipam = cluster.ipam(Pools.of(pool));
      Assignment mine = Cluster.one(ipam.assign(cluster.request("a", "n1", 1)));
      assertThat(mine.block()).isNotIn(theirs, nobodys);
      cluster.assertSound();
    }
  }

  /// A block that names a node without a claim: nobody can use it, nobody announces it.
  @ParameterizedTest
  @EnumSource(IpFamily.class)
  void a_block_of_ours_without_a_claim_is_adopted_before_another_is_claimed(IpFamily family)
      throws Exception {
    try (Cluster cluster = new Cluster(family)) {
      Pool pool = cluster.pool(1, 6, 4);
      Prefix orphan = cluster.block(pool, 2);
      cluster.put(Block.create(orphan, "host:n1", cluster.now));
      Ipam ipam = cluster.ipam(Pools.of(pool));
      assertThat(Cluster.one(ipam.assign(cluster.request("a", "n1", 1))).block()).isEqualTo(orphan);
      cluster.assertSound();
    }
  }

  /// AssignIP's race for a new block: Calico's client answers with an error instead of trying the
  /// winner's block.
  @ParameterizedTest
  @EnumSource(IpFamily.class)
  void losing_the_race_to_create_a_block_leads_into_the_winners_block(IpFamily family)
      throws Exception {
    try (Cluster cluster = new Cluster(family)) {
      Pool pool = cluster.pool(1, 4, 4);
      Pools pools = Pools.of(pool);
      IpAddress wanted = pool.cidr().address().plus(9);
      CalicoNode rival = cluster.calico("n2", pools);
      Ipam ipam = cluster.ipam(pools);
      before(cluster, () -> rival.autoAssign("r", family, 1, Map.of("node", "n2")));
      Assignment mine = Cluster.one(ipam.assignIp(cluster.exactly(wanted, "a", "n1")));
      assertThat(mine.address()).isEqualTo(wanted);
      assertThat(mine.borrowed()).isTrue();
      assertThat(cluster.counted.conflicts).hasValue(1);
      cluster.assertSound();
    }
  }

  @ParameterizedTest
  @EnumSource(IpFamily.class)
  void losing_it_under_strict_affinity_is_a_clear_no(IpFamily family) throws Exception {
    try (Cluster cluster = new Cluster(family)) {
      cluster.put(IpamKeys.CONFIG, "{\"strict_affinity\":true,\"auto_allocate_blocks\":true}");
      Pool pool = cluster.pool(1, 4, 4);
      Pools pools = Pools.of(pool);
      Ipam ipam = cluster.ipam(pools);
      before(cluster, () -> cluster.calico("n2", pools).autoAssign("r", family, 1, Map.of()));
      assertThat(ipam.assignIp(cluster.exactly(pool.cidr().address().plus(9), "a", "n1")))
          .isInstanceOfSatisfying(
              AssignResult.Unavailable.class,
              no -> assertThat(no.reason()).contains("strictAffinity"));
      cluster.assertSound();
    }
  }

  @ParameterizedTest
  @EnumSource(IpFamily.class)
  void a_block_deleted_in_the_middle_is_claimed_again(IpFamily family) throws Exception {
    try (Cluster cluster = new Cluster(family)) {
      Pools pools = Pools.of(cluster.pool(1, 6, 4));
      Ipam ipam = cluster.ipam(pools);
      Assignment first = Cluster.one(ipam.assign(cluster.request("a", "n1", 1)));
      ipam.releaseByHandle("a", SameTxn.Extras.NONE);
      before(
          cluster,
          () ->
              assertThat(
                      cluster
                          .calico("op", pools)
                          .releaseAffinity("n1", first.block(), true, Optional.empty()))
                  .isTrue());
      cluster.now = cluster.now.plusSeconds(1);
      Assignment again = Cluster.one(ipam.assign(cluster.request("b", "n1", 1)));
      assertThat(again.sequenceNumber()).isGreaterThan(first.sequenceNumber());
      assertThat(ipam.ownBlocks("n1").confirmed()).contains(again.block());
      cluster.assertSound();
    }
  }

  @ParameterizedTest
  @EnumSource(IpFamily.class)
  void a_block_made_nobodys_in_the_middle_is_not_taken_for_own(IpFamily family) throws Exception {
    try (Cluster cluster = new Cluster(family)) {
      Pools pools = Pools.of(cluster.pool(1, 6, 4));
      Ipam ipam = cluster.ipam(pools);
      Assignment kept = Cluster.one(ipam.assign(cluster.request("a", "n1", 1)));
      before(
          cluster,
          () ->
              cluster
                  .calico("op", pools)
                  .releaseAffinity("n1", kept.block(), false, Optional.empty()));
      Assignment next = Cluster.one(ipam.assign(cluster.request("b", "n1", 1)));
      assertThat(next.block()).isNotEqualTo(kept.block());
      assertThat(cluster.stored(kept.block()).affinity()).isEmpty();
      assertThat(cluster.stored(kept.block()).claimedAt()).isEmpty();
      cluster.assertSound();
    }
  }

  /// The owner wakes up while its empty block is being taken over.
  @ParameterizedTest
  @EnumSource(IpFamily.class)
  void a_block_used_at_the_last_moment_is_not_taken_over(IpFamily family) throws Exception {
    try (Cluster cluster = new Cluster(family)) {
      cluster.put(IpamKeys.CONFIG, "{\"strict_affinity\":true,\"auto_allocate_blocks\":true}");
      Pools pools = Pools.of(cluster.pool(1, 2, 2));
      CalicoNode owner = cluster.calico("n2", pools);
      owner.autoAssign("x", family, 1, Map.of());
      owner.releaseByHandle("x");
      cluster.now = cluster.now.plusSeconds(61);
      Ipam ipam = cluster.ipam(pools);
      before(cluster, () -> assertThat(owner.autoAssign("y", family, 1, Map.of())).hasSize(1));
      assertThat(ipam.assign(cluster.request("a", "n1", 1)))
          .isInstanceOf(AssignResult.PoolExhausted.class);
      assertThat(cluster.counted.conflicts).hasValue(1);
      cluster.assertSound();
    }
  }

  /// #6001: what a client that died between block and confirmation left is not lost.
  @ParameterizedTest
  @EnumSource(IpFamily.class)
  void a_block_whose_claim_was_never_confirmed_is_taken_over_with_its_claim(IpFamily family)
      throws Exception {
    try (Cluster cluster = new Cluster(family)) {
      Pool pool = cluster.pool(1, 2, 2);
      Prefix block = cluster.block(pool, 0);
      cluster.claim("dead", block, PENDING);
      cluster.put(Block.create(block, "host:dead", cluster.now));
      cluster.now = cluster.now.plusSeconds(60);
      Ipam ipam = cluster.ipam(Pools.of(pool));
      assertThat(Cluster.one(ipam.assign(cluster.request("a", "n1", 1))).borrowed()).isFalse();
      assertThat(cluster.exists(IpamKeys.affinity("dead", block))).isFalse();
      cluster.assertSound();
    }
  }

  /// #5044, #12277: the handle is counted up, the block never written: DEL must not leave it, and
  /// the late write must not come through without a handle.
  @ParameterizedTest
  @EnumSource(IpFamily.class)
  void a_handle_counted_up_before_a_crash_goes_with_the_delete_and_the_late_write_fails(
      IpFamily family) throws Exception {
    try (Cluster cluster = new Cluster(family)) {
      Ipam ipam = cluster.ipam(Pools.of(cluster.pool(1, 6, 4)));
      Prefix block = Cluster.one(ipam.assign(cluster.request("a", "n1", 1))).block();
      KeyValue asRead = cluster.store.get(IpamKeys.block(block)).orElseThrow();
      cluster.put(IpamKeys.handle("late"), Handle.empty("late").adjusted(block, 1).toJson());
      assertThat(ipam.releaseByHandle("late", SameTxn.Extras.NONE))
          .isEqualTo(new ReleaseResult.Released(List.of()));
      assertThat(cluster.exists(IpamKeys.handle("late"))).isFalse();
      assertThat(committed(cluster, Txn.replace(asRead, asRead.value()))).isFalse();
      cluster.assertSound();
    }
  }

  /// The same when the pod is asked for again instead of deleted.
  @ParameterizedTest
  @EnumSource(IpFamily.class)
  void a_handle_that_promises_more_than_blocks_hold_is_corrected_by_the_next_add(IpFamily family)
      throws Exception {
    try (Cluster cluster = new Cluster(family)) {
      Ipam ipam = cluster.ipam(Pools.of(cluster.pool(1, 6, 4)));
      Prefix block = Cluster.one(ipam.assign(cluster.request("a", "n1", 1))).block();
      KeyValue asRead = cluster.store.get(IpamKeys.block(block)).orElseThrow();
      cluster.put(IpamKeys.handle("b"), Handle.empty("b").adjusted(block, 3).toJson());
      assertThat(Cluster.assigned(ipam.assign(cluster.request("b", "n1", 1)))).hasSize(1);
      assertThat(committed(cluster, Txn.replace(asRead, asRead.value()))).isFalse();
      cluster.assertSound();
    }
  }

  /// #12496, #11755: an address in use is freed by a release that speaks of yesterday's holder.
  @ParameterizedTest
  @EnumSource(IpFamily.class)
  void a_release_with_an_old_sequence_number_frees_nothing_even_of_the_same_handle(IpFamily family)
      throws Exception {
    try (Cluster cluster = new Cluster(family)) {
      Ipam ipam = cluster.ipam(Pools.of(cluster.pool(1, 0, 0)));
      Assignment old = Cluster.one(ipam.assign(cluster.request("a", "n1", 1)));
      ipam.releaseByHandle("a", SameTxn.Extras.NONE);
      ipam.releaseAffinities("n1");
      cluster.now = cluster.now.plusNanos(1);
      Assignment next = Cluster.one(ipam.assign(cluster.request("a", "n1", 1)));
      assertThat(next.address()).isEqualTo(old.address());
      Release stale =
          new Release(old.address(), Optional.of("a"), OptionalLong.of(old.sequenceNumber()));
      assertThat(ipam.releaseIps(List.of(stale))).first().isInstanceOf(ReleaseResult.Refused.class);
      assertThat(cluster.stored(next.block()).allocated()).hasSize(1);
      cluster.assertSound();
    }
  }

  /// Both families or none: what the first family got is not left behind.
  @Test
  void a_second_family_without_addresses_leaves_nothing_of_the_first() throws Exception {
    try (Cluster cluster = new Cluster(IpFamily.IPV4)) {
      Pool six = Pool.of("six", Prefix.parse("fd00:1::/128"), 128);
      Ipam ipam = cluster.ipam(Pools.of(cluster.pool(1, 6, 4), six));
      Cluster.one(
          ipam.assign(new AssignRequest("x", "n2", 0, 1, Map.of(), List.of(), SameTxn.nothing())));
      long revision = cluster.store.list(IpamKeys.ROOT).revision();
      assertThat(
              ipam.assign(
                  new AssignRequest("a", "n1", 1, 1, Map.of(), List.of(), SameTxn.nothing())))
          .isInstanceOf(AssignResult.PoolExhausted.class);
      assertThat(cluster.store.list(IpamKeys.ROOT).revision()).isEqualTo(revision);
    }
  }

  /// Our own process dies at any call: nothing needs repair but what the runtime's DEL does anyway.
  @ParameterizedTest
  @EnumSource(IpFamily.class)
  void our_own_death_at_any_call_leaves_all_of_a_claim_or_nothing(IpFamily family)
      throws Exception {
    for (boolean afterwards : new boolean[] {false, true}) {
      for (int call = 0; call < 8; call++) {
        try (Cluster cluster = new Cluster(family)) {
          Pools pools = Pools.of(cluster.pool(1, 6, 4));
          Stepper stepper = new Stepper(cluster.store, call);
          Stepper.Actor actor =
              stepper.add(
                  "ours",
                  call,
                  afterwards,
                  view -> {
                    try (Ipam ipam = new Ipam(view, () -> cluster.now, pools)) {
                      ipam.assign(cluster.request("a", "n1", 1));
                      ipam.releaseByHandle("a", SameTxn.Extras.NONE);
                      ipam.assign(cluster.request("b", "n1", 1));
                    }
                  });
          stepper.run();
          assertThat(actor.failure()).isEmpty();
          cluster.assertSound();
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(IpFamily.class)
  void settling_a_node_finishes_every_half_done_claim_and_touches_no_whole_one(IpFamily family)
      throws Exception {
    try (Cluster cluster = new Cluster(family)) {
      Pool pool = cluster.pool(1, 6, 2);
      Ipam ipam = cluster.ipam(Pools.of(pool));
      Prefix whole = cluster.block(pool, 0);
      cluster.put(Block.create(whole, "host:n1", cluster.now));
      cluster.put(IpamKeys.affinity("n1", whole), "");
      cluster.claim("n1", cluster.block(pool, 1), PENDING);
      cluster.put(Block.create(cluster.block(pool, 2), "host:n1", cluster.now));
      cluster.claim("n1", cluster.block(pool, 2), PENDING_DELETION);
      cluster.put(Block.create(cluster.block(pool, 3), "host:n2", cluster.now));
      cluster.claim("n2", cluster.block(pool, 3), CONFIRMED);
      cluster.claim("n1", cluster.block(pool, 3), PENDING);
      cluster.put(Block.create(cluster.block(pool, 4), "host:n1", cluster.now));
      KeyValue beingReleased =
          cluster.store.get(IpamKeys.block(cluster.block(pool, 2))).orElseThrow();
      assertThat(ipam.settleAffinities("n1")).isEqualTo(4);
      // The release that marked the claim may still be alive.
      assertThat(committed(cluster, Txn.delete(beingReleased))).isFalse();
      assertThat(ipam.ownBlocks("n1").confirmed())
          .containsExactly(whole, cluster.block(pool, 2), cluster.block(pool, 4));
      cluster.assertSound();
      assertThat(ipam.settleAffinities("n1")).isZero();
    }
  }
}
