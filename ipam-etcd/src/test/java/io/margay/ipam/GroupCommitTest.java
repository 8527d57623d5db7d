package io.margay.ipam;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.margay.datastore.CommitResult;
import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.InMemoryDatastore;
import io.margay.datastore.KeyValue;
import io.margay.datastore.Txn;
import io.margay.ipam.care.Finding;
import io.margay.ipam.care.FindingKind;
import io.margay.ipam.care.IpamCheck;
import io.margay.model.net.Prefix;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Many callers, few transactions: at most forty requests each, and never more operations than etcd
/// takes.
class GroupCommitTest {

  private final Instant now = Instant.parse("2026-11-23T10:00:00Z");
  private final InMemoryDatastore memory = new InMemoryDatastore();
  private final Gate store = new Gate(memory);
  private final ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor();
  private final Ipam ipam =
      new Ipam(
          store,
          () -> now,
          Pools.of(
              Pool.of("v4", Prefix.parse("10.8.0.0/16"), 26),
              Pool.of("v6", Prefix.parse("fd00:8::/64"), 122)));

  @AfterEach
  void close() {
    ipam.close();
    callers.close();
    memory.close();
  }

  /// A store that can be held shut before a commit and remembers every transaction; it refuses what
  /// etcd would, and values larger than it takes.
  private static final class Gate extends ForwardingDatastore {
    private final List<Txn> txns = new CopyOnWriteArrayList<>();
    private volatile CountDownLatch shut = new CountDownLatch(0);

    Gate(Datastore real) {
      super(real);
    }

    @Override
    public CommitResult commit(Txn txn) throws DatastoreException {
      txns.add(txn);
      try {
        shut.await();
      } catch (InterruptedException stop) {
        Thread.currentThread().interrupt();
      }
      for (Txn.Write write : txn.writes()) {
        if (write instanceof Txn.Write.Put(String key, String value) && value.length() > 100_000) {
          throw new DatastoreException(
              DatastoreException.Kind.INVALID, "gate", key + " is too large");
        }
      }
      return super.commit(txn);
    }
  }

  private static AssignRequest request(String handle, String node, SameTxn sameTxn) {
    return new AssignRequest("net." + handle, node, 1, 1, Map.of("node", node), List.of(), sameTxn);
  }

  private static SameTxn endpoint(String handle, String value) {
    String key = IpamCheck.ENDPOINTS + "n/" + handle;
    return _ ->
        new SameTxn.Extras(
            List.of(new Txn.Condition.Absent(key)), List.of(new Txn.Write.Put(key, value)));
  }

  /// Lets one request hold the committer while the others gather, then lets all go.
  private List<Future<AssignResult>> together(List<AssignRequest> requests) throws Exception {
    CountDownLatch open = new CountDownLatch(1);
    store.shut = open;
    int before = store.txns.size();
    List<Future<AssignResult>> answers = new ArrayList<>();
    Future<AssignResult> first =
        callers.submit(() -> ipam.assign(request("first", "n1", SameTxn.nothing())));
    while (store.txns.size() == before) {
      Thread.onSpinWait();
    }
    for (AssignRequest request : requests) {
      answers.add(callers.submit(() -> ipam.assign(request)));
    }
    while (ipam.waiting() < requests.size()) {
      Thread.onSpinWait();
    }
    store.txns.clear();
    open.countDown();
    Cluster.assigned(first.get());
    return answers;
  }

  private void warm(String node) throws DatastoreException {
    Cluster.assigned(ipam.assign(request("warm-" + node, node, SameTxn.nothing())));
  }

  @ParameterizedTest
  @CsvSource({"40, 1", "41, 2", "80, 2", "81, 3"})
  void forty_requests_share_a_transaction_and_one_more_needs_another(int count, int transactions)
      throws Exception {
    warm("n1");
    List<AssignRequest> requests = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      requests.add(request("h" + i, "n1", endpoint("h" + i, "{}")));
    }
    for (Future<AssignResult> answer : together(requests)) {
      Cluster.assigned(answer.get());
    }
    // The blocks of 64 hold them all at 40; beyond, a new block may take a transaction of its own.
    assertThat(store.txns.size()).isBetween(transactions, transactions + 1);
    assertThat(store.txns.stream().filter(txn -> txn.writes().size() >= 40 * 2)).isNotEmpty();
  }

  /// Each from its own node with no block yet: two blocks, two claims, a handle and an endpoint.
  @Test
  void forty_requests_at_their_worst_never_exceed_what_etcd_takes() throws Exception {
    for (int node = 0; node < 40; node++) {
      assertThat(ipam.releaseByHandle("none" + node, SameTxn.Extras.NONE)).isNotNull();
    }
    List<AssignRequest> requests = new ArrayList<>();
    for (int node = 0; node < 40; node++) {
      requests.add(request("h" + node, "node" + node, endpoint("h" + node, "{}")));
    }
    for (Future<AssignResult> answer : together(requests)) {
      Cluster.assigned(answer.get());
    }
    int largest = 0;
    for (Txn txn : store.txns) {
      assertThat(txn.conditions()).hasSizeLessThanOrEqualTo(Txn.MAX_OPERATIONS);
      assertThat(txn.writes()).hasSizeLessThanOrEqualTo(Txn.MAX_OPERATIONS);
      largest = Math.max(largest, txn.writes().size());
    }
    // 21 of them fit: 126 writes, and 126 conditions beside that on the settings.
    assertThat(largest).isEqualTo(126);
    assertThat(IpamCheck.run(memory).findings().stream().map(Finding::kind))
        .doesNotContain(
            FindingKind.BLOCK_WITHOUT_CLAIM,
            FindingKind.CLAIM_WITHOUT_BLOCK,
            FindingKind.HANDLE_MISSING,
            FindingKind.HANDLE_MISCOUNTS);
  }

  @Test
  void requests_with_all_the_extras_they_may_have_are_spread_over_transactions() throws Exception {
    warm("n1");
    List<AssignRequest> requests = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      int number = i;
      requests.add(
          request(
              "h" + i,
              "n1",
              _ -> {
                List<Txn.Condition> conditions = new ArrayList<>();
                List<Txn.Write> writes = new ArrayList<>();
                for (int extra = 0; extra < SameTxn.Extras.MAX_OPERATIONS; extra++) {
                  conditions.add(new Txn.Condition.Absent("/x/" + number + "/" + extra));
                  writes.add(new Txn.Write.Put("/x/" + number + "/" + extra, "v"));
                }
                return new SameTxn.Extras(conditions, writes);
              }));
    }
    for (Future<AssignResult> answer : together(requests)) {
      Cluster.assigned(answer.get());
    }
    assertThat(store.txns)
        .allMatch(
            txn ->
                txn.conditions().size() <= Txn.MAX_OPERATIONS
                    && txn.writes().size() <= Txn.MAX_OPERATIONS);
    assertThat(memory.list("/x/").items()).hasSize(40 * SameTxn.Extras.MAX_OPERATIONS);
  }

  @Test
  void a_request_the_store_refuses_fails_alone() throws Exception {
    warm("n1");
    List<AssignRequest> requests = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      requests.add(request("h" + i, "n1", endpoint("h" + i, i == 17 ? "x".repeat(100_001) : "{}")));
    }
    assertOnlyOneFails(together(requests), 17, "too large");
  }

  @Test
  void a_request_whose_handle_cannot_be_read_fails_alone() throws Exception {
    warm("n1");
    memory.commit(Txn.create(IpamKeys.handle("net.h17"), "{broken"));
    List<AssignRequest> requests = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      requests.add(request("h" + i, "n1", endpoint("h" + i, "{}")));
    }
    assertOnlyOneFails(together(requests), 17, "net.h17");
    assertThat(memory.get(IpamKeys.handle("net.h17"))).map(KeyValue::value).contains("{broken");
  }

  @Test
  void a_request_whose_own_condition_fails_is_refused_alone() throws Exception {
    warm("n1");
    memory.commit(Txn.create(IpamCheck.ENDPOINTS + "n/h17", "taken"));
    List<AssignRequest> requests = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      requests.add(request("h" + i, "n1", endpoint("h" + i, "{}")));
    }
    List<Future<AssignResult>> answers = together(requests);
    for (int i = 0; i < 40; i++) {
      if (i == 17) {
        assertThat(answers.get(i).get()).isInstanceOf(AssignResult.ExtraConflict.class);
      } else {
        Cluster.assigned(answers.get(i).get());
      }
    }
    assertThat(store.txns.size()).isEqualTo(2);
  }

  private static void assertOnlyOneFails(
      List<Future<AssignResult>> answers, int which, String message) throws Exception {
    for (int i = 0; i < answers.size(); i++) {
      Future<AssignResult> answer = answers.get(i);
      if (i == which) {
        assertThatThrownBy(answer::get).hasMessageContaining(message);
      } else {
        Cluster.assigned(answer.get());
      }
    }
  }

  @Test
  void one_request_too_large_for_any_transaction_is_told_to_ask_for_less() throws Exception {
    memory.commit(
        Txn.create(
            IpamKeys.CONFIG,
            "{\"strict_affinity\":true,\"auto_allocate_blocks\":true,\"maxBlocksPerHost\":100}"));
    ipam.setPools(
        Pools.of(
            Pool.of("v4", Prefix.parse("10.8.0.0/24"), 32),
            Pool.of("v6", Prefix.parse("fd00:8::/120"), 128)));
    assertThatThrownBy(
            () ->
                ipam.assign(
                    new AssignRequest("h", "n1", 32, 32, Map.of(), List.of(), SameTxn.nothing())))
        .isInstanceOf(DatastoreException.class)
        .hasMessageContaining("ask for fewer addresses");
    assertThat(memory.list(IpamKeys.BLOCKS).items()).isEmpty();
    Cluster.assigned(
        ipam.assign(new AssignRequest("h", "n1", 31, 31, Map.of(), List.of(), SameTxn.nothing())));
  }
}
