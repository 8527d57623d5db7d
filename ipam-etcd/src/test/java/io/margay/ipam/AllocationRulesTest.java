package io.margay.ipam;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import io.margay.model.resource.PoolUse;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The order and the rules of assignment, in both families.
class AllocationRulesTest {

  private static Pool with(
      Pool pool, boolean automatic, Set<PoolUse> uses, String namespaces, String notServed) {
    return new Pool(
        pool.name(),
        pool.cidr(),
        pool.blockSize(),
        pool.disabled(),
        automatic,
        uses,
        pool.nodeSelector(),
        namespaces,
        notServed.isEmpty() ? Optional.empty() : Optional.of(notServed));
  }

  private static final Set<PoolUse> BOTH = Set.of(PoolUse.WORKLOAD, PoolUse.TUNNEL);

  @ParameterizedTest
  @EnumSource(IpFamily.class)
  void pools_serve_the_uses_they_allow(IpFamily family) throws Exception {
    try (Cluster cluster = new Cluster(family)) {
      Pool pods = with(cluster.pool(1, 6, 4), true, Set.of(PoolUse.WORKLOAD), "all()", "");
      Pool tunnels = with(cluster.pool(2, 6, 4), true, Set.of(PoolUse.TUNNEL), "all()", "");
      Pool services = with(cluster.pool(3, 6, 4), true, Set.of(PoolUse.LOAD_BALANCER), "all()", "");
      Ipam ipam = cluster.ipam(Pools.of(tunnels, services, pods));
      assertThat(Cluster.one(ipam.assign(cluster.request("a", "n1", 1))).address())
          .matches(pods.cidr()::contains);
      assertThat(
              Cluster.one(
                      ipam.assign(
                          cluster.request("b", "n1", 1).with(AssignTerms.of(PoolUse.TUNNEL))))
                  .address())
          .matches(tunnels.cidr()::contains);
      Assignment service =
          Cluster.one(
              ipam.assign(
                  cluster
                      .request("lb-1", "virtual:load-balancer", 1)
                      .with(AssignTerms.of(PoolUse.LOAD_BALANCER))));
      assertThat(cluster.stored(service.block()).affinity()).contains("virtual:load-balancer");
      assertThat(
              cluster.exists(
                  "/calico/ipam/v2/virtual/load-balancer/ipv"
                      + family.version()
                      + "/block/"
                      + service.block().toString().replace('/', '-')))
          .isTrue();
    }
  }

  @ParameterizedTest
  @EnumSource(IpFamily.class)
  void a_pool_for_some_namespaces_is_for_no_others_and_for_nobody_without_one(IpFamily family)
      throws Exception {
    try (Cluster cluster = new Cluster(family)) {
      Pool red = with(cluster.pool(1, 6, 4), true, BOTH, "team == 'red'", "");
      Ipam ipam =
          cluster.ipam(
              new Pools(
                  List.of(red), List.of(), (_, _) -> true, (_, name) -> name.equals("red-1")));
      Cluster.one(ipam.assign(cluster.request("a", "n1", 1).with(AssignTerms.pod("red-1"))));
      for (AssignTerms terms : List.of(AssignTerms.pod("blue"), AssignTerms.WORKLOAD)) {
        assertThat(ipam.assign(cluster.request("b", "n1", 1).with(terms)))
            .isInstanceOfSatisfying(
                AssignResult.NoPool.class,
                none -> assertThat(none.reason()).contains("namespaceSelector team == 'red'"));
      }
      Cluster.one(ipam.assign(cluster.named("c", "n1", red.cidr())));
    }
  }

  @ParameterizedTest
  @EnumSource(IpFamily.class)
  void named_pools_ignore_selectors_but_must_exist_be_enabled_and_be_served(IpFamily family)
      throws Exception {
    try (Cluster cluster = new Cluster(family)) {
      Pool manual = with(cluster.pool(1, 6, 4), false, Set.of(PoolUse.TUNNEL), "x == 'y'", "");
      Pool wrapped =
          with(cluster.pool(2, 6, 4), true, BOTH, "all()", "ipipMode Always would wrap packets");
      Pool off = new Pool("off", cluster.cidr(3, 6), family.bits() - 4, true, true, true, "all()");
      Ipam ipam =
          cluster.ipam(new Pools(List.of(manual, wrapped, off), List.of(), (_, _) -> false));
      Cluster.one(ipam.assign(cluster.named("a", "n1", manual.cidr())));
      record Refusal(Prefix pool, String why) {}
      for (Refusal refusal :
          List.of(
              new Refusal(wrapped.cidr(), "ipipMode Always"),
              new Refusal(off.cidr(), "off is disabled"),
              new Refusal(cluster.cidr(9, 6), "is no IPPool's cidr"))) {
        for (Prefix[] pools :
            List.of(new Prefix[] {refusal.pool}, new Prefix[] {manual.cidr(), refusal.pool})) {
          assertThat(ipam.assign(cluster.named("b", "n1", pools)))
              .isInstanceOfSatisfying(
                  AssignResult.NoPool.class,
                  none -> assertThat(none.reason()).contains(refusal.why));
        }
      }
      assertThat(ipam.assignIp(cluster.exactly(wrapped.cidr().address().plus(1), "b", "n1")))
          .isInstanceOfSatisfying(
              AssignResult.Unavailable.class,
              no -> assertThat(no.reason()).contains("ipipMode Always"));
      assertThat(ipam.assign(cluster.request("c", "n1", 1)))
          .isInstanceOfSatisfying(
              AssignResult.NoPool.class,
              none ->
                  assertThat(none.reason())
                      .contains("p1 is for requests that name it", "p2 is not served here"));
    }
  }

  /// A pool named for one family does not close the other.
  @Test
  void naming_pools_of_one_family_leaves_the_other_to_the_selectors() throws Exception {
    try (Cluster cluster = new Cluster(IpFamily.IPV4)) {
      Pool four = cluster.pool(1, 6, 4);
      Pool six = Pool.of("six", Prefix.parse("fd00:1::/122"), 124);
      Ipam ipam = cluster.ipam(Pools.of(four, six));
      AssignRequest both =
          new AssignRequest("h", "n1", 1, 1, Map.of(), List.of(four.cidr()), SameTxn.nothing());
      assertThat(Cluster.assigned(ipam.assign(both)))
          .extracting(held -> held.address().family())
          .containsExactly(IpFamily.IPV4, IpFamily.IPV6);
    }
  }

  /// calico.md section 10 row 14: a node keeps a block of a pool that no longer selects it.
  @ParameterizedTest
  @EnumSource(IpFamily.class)
  void an_empty_block_of_a_pool_that_no_longer_selects_the_node_is_given_back(IpFamily family)
      throws Exception {
    try (Cluster cluster = new Cluster(family)) {
      Pool old = cluster.pool(1, 6, 4);
      Pool next = cluster.pool(2, 6, 4);
      AtomicBoolean moved = new AtomicBoolean();
      Ipam ipam =
          cluster.ipam(
              new Pools(
                  List.of(old, next), List.of(), (pool, _) -> moved.get() == pool.equals(next)));
      Assignment used = Cluster.one(ipam.assign(cluster.request("a", "n1", 1)));
      assertThat(old.cidr().contains(used.address())).isTrue();
      moved.set(true);
      Assignment fresh = Cluster.one(ipam.assign(cluster.request("b", "n1", 1)));
      assertThat(next.cidr().contains(fresh.address())).isTrue();
      assertThat(cluster.stored(used.block()).isAffineTo("n1")).isTrue();
      // The last address of the block takes the block along.
      ipam.releaseByHandle("a", SameTxn.Extras.NONE);
      assertThat(cluster.exists(IpamKeys.block(used.block()))).isFalse();
      assertThat(cluster.exists(IpamKeys.affinity("n1", used.block()))).isFalse();
      // One that somebody else emptied goes with the next request.
      cluster.put(Block.create(used.block(), "host:n1", cluster.now));
      cluster.claim("n1", used.block(), BlockAffinity.State.CONFIRMED);
      Ipam restarted =
          cluster.ipam(new Pools(List.of(old, next), List.of(), (pool, _) -> pool.equals(next)));
      Cluster.one(restarted.assign(cluster.request("c", "n1", 1)));
      assertThat(cluster.exists(IpamKeys.block(used.block()))).isFalse();
      cluster.assertSound();
    }
  }

  /// ensureConsistentAffinity, for another node's block and by single address.
  @ParameterizedTest
  @EnumSource(IpFamily.class)
  void releasing_the_last_address_of_a_deselected_foreign_block_gives_it_back(IpFamily family)
      throws Exception {
    try (Cluster cluster = new Cluster(family)) {
      Pool pool = cluster.pool(1, 6, 4);
      AtomicBoolean selected = new AtomicBoolean(true);
      Pools pools = new Pools(List.of(pool), List.of(), (_, _) -> selected.get());
      Assignment held = Cluster.one(cluster.ipam(pools).assign(cluster.request("a", "n2", 1)));
      selected.set(false);
      Ipam gc = cluster.ipam(pools);
      assertThat(
              gc.releaseIps(
                  List.of(
                      new Release(
                          held.address(),
                          Optional.of("a"),
                          OptionalLong.of(held.sequenceNumber())))))
          .containsExactly(new ReleaseResult.Released(List.of(held.address())));
      assertThat(cluster.store.list(IpamKeys.ROOT).items()).isEmpty();
    }
  }

  /// calico.md section 10 row 12: the limit is the lower of the request's and the cluster's, counts
  /// blocks of usable pools only, and follows the settings at once.
  @ParameterizedTest
  @EnumSource(IpFamily.class)
  void the_block_limit_is_the_lower_of_both_and_follows_the_settings(IpFamily family)
      throws Exception {
    try (Cluster cluster = new Cluster(family)) {
      Ipam ipam = cluster.ipam(Pools.of(cluster.pool(1, 8, 0)));
      AssignTerms two = new AssignTerms(PoolUse.WORKLOAD, Optional.empty(), 2);
      Cluster.one(ipam.assign(cluster.request("a", "n1", 1).with(two)));
      Cluster.one(ipam.assign(cluster.request("b", "n1", 1).with(two)));
      assertThat(ipam.assign(cluster.request("c", "n1", 1).with(two)))
          .isEqualTo(new AssignResult.BlockLimit(family, 2));
      for (int i = 2; i < 20; i++) {
        Cluster.one(ipam.assign(cluster.request("d" + i, "n1", 1)));
      }
      assertThat(ipam.assign(cluster.request("e", "n1", 1)))
          .isEqualTo(new AssignResult.BlockLimit(family, 20));
      cluster.put(
          IpamKeys.CONFIG,
          "{\"strict_affinity\":true,\"auto_allocate_blocks\":true,\"maxBlocksPerHost\":21}");
      Cluster.one(ipam.assign(cluster.request("e", "n1", 1)));
      assertThat(ipam.assign(cluster.request("f", "n1", 1)))
          .isEqualTo(new AssignResult.BlockLimit(family, 21));
      cluster.assertSound();
    }
  }

  /// GC in another process frees what our memory takes for used.
  @ParameterizedTest
  @EnumSource(IpFamily.class)
  void a_full_node_at_its_limit_looks_again_before_it_refuses(IpFamily family) throws Exception {
    try (Cluster cluster = new Cluster(family)) {
      Pools pools = Pools.of(cluster.pool(1, 8, 2));
      Ipam ipam = cluster.ipam(pools);
      AssignTerms single = new AssignTerms(PoolUse.WORKLOAD, Optional.empty(), 1);
      Cluster.assigned(ipam.assign(cluster.request("a", "n1", 4).with(single)));
      cluster.ipam(pools).releaseByHandle("a", SameTxn.Extras.NONE);
      assertThat(Cluster.assigned(ipam.assign(cluster.request("b", "n1", 4).with(single))))
          .hasSize(4);
    }
  }

  @ParameterizedTest
  @EnumSource(IpFamily.class)
  void strict_affinity_holds_from_the_very_next_commit(IpFamily family) throws Exception {
    try (Cluster cluster = new Cluster(family)) {
      Ipam ipam = cluster.ipam(Pools.of(cluster.pool(1, 3, 2)));
      Cluster.one(ipam.assign(cluster.request("a", "n1", 1)));
      Cluster.one(ipam.assign(cluster.request("b", "n2", 1)));
      assertThat(Cluster.one(ipam.assign(cluster.request("c", "n3", 1))).borrowed()).isTrue();
      cluster.put(IpamKeys.CONFIG, "{\"strict_affinity\":true,\"auto_allocate_blocks\":true}");
      assertThat(ipam.assign(cluster.request("d", "n3", 1)))
          .isInstanceOfSatisfying(
              AssignResult.PoolExhausted.class,
              no -> assertThat(no.reason()).contains("strictAffinity"));
      assertThat(ipam.assignIp(cluster.exactly(cluster.cidr(1, 3).address().plus(3), "d", "n3")))
          .isInstanceOf(AssignResult.Unavailable.class);
    }
  }

  /// The small special pool: blocks stranded at nodes that don't use them.
  @ParameterizedTest
  @EnumSource(IpFamily.class)
  void an_empty_block_of_another_node_is_taken_over_after_a_minute(IpFamily family)
      throws Exception {
    try (Cluster cluster = new Cluster(family)) {
      Pool pool = cluster.pool(1, 2, 2);
      cluster.put(IpamKeys.CONFIG, "{\"strict_affinity\":true,\"auto_allocate_blocks\":true}");
      Ipam ipam = cluster.ipam(Pools.of(pool));
      Ipam theirs = cluster.ipam(Pools.of(pool));
      long before = Cluster.one(theirs.assign(cluster.request("a", "n1", 1))).sequenceNumber();
      theirs.releaseByHandle("a", SameTxn.Extras.NONE);
      cluster.now = cluster.now.plusSeconds(59);
      assertThat(ipam.assign(cluster.request("b", "n2", 1)))
          .isInstanceOf(AssignResult.PoolExhausted.class);
      cluster.now = cluster.now.plusSeconds(1);
      Assignment mine = Cluster.one(ipam.assign(cluster.request("b", "n2", 1)));
      assertThat(mine.borrowed()).isFalse();
      assertThat(mine.sequenceNumber()).isGreaterThan(before);
      assertThat(cluster.exists(IpamKeys.affinity("n1", mine.block()))).isFalse();
      cluster.assertSound();
      // The old owner finds out by its first commit and is not granted what is no longer its own.
      assertThat(theirs.assign(cluster.request("c", "n1", 1)))
          .isInstanceOf(AssignResult.PoolExhausted.class);
      cluster.assertSound();
    }
  }

  @ParameterizedTest
  @EnumSource(IpFamily.class)
  void a_block_whose_addresses_still_rest_is_not_taken_over(IpFamily family) throws Exception {
    try (Cluster cluster = new Cluster(family)) {
      cluster.put(
          IpamKeys.CONFIG,
          "{\"strict_affinity\":true,\"auto_allocate_blocks\":true,\"ipCooldownSeconds\":600}");
      Pools pools = Pools.of(cluster.pool(1, 2, 2));
      Ipam ipam = cluster.ipam(pools);
      Cluster.one(ipam.assign(cluster.request("a", "n1", 1)));
      // A release that is this process's first call obeys the cooldown too.
      cluster.ipam(pools).releaseByHandle("a", SameTxn.Extras.NONE);
      cluster.now = cluster.now.plusSeconds(599);
      assertThat(ipam.assign(cluster.request("b", "n2", 1)))
          .isInstanceOf(AssignResult.PoolExhausted.class);
      cluster.now = cluster.now.plusSeconds(1);
      Cluster.one(ipam.assign(cluster.request("b", "n2", 1)));
      cluster.assertSound();
    }
  }

  @ParameterizedTest
  @EnumSource(IpFamily.class)
  void single_address_blocks_are_searched_from_a_place_the_clock_gives(IpFamily family)
      throws Exception {
    try (Cluster cluster = new Cluster(family)) {
      Ipam ipam = cluster.ipam(Pools.of(cluster.pool(1, 8, 0)));
      Set<IpAddress> first = new HashSet<>();
      for (int second = 0; second < 8; second++) {
        first.add(Cluster.one(ipam.assign(cluster.request("h" + second, "n1", 1))).address());
        ipam.releaseByHandle("h" + second, SameTxn.Extras.NONE);
        ipam.releaseAffinities("n1");
        cluster.now = cluster.now.plusNanos(37);
      }
      assertThat(first).hasSize(8);
    }
  }

  @ParameterizedTest
  @EnumSource(IpFamily.class)
  void a_pool_recreated_with_another_block_size_makes_no_overlapping_blocks(IpFamily family)
      throws Exception {
    try (Cluster cluster = new Cluster(family)) {
      Pool small = cluster.pool(1, 6, 2);
      Ipam ipam = cluster.ipam(Pools.of(small));
      IpAddress base = small.cidr().address();
      Cluster.one(ipam.assignIp(cluster.exactly(base.plus(5), "a", "n1")));
      ipam.setPools(Pools.of(cluster.pool(1, 6, 4)));
      // In the old block's place the old block is used; around it nothing new is made.
      assertThat(Cluster.one(ipam.assignIp(cluster.exactly(base.plus(6), "b", "n1"))).block())
          .isEqualTo(cluster.block(small, 1));
      assertThat(ipam.assignIp(cluster.exactly(base.plus(9), "c", "n1")))
          .isInstanceOfSatisfying(
              AssignResult.Unavailable.class, no -> assertThat(no.reason()).contains("overlap"));
      Cluster.assigned(ipam.assign(cluster.request("d", "n1", 16)));
      cluster.assertSound();
    }
  }

  @ParameterizedTest
  @EnumSource(IpFamily.class)
  void an_address_for_a_stated_use_must_lie_in_a_pool_for_it(IpFamily family) throws Exception {
    try (Cluster cluster = new Cluster(family)) {
      Pool pool = with(cluster.pool(1, 6, 4), true, Set.of(PoolUse.WORKLOAD), "all()", "");
      Ipam ipam = cluster.ipam(Pools.of(pool));
      IpAddress address = pool.cidr().address().plus(3);
      AssignIpRequest tunnel =
          new AssignIpRequest(
              address, "t", "n1", Map.of(), SameTxn.nothing(), Optional.of(PoolUse.TUNNEL));
      assertThat(ipam.assignIp(tunnel))
          .isInstanceOfSatisfying(
              AssignResult.Unavailable.class,
              no -> assertThat(no.reason()).contains("allowedUses"));
      Cluster.one(ipam.assignIp(cluster.exactly(address, "t", "n1")));
    }
  }

  @ParameterizedTest
  @EnumSource(IpFamily.class)
  void reuse_is_longest_free_first_over_the_whole_block(IpFamily family) throws Exception {
    try (Cluster cluster = new Cluster(family)) {
      Ipam ipam = cluster.ipam(Pools.of(cluster.pool(1, 2, 2)));
      List<IpAddress> order = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        order.add(Cluster.one(ipam.assign(cluster.request("h" + i, "n1", 1))).address());
      }
      for (int i : new int[] {2, 0, 3, 1}) {
        ipam.releaseByHandle("h" + i, SameTxn.Extras.NONE);
      }
      for (int i : new int[] {2, 0, 3, 1}) {
        assertThat(Cluster.one(ipam.assign(cluster.request("again" + i, "n1", 1))).address())
            .isEqualTo(order.get(i));
      }
    }
  }
}
