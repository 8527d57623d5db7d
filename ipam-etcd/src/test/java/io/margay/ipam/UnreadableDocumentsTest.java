package io.margay.ipam;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.type;

import io.margay.datastore.DatastoreException;
import io.margay.datastore.KeyValue;
import io.margay.datastore.Txn;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// A document that can't be read fails who needs it, at once and by name, and nobody else.
class UnreadableDocumentsTest {

  private static final String BROKEN = "{broken";

  /// Node n1 with a pod in each of two pools: `other` in the first, `victim` in the second.
  private static final class Scene implements AutoCloseable {
    final Cluster cluster;
    final Pool first;
    final Pool second;
    final Pools pools;
    final Ipam ipam;
    final Assignment victim;

    Scene(IpFamily family) throws DatastoreException {
      cluster = new Cluster(family);
      first = cluster.pool(1, 8, 4);
      second = cluster.pool(2, 8, 4);
      pools = Pools.of(first, second);
      ipam = cluster.ipam(pools);
      Cluster.assigned(ipam.assign(cluster.named("other", "n1", first.cidr())));
      victim = Cluster.one(ipam.assign(cluster.named("victim", "n1", second.cidr())));
    }

    String victimsBlock() {
      return IpamKeys.block(victim.block());
    }

    /// Has `request` share its group with others, who must not notice; each says how it ended.
    Future<?> amongOthers(Callable<?> request) throws Exception {
      CountDownLatch open = new CountDownLatch(1);
      int before = cluster.counted.commits.get();
      cluster.counted.beforeNextCommit = () -> await(open);
      List<Future<AssignResult>> others = new ArrayList<>();
      Future<?> asked;
      try (ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
        others.add(callers.submit(() -> ipam.assign(named("holds-the-committer"))));
        while (cluster.counted.commits.get() == before) {
          Thread.onSpinWait();
        }
        asked = callers.submit(request);
        for (int i = 0; i < 4; i++) {
          String handle = "beside" + i;
          others.add(callers.submit(() -> ipam.assign(named(handle))));
        }
        while (ipam.waiting() < 5) {
          Thread.onSpinWait();
        }
        cluster.counted.conflicts.set(0);
        open.countDown();
      }
      for (Future<AssignResult> other : others) {
        Cluster.assigned(other.get());
      }
      // Whoever believed the document to be as it was costs one attempt.
      assertThat(cluster.counted.conflicts.get()).isLessThanOrEqualTo(1);
      return asked;
    }

    private AssignRequest named(String handle) {
      return cluster.named(handle, "n1", first.cidr());
    }

    @Override
    public void close() {
      cluster.close();
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException stop) {
      Thread.currentThread().interrupt();
    }
  }

  private static void assertNames(Future<?> answer, String key) {
    assertThatThrownBy(answer::get)
        .cause()
        .asInstanceOf(type(DatastoreException.class))
        .satisfies(
            failure -> {
              assertThat(failure.kind()).isEqualTo(DatastoreException.Kind.INVALID);
              assertThat(failure).hasMessageContainingAll(key, "margay ipam repair --apply");
            });
  }

  @ParameterizedTest
  @EnumSource(IpFamily.class)
  void a_release_that_needs_an_unreadable_block_fails_alone(IpFamily family) throws Exception {
    try (Scene scene = new Scene(family)) {
      String mended = scene.cluster.stored(scene.victim.block()).toJson();
      scene.cluster.put(scene.victimsBlock(), BROKEN);
      assertNames(
          scene.amongOthers(() -> scene.ipam.releaseByHandle("victim", SameTxn.Extras.NONE)),
          scene.victimsBlock());
      assertThat(scene.cluster.exists(IpamKeys.handle("victim"))).isTrue();

      scene.cluster.put(scene.victimsBlock(), mended);
      assertThat(scene.ipam.releaseByHandle("victim", SameTxn.Extras.NONE))
          .isEqualTo(new ReleaseResult.Released(List.of(scene.victim.address())));
      scene.cluster.assertSound();
    }
  }

  /// Its handle may hold an address there: another one beside it would be one too many.
  @ParameterizedTest
  @EnumSource(IpFamily.class)
  void an_assignment_whose_handle_names_an_unreadable_block_fails_alone(IpFamily family)
      throws Exception {
    try (Scene scene = new Scene(family)) {
      scene.cluster.put(scene.victimsBlock(), BROKEN);
      assertNames(
          scene.amongOthers(() -> scene.ipam.assign(scene.cluster.request("victim", "n1", 1))),
          scene.victimsBlock());
    }
  }

  @ParameterizedTest
  @EnumSource(IpFamily.class)
  void an_unreadable_handle_fails_its_holder_alone_until_it_is_mended(IpFamily family)
      throws Exception {
    try (Scene scene = new Scene(family)) {
      String key = IpamKeys.handle("victim");
      String mended = scene.cluster.store.get(key).orElseThrow().value();
      scene.cluster.put(key, BROKEN);
      List<Callable<?>> requests =
          List.of(
              () -> scene.ipam.releaseByHandle("victim", SameTxn.Extras.NONE),
              () -> scene.ipam.assign(scene.cluster.request("victim", "n1", 1)),
              () ->
                  scene.ipam.assignIp(
                      scene.cluster.exactly(scene.victim.address(), "victim", "n1")));
      for (Callable<?> request : requests) {
        assertNames(scene.amongOthers(request), key);
      }
      scene.cluster.put(key, mended);
      assertThat(Cluster.one(scene.ipam.assign(scene.cluster.request("victim", "n1", 1))))
          .isEqualTo(scene.victim);
    }
  }

  @ParameterizedTest
  @EnumSource(IpFamily.class)
  void a_block_whose_claim_cannot_be_read_is_passed_over(IpFamily family) throws Exception {
    try (Scene scene = new Scene(family)) {
      Prefix wanted = scene.victim.block();
      scene.ipam.releaseByHandle("victim", SameTxn.Extras.NONE);
      scene.ipam.releaseAffinities("n1");
      assertThat(scene.cluster.exists(IpamKeys.block(wanted))).isFalse();
      scene.cluster.put(IpamKeys.affinity("n1", wanted), BROKEN);

      Ipam fresh = scene.cluster.ipam(scene.pools);
      AssignRequest request = scene.cluster.named("victim", "n1", scene.second.cidr());
      assertThat(Cluster.one(fresh.assign(request)).block()).isNotEqualTo(wanted);
      assertThat(scene.cluster.store.get(IpamKeys.affinity("n1", wanted)))
          .map(KeyValue::value)
          .contains(BROKEN);
    }
  }

  @ParameterizedTest
  @EnumSource(IpFamily.class)
  void an_address_in_an_unreadable_block_is_not_called_free(IpFamily family) throws Exception {
    try (Scene scene = new Scene(family)) {
      scene.cluster.put(scene.victimsBlock(), BROKEN);
      Release release = new Release(scene.victim.address(), Optional.empty(), OptionalLong.empty());
      for (Pools pools : List.of(scene.pools, Pools.none())) {
        Ipam fresh = scene.cluster.ipam(pools);
        assertThat(fresh.releaseIps(List.of(release)))
            .singleElement()
            .asInstanceOf(type(ReleaseResult.Refused.class))
            .satisfies(
                refused ->
                    assertThat(refused.reason())
                        .contains(scene.victimsBlock(), "margay ipam repair --apply"));
      }
    }
  }

  @ParameterizedTest
  @EnumSource(IpFamily.class)
  void an_address_whose_handle_cannot_be_read_is_refused_and_others_are_freed(IpFamily family)
      throws Exception {
    try (Scene scene = new Scene(family)) {
      Assignment third =
          Cluster.one(scene.ipam.assign(scene.cluster.named("third", "n1", scene.first.cidr())));
      scene.cluster.put(IpamKeys.handle("victim"), BROKEN);
      List<ReleaseResult> answers =
          scene
              .cluster
              .ipam(scene.pools)
              .releaseIps(
                  List.of(
                      new Release(scene.victim.address(), Optional.empty(), OptionalLong.empty()),
                      new Release(third.address(), Optional.empty(), OptionalLong.empty())));
      assertThat(answers.getFirst())
          .asInstanceOf(type(ReleaseResult.Refused.class))
          .satisfies(refused -> assertThat(refused.reason()).contains(IpamKeys.handle("victim")));
      assertThat(answers.getLast()).isEqualTo(new ReleaseResult.Released(List.of(third.address())));
    }
  }

  @ParameterizedTest
  @EnumSource(IpFamily.class)
  void an_unreadable_block_that_a_person_deleted_is_unreadable_no_more(IpFamily family)
      throws Exception {
    try (Scene scene = new Scene(family)) {
      scene.cluster.put(scene.victimsBlock(), BROKEN);
      AssignIpRequest request = scene.cluster.exactly(scene.victim.address(), "next", "n1");
      assertThat(scene.ipam.assignIp(request))
          .asInstanceOf(type(AssignResult.Unavailable.class))
          .satisfies(refused -> assertThat(refused.reason()).contains(scene.victimsBlock()));
      scene.cluster.store.commit(Txn.builder().delete(scene.victimsBlock()).build());
      assertThat(Cluster.one(scene.ipam.assignIp(request)).block()).isEqualTo(scene.victim.block());
    }
  }

  @ParameterizedTest
  @EnumSource(IpFamily.class)
  void listings_of_blocks_leave_it_out(IpFamily family) throws Exception {
    try (Scene scene = new Scene(family)) {
      scene.cluster.put(scene.victimsBlock(), BROKEN);
      assertThat(scene.ipam.listBlocks())
          .singleElement()
          .satisfies(block -> assertThat(scene.first.cidr().contains(block.cidr())).isTrue());
    }
  }

  @ParameterizedTest
  @EnumSource(IpFamily.class)
  void claims_are_settled_around_what_cannot_be_read(IpFamily family) throws Exception {
    try (Scene scene = new Scene(family)) {
      Cluster cluster = scene.cluster;
      Prefix unreadableBlock = cluster.block(scene.second, 14);
      Prefix unfinished = cluster.block(scene.second, 15);
      String unreadableClaim = IpamKeys.affinity("n1", scene.victim.block());
      cluster.put(unreadableClaim, BROKEN);
      cluster.put(IpamKeys.block(unreadableBlock), BROKEN);
      cluster.claim("n1", unreadableBlock, BlockAffinity.State.PENDING);
      cluster.put(Block.create(unfinished, Block.hostAffinity("n1"), cluster.now));
      cluster.claim("n1", unfinished, BlockAffinity.State.PENDING);

      assertThat(scene.ipam.settleAffinities("n1")).isEqualTo(1);
      assertThat(cluster.store.get(IpamKeys.affinity("n1", unfinished)))
          .map(KeyValue::value)
          .hasValueSatisfying(claim -> assertThat(claim).contains("confirmed"));
      assertThat(cluster.store.get(unreadableClaim)).map(KeyValue::value).contains(BROKEN);
      assertThat(cluster.store.get(IpamKeys.affinity("n1", unreadableBlock)))
          .map(KeyValue::value)
          .hasValueSatisfying(claim -> assertThat(claim).contains("pending"));
      assertThat(scene.ipam.settleAffinities("n1")).isZero();
    }
  }

  @ParameterizedTest
  @EnumSource(IpFamily.class)
  void claims_to_readable_blocks_are_given_back_and_others_stay(IpFamily family) throws Exception {
    try (Scene scene = new Scene(family)) {
      scene.cluster.put(scene.victimsBlock(), BROKEN);
      assertThat(scene.ipam.releaseAffinities("n1")).isEqualTo(1);
      assertThat(scene.cluster.store.list(IpamKeys.affinities("n1")).items())
          .extracting(KeyValue::key)
          .containsExactly(IpamKeys.affinity("n1", scene.victim.block()));
    }
  }

  @ParameterizedTest
  @EnumSource(IpFamily.class)
  void without_readable_settings_nothing_is_assigned_and_all_is_given_back(IpFamily family)
      throws Exception {
    try (Scene scene = new Scene(family)) {
      Cluster cluster = scene.cluster;
      cluster.put(IpamKeys.CONFIG, BROKEN);
      Ipam fresh = cluster.ipam(scene.pools);
      AssignRequest request = cluster.named("next", "n1", scene.first.cidr());
      for (Callable<?> needsThem :
          List.<Callable<?>>of(() -> fresh.assign(request), fresh::config)) {
        assertThatThrownBy(needsThem::call)
            .asInstanceOf(type(DatastoreException.class))
            .satisfies(
                failure -> {
                  assertThat(failure.kind()).isEqualTo(DatastoreException.Kind.INVALID);
                  assertThat(failure)
                      .hasMessageContainingAll(IpamKeys.CONFIG, "margay ipam configure");
                });
      }
      assertThat(fresh.releaseByHandle("victim", SameTxn.Extras.NONE))
          .isEqualTo(new ReleaseResult.Released(List.of(scene.victim.address())));
      assertThat(fresh.releaseAffinities("n1")).isEqualTo(2);

      cluster.put(IpamKeys.CONFIG, "{\"auto_allocate_blocks\":true}");
      Cluster.assigned(fresh.assign(request));
    }
  }

  @ParameterizedTest
  @EnumSource(IpFamily.class)
  void who_knew_the_settings_goes_by_what_they_said(IpFamily family) throws Exception {
    try (Scene scene = new Scene(family)) {
      Cluster cluster = scene.cluster;
      cluster.put(
          IpamKeys.CONFIG,
          "{\"strict_affinity\":true,\"auto_allocate_blocks\":true,\"maxBlocksPerHost\":1}");
      Ipam knows = cluster.ipam(scene.pools);
      Cluster.assigned(knows.assign(cluster.named("pod0", "n2", scene.first.cidr())));
      cluster.put(IpamKeys.CONFIG, BROKEN);
      for (int i = 1; i < 16; i++) {
        Cluster.assigned(knows.assign(cluster.named("pod" + i, "n2", scene.first.cidr())));
      }
      assertThat(knows.assign(cluster.named("pod16", "n2", scene.first.cidr())))
          .as("beyond the one block")
          .isInstanceOf(AssignResult.BlockLimit.class);
    }
  }
}
