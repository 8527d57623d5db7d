package io.margay.ipam;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.InMemoryDatastore;
import io.margay.datastore.KeyValue;
import io.margay.datastore.Txn;
import io.margay.ipam.care.IpamCheck;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AddressReserveTest {

  private static final Set<IpFamily> BOTH = EnumSet.allOf(IpFamily.class);
  private static final Pools POOLS =
      Pools.of(
          Pool.of("v4", Prefix.parse("10.8.0.0/24"), 28),
          Pool.of("v6", Prefix.parse("fd00:8::/120"), 124));

  @TempDir private Path directory;

  private final InMemoryDatastore store = new InMemoryDatastore();
  private Instant now = Instant.parse("2026-11-23T10:00:00Z");
  private final List<AutoCloseable> opened = new ArrayList<>();
  private final Ipam ipam = ipam(new FaultyDatastore(store, 1, 0, 0));

  @AfterEach
  void close() throws Exception {
    for (AutoCloseable each : opened) {
      each.close();
    }
    store.close();
  }

  private Ipam ipam(Datastore view) {
    Ipam made = new Ipam(view, () -> now, POOLS);
    opened.add(made);
    return made;
  }

  private Path file() {
    return directory.resolve("reserve.journal");
  }

  private AddressReserve open(int size) throws IOException {
    return open(file(), size, "boot1");
  }

  private AddressReserve open(Path file, int size, String bootId) throws IOException {
    AddressReserve made = AddressReserve.open(file, "n1", size, () -> now, bootId);
    opened.add(made);
    return made;
  }

  private static String key(String pod) {
    return IpamCheck.ENDPOINTS + "ns/" + pod;
  }

  private static AddressReserve.Taker taker(String pod, Set<IpFamily> families) {
    return new AddressReserve.Taker(
        "net." + pod,
        families,
        List.of(),
        Map.of("pod", pod, "namespace", "ns", "node", "n1"),
        key(pod));
  }

  private static String document(List<IpAddress> addresses) {
    return "{\"spec\":{\"ipNetworks\":"
        + addresses.stream().map(each -> "\"" + each + "\"").toList()
        + "}}";
  }

  private static List<IpAddress> take(AddressReserve reserve, String pod) throws IOException {
    ReserveResult result = reserve.take(taker(pod, BOTH), AddressReserveTest::document);
    assertThat(result).isInstanceOf(ReserveResult.Taken.class);
    return ((ReserveResult.Taken) result).addresses();
  }

  private Map<IpAddress, String> held() throws DatastoreException {
    Map<IpAddress, String> held = new TreeMap<>();
    for (Block block : ipam.listBlocks()) {
      block
          .allocated()
          .forEach(each -> held.put(each.address(), each.holder().cleanHandleId().orElseThrow()));
    }
    return held;
  }

  private void assertSound() throws DatastoreException {
    assertThat(IpamCheck.run(store).findings()).isEmpty();
  }

  @Test
  void it_keeps_so_many_of_each_pool_and_fills_up_what_is_missing() throws Exception {
    AddressReserve reserve = open(5);
    reserve.topUp(ipam);
    assertThat(reserve.spare(IpFamily.IPV4)).isEqualTo(5);
    assertThat(reserve.spare(IpFamily.IPV6)).isEqualTo(5);
    assertThat(held()).hasSize(10).containsValue("margay-reserve.n1");
    long revision = store.list(IpamKeys.BLOCKS).items().getFirst().modRevision();
    reserve.topUp(ipam);
    assertThat(store.list(IpamKeys.BLOCKS).items().getFirst().modRevision()).isEqualTo(revision);
    assertSound();
  }

  @Test
  void a_handle_that_cannot_be_read_keeps_no_other_pod_waiting() throws Exception {
    AddressReserve reserve = open(4);
    reserve.topUp(ipam);
    take(reserve, "a");
    take(reserve, "b");
    store.commit(Txn.builder().put(IpamKeys.handle("net.a"), "{broken").build());
    assertThat(reserve.reconcile(ipam))
        .satisfiesExactlyInAnyOrder(
            each ->
                assertThat(each)
                    .isInstanceOfSatisfying(
                        Reconciled.Stuck.class,
                        stuck -> assertThat(stuck.reason()).contains(IpamKeys.handle("net.a"))),
            each ->
                assertThat(each)
                    .isInstanceOf(Reconciled.Moved.class)
                    .extracting(Reconciled::handleId)
                    .isEqualTo("net.b"));
    assertThat(held()).containsValue("net.b");
    assertThat(reserve.isUnsettled()).isTrue();

    store.commit(Txn.builder().delete(IpamKeys.handle("net.a")).build());
    assertThat(reserve.reconcile(ipam)).singleElement().isInstanceOf(Reconciled.Moved.class);
    assertThat(reserve.isUnsettled()).isFalse();
    assertSound();
  }

  @Test
  void away_from_the_store_pods_are_served_and_reconciled_when_it_is_back() throws Exception {
    AddressReserve reserve = open(4);
    reserve.topUp(ipam);
    List<IpAddress> first = take(reserve, "a");
    assertThat(first).extracting(IpAddress::family).containsExactly(IpFamily.IPV4, IpFamily.IPV6);
    assertThat(take(reserve, "a")).isEqualTo(first);
    assertThat(take(reserve, "b")).doesNotContainAnyElementsOf(first);
    assertThat(reserve.isUnsettled()).isTrue();
    List<Reconciled> told = reserve.reconcile(ipam);
    assertThat(told)
        .hasSize(2)
        .allSatisfy(
            each ->
                assertThat(each)
                    .isInstanceOfSatisfying(
                        Reconciled.Moved.class, moved -> assertThat(moved.remarks()).isEmpty()));
    assertThat(held()).containsEntry(first.getFirst(), "net.a");
    // Handle and endpoint are of one revision.
    KeyValue endpoint = store.get(key("a")).orElseThrow();
    assertThat(endpoint.value()).isEqualTo(document(first));
    assertThat(store.get(IpamKeys.handle("net.a")))
        .map(KeyValue::modRevision)
        .contains(endpoint.modRevision());
    assertThat(reserve.isUnsettled()).isFalse();
    reserve.topUp(ipam);
    assertThat(reserve.spare(IpFamily.IPV4)).isEqualTo(4);
    assertSound();
  }

  @Test
  void what_a_lost_request_assigned_after_all_is_given_back() throws Exception {
    AddressReserve reserve = open(4);
    reserve.topUp(ipam);
    List<IpAddress> kept = take(reserve, "a");
    AssignResult late =
        ipam.assign(
            new AssignRequest(
                "net.a", "n1", 1, 1, Map.of("node", "n1"), List.of(), SameTxn.nothing()));
    assertThat(late).isInstanceOf(AssignResult.Assigned.class);
    assertThat(reserve.reconcile(ipam))
        .singleElement()
        .isInstanceOfSatisfying(
            Reconciled.Moved.class,
            moved ->
                assertThat(moved.remarks())
                    .hasSize(2)
                    .allMatch(remark -> remark.contains("a request thought lost")));
    Map<IpAddress, String> held = held();
    held.values().removeIf(handle -> !handle.equals("net.a"));
    assertThat(held.keySet()).containsExactlyInAnyOrderElementsOf(kept);
  }

  @Test
  void a_node_keeps_at_most_a_sixteenth_of_a_small_pool() throws Exception {
    ipam.setPools(
        Pools.of(
            Pool.of("v4", Prefix.parse("10.70.0.0/27"), 28),
            Pool.of("too small", Prefix.parse("10.71.0.0/29"), 30),
            Pool.of("v6", Prefix.parse("fd00:70::/122"), 124)));
    AddressReserve reserve = open(16);
    reserve.topUp(ipam);
    assertThat(reserve.spare(IpFamily.IPV4)).isEqualTo(2);
    assertThat(reserve.spare(IpFamily.IPV6)).isEqualTo(4);
  }

  @Test
  void used_up_is_an_answer_and_takes_nothing() throws Exception {
    AddressReserve reserve = open(1);
    reserve.topUp(ipam);
    take(reserve, "a");
    assertThat(reserve.take(taker("b", BOTH), AddressReserveTest::document))
        .isInstanceOfSatisfying(
            ReserveResult.Exhausted.class,
            no -> assertThat(no.reason()).contains("no IPV4 address left", "filled again"));
    assertThat(
            reserve.take(
                new AddressReserve.Taker(
                    "net.c",
                    Set.of(IpFamily.IPV4),
                    List.of(Prefix.parse("10.9.0.0/24")),
                    Map.of(),
                    key("c")),
                AddressReserveTest::document))
        .isInstanceOfSatisfying(
            ReserveResult.Exhausted.class, no -> assertThat(no.reason()).contains("10.9.0.0/24"));
    assertThat(reserve.release("net.a")).isTrue();
    assertThat(reserve.release("net.a")).isFalse();
    take(reserve, "b");
  }

  @Test
  void what_is_given_back_rests_and_the_longest_free_goes_first() throws Exception {
    store.commit(
        Txn.create(IpamKeys.CONFIG, "{\"auto_allocate_blocks\":true,\"ipCooldownSeconds\":60}"));
    AddressReserve reserve = open(2);
    reserve.topUp(ipam);
    List<IpAddress> first = take(reserve, "a");
    reserve.release("net.a");
    List<IpAddress> second = take(reserve, "b");
    assertThat(second).doesNotContainAnyElementsOf(first);
    assertThat(reserve.take(taker("c", BOTH), AddressReserveTest::document))
        .isInstanceOf(ReserveResult.Exhausted.class);
    now = now.plusSeconds(59);
    // The rest outlives a restart.
    reserve.close();
    AddressReserve again = open(2);
    assertThat(again.take(taker("c", BOTH), AddressReserveTest::document))
        .isInstanceOf(ReserveResult.Exhausted.class);
    now = now.plusSeconds(1);
    assertThat(take(again, "c")).isEqualTo(first);
  }

  @Test
  void what_was_given_back_before_the_clock_was_set_back_does_not_rest_until_then()
      throws Exception {
    store.commit(
        Txn.create(IpamKeys.CONFIG, "{\"auto_allocate_blocks\":true,\"ipCooldownSeconds\":60}"));
    AddressReserve reserve = open(1);
    reserve.topUp(ipam);
    List<IpAddress> first = take(reserve, "a");
    reserve.release("net.a");
    assertThat(reserve.take(taker("b", BOTH), AddressReserveTest::document))
        .isInstanceOf(ReserveResult.Exhausted.class);
    now = now.minusSeconds(3600);
    assertThat(take(reserve, "b")).isEqualTo(first);
  }

  @Test
  void a_journal_that_can_only_be_read_tells_what_was_given_and_gives_nothing_more()
      throws Exception {
    AddressReserve reserve = open(3);
    reserve.topUp(ipam);
    List<IpAddress> given = take(reserve, "a");
    reserve.close();
    Path neighbour = file().resolveSibling(file().getFileName() + ".new");
    // As a full disk refuses to write it anew.
    Path obstacle = Files.createDirectories(neighbour.resolve("obstacle"));
    AddressReserve again = open(3);
    assertThat(again.addressesOf("net.a").orElseThrow()).containsExactlyElementsOf(given);
    assertThatThrownBy(() -> again.take(taker("b", BOTH), AddressReserveTest::document))
        .isInstanceOf(IOException.class)
        .hasMessageContaining(file().getFileName().toString());
    Files.delete(obstacle);
    Files.delete(neighbour);
    assertThat(take(again, "b")).doesNotContainAnyElementsOf(given);
    again.close();
    assertThat(open(3).addressesOf("net.a").orElseThrow()).containsExactlyElementsOf(given);
  }

  /// Cut anywhere, the file says what was true before the cut.
  @Test
  void a_journal_cut_at_any_octet_is_read_up_to_the_cut() throws Exception {
    AddressReserve reserve = open(3);
    reserve.topUp(ipam);
    List<Integer> marks = new ArrayList<>();
    List<String> states = new ArrayList<>();
    marks.add((int) Files.size(file()));
    states.add(state(reserve));
    take(reserve, "a");
    marks.add((int) Files.size(file()));
    states.add(state(reserve));
    take(reserve, "b");
    marks.add((int) Files.size(file()));
    states.add(state(reserve));
    reserve.release("net.a");
    marks.add((int) Files.size(file()));
    states.add(state(reserve));
    byte[] whole = Files.readAllBytes(file());
    for (int cut = marks.getFirst(); cut <= whole.length; cut++) {
      Path copy = directory.resolve("cut" + cut);
      Files.write(copy, Arrays.copyOf(whole, cut));
      int last = 0;
      while (last + 1 < marks.size() && marks.get(last + 1) <= cut) {
        last++;
      }
      try (AddressReserve read = AddressReserve.open(copy, "n1", 3, () -> now, "boot1")) {
        assertThat(state(read)).as("cut at %d", cut).isEqualTo(states.get(last));
      }
      Files.delete(copy);
    }
  }

  private static String state(AddressReserve reserve) {
    return reserve.spare(IpFamily.IPV4) + " " + reserve.isUnsettled();
  }

  @Test
  void a_damaged_record_ends_the_reading_and_the_file_is_written_anew() throws Exception {
    AddressReserve reserve = open(3);
    reserve.topUp(ipam);
    take(reserve, "a");
    reserve.close();
    byte[] octets = Files.readAllBytes(file());
    octets[octets.length - 20] ^= 1;
    Files.write(file(), octets);
    AddressReserve again = open(3);
    assertThat(again.isUnsettled()).isFalse();
    assertThat(take(again, "b")).hasSize(2);
    again.close();
    assertThat(open(3).isUnsettled()).isTrue();
  }

  @Test
  void a_reboot_gives_back_what_the_store_never_heard_of() throws Exception {
    AddressReserve reserve = open(1);
    reserve.topUp(ipam);
    List<IpAddress> before = take(reserve, "a");
    reserve.close();
    AddressReserve rebooted = open(file(), 1, "boot2");
    assertThat(take(rebooted, "b")).isEqualTo(before);
  }

  /// The store may have moved it: then it is the pod's there, and not ours to hand out.
  @Test
  void a_reboot_after_an_attempt_to_tell_the_store_waits_for_the_store() throws Exception {
    AddressReserve reserve = open(1);
    reserve.topUp(ipam);
    take(reserve, "a");
    for (int dies = 0; dies < 6; dies++) {
      FaultyDatastore dead = new FaultyDatastore(store, dies, 0, 1);
      assertThatThrownBy(() -> reserve.reconcile(ipam(dead)))
          .isInstanceOf(DatastoreException.class);
    }
    reserve.close();
    AddressReserve rebooted = open(file(), 1, "boot2");
    assertThat(rebooted.take(taker("b", BOTH), AddressReserveTest::document))
        .isInstanceOf(ReserveResult.Exhausted.class);
    assertThat(rebooted.reconcile(ipam)).containsExactly(new Reconciled.Dropped("net.a"));
    rebooted.topUp(ipam);
    assertThat(store.get(key("a"))).isEmpty();
    take(rebooted, "b");
    assertSound();
  }

  /// The process dies at every call to the store, before or after the store did it; the next one
  /// has the file and the store only.
  @Test
  void death_at_any_call_loses_no_address_and_doubles_none() throws Exception {
    int deaths = 0;
    for (boolean afterwards : new boolean[] {false, true}) {
      for (int call = 0; call < 30; call++) {
        try (InMemoryDatastore own = new InMemoryDatastore()) {
          deaths += lifeWithDeathAt(own, call, afterwards) ? 1 : 0;
        }
      }
    }
    assertThat(deaths).isGreaterThan(20);
  }

  private boolean lifeWithDeathAt(InMemoryDatastore own, int call, boolean afterwards)
      throws Exception {
    Path file = directory.resolve("life" + call + afterwards);
    try (Ipam before = new Ipam(own, () -> now, POOLS);
        AddressReserve reserve = AddressReserve.open(file, "n1", 4, () -> now, "boot1")) {
      reserve.topUp(before);
    }
    Map<String, List<IpAddress>> told = new TreeMap<>();
    Stepper stepper = new Stepper(own, call);
    Stepper.Actor actor =
        stepper.add(
            "agent",
            call,
            afterwards,
            view -> {
              try (Ipam mine = new Ipam(view, () -> now, POOLS);
                  AddressReserve reserve = AddressReserve.open(file, "n1", 4, () -> now, "boot1")) {
                told.put("a", take(reserve, "a"));
                told.put("b", take(reserve, "b"));
                told.put("c", take(reserve, "c"));
                reserve.release("net.b");
                told.remove("b");
                reserve.reconcile(mine);
                reserve.topUp(mine);
                told.put("d", take(reserve, "d"));
                reserve.reconcile(mine);
                reserve.topUp(mine);
              }
            });
    stepper.run();
    assertThat(actor.failure()).isEmpty();
    try (Ipam next = new Ipam(own, () -> now, POOLS);
        AddressReserve reserve = AddressReserve.open(file, "n1", 4, () -> now, "boot1")) {
      assertThat(reserve.reconcile(next)).noneMatch(each -> each instanceof Reconciled.Lost);
      reserve.topUp(next);
      assertThat(IpamCheck.run(own).findings()).isEmpty();
      Map<String, Set<IpAddress>> stored = new TreeMap<>();
      for (Block block : next.listBlocks()) {
        block
            .allocated()
            .forEach(
                each ->
                    stored
                        .computeIfAbsent(
                            each.holder().cleanHandleId().orElseThrow(), _ -> new HashSet<>())
                        .add(each.address()));
      }
      told.forEach(
          (pod, addresses) -> {
            assertThat(stored.get("net." + pod)).as("call %d", call).containsAll(addresses);
          });
      assertThat(stored.get("margay-reserve.n1")).hasSize(8);
      assertThat(reserve.spare(IpFamily.IPV4)).isEqualTo(4);
      assertThat(own.get(key("b"))).isEmpty();
    }
    return actor.isDead();
  }

  @Test
  void a_pod_deleted_while_the_store_is_being_told_leaves_nothing() throws Exception {
    AddressReserve reserve = open(2);
    reserve.topUp(ipam);
    take(reserve, "a");
    FaultyDatastore slow = new FaultyDatastore(store, 1, 0, 0);
    slow.beforeNextCommit =
        () -> {
          try {
            reserve.release("net.a");
          } catch (IOException impossible) {
            throw new IllegalStateException(impossible);
          }
        };
    assertThat(reserve.reconcile(ipam(slow))).containsExactly(new Reconciled.Dropped("net.a"));
    assertThat(store.get(key("a"))).isEmpty();
    assertThat(store.get(IpamKeys.handle("net.a"))).isEmpty();
    reserve.topUp(ipam);
    assertThat(reserve.spare(IpFamily.IPV4)).isEqualTo(2);
    assertSound();
  }

  @Test
  void a_claim_that_was_being_given_back_meanwhile_is_confirmed_and_reported() throws Exception {
    AddressReserve reserve = open(2);
    reserve.topUp(ipam);
    take(reserve, "a");
    for (KeyValue claim : store.list(IpamKeys.affinities("n1")).items()) {
      store.commit(
          Txn.replace(
              claim, BlockAffinity.CONFIRMED.with(BlockAffinity.State.PENDING_DELETION).toJson()));
    }
    assertThat(reserve.reconcile(ipam))
        .singleElement()
        .isInstanceOfSatisfying(
            Reconciled.Moved.class,
            moved ->
                assertThat(moved.remarks())
                    .hasSize(2)
                    .allMatch(remark -> remark.contains("pendingDeletion")));
    assertThat(ipam.ownBlocks("n1").confirmed()).hasSize(2);
    assertSound();
  }

  /// The pod keeps its address, announced by itself; nothing more is handed out of that block.
  @Test
  void a_block_taken_from_the_node_meanwhile_is_reported_and_no_longer_handed_out()
      throws Exception {
    AddressReserve reserve = open(2);
    reserve.topUp(ipam);
    List<IpAddress> held = take(reserve, "a");
    ipam.releaseAffinities("n1");
    assertThat(reserve.reconcile(ipam))
        .singleElement()
        .isInstanceOfSatisfying(
            Reconciled.Moved.class,
            moved -> {
              assertThat(moved.assignments()).allMatch(Assignment::borrowed);
              assertThat(moved.remarks())
                  .allMatch(remark -> remark.contains("no longer node n1's but nobody's"));
            });
    assertThat(ipam.ownBlocks("n1").borrowed()).containsAll(held);
    reserve.topUp(ipam);
    reserve.topUp(ipam);
    for (int pod = 0; pod < 2; pod++) {
      for (IpAddress address : take(reserve, "later" + pod)) {
        assertThat(ipam.ownBlocks("n1").confirmed()).anyMatch(block -> block.contains(address));
      }
    }
    assertSound();
  }

  @Test
  void an_address_that_became_anothers_is_lost_and_said_until_the_pod_goes() throws Exception {
    AddressReserve reserve = open(1);
    reserve.topUp(ipam);
    List<IpAddress> held = take(reserve, "a");
    ipam.releaseByHandle(AddressReserve.handle("n1"), SameTxn.Extras.NONE);
    ipam.assignIp(
        new AssignIpRequest(
            held.getFirst(),
            "net.thief",
            "n2",
            Map.of("node", "n2"),
            theirs ->
                new SameTxn.Extras(
                    List.of(),
                    List.of(
                        new Txn.Write.Put(
                            key("thief"), document(List.of(theirs.getFirst().address())))))));
    for (int times = 0; times < 2; times++) {
      assertThat(reserve.reconcile(ipam))
          .singleElement()
          .isInstanceOfSatisfying(
              Reconciled.Lost.class,
              lost -> {
                assertThat(lost.address()).isEqualTo(held.getFirst());
                assertThat(lost.reason()).contains("net.thief");
              });
      reserve.topUp(ipam);
      assertThat(take(reserve, "b" + times)).doesNotContainAnyElementsOf(held);
      reserve.release("net.b" + times);
    }
    reserve.release("net.a");
    assertThat(reserve.reconcile(ipam)).containsExactly(new Reconciled.Dropped("net.a"));
    assertThat(held()).containsEntry(held.getFirst(), "net.thief");
    assertSound();
  }

  /// etcd was put back to before the reserve, or an operator freed it.
  @Test
  void an_address_the_store_forgot_is_taken_anew() throws Exception {
    AddressReserve reserve = open(1);
    reserve.topUp(ipam);
    List<IpAddress> held = take(reserve, "a");
    List<KeyValue> all = store.list(IpamKeys.ROOT).items();
    Txn.Builder wipe = Txn.builder();
    all.forEach(item -> wipe.delete(item.key()));
    store.commit(wipe.build());
    Ipam afresh = ipam(new FaultyDatastore(store, 1, 0, 0));
    assertThat(reserve.reconcile(afresh))
        .singleElement()
        .isInstanceOfSatisfying(
            Reconciled.Moved.class,
            moved -> assertThat(moved.remarks()).anyMatch(remark -> remark.contains("taken anew")));
    assertThat(held()).containsEntry(held.getFirst(), "net.a");
    assertSound();
  }

  @Test
  void a_pool_that_no_longer_serves_the_node_gets_its_addresses_back() throws Exception {
    AddressReserve reserve = open(3);
    reserve.topUp(ipam);
    ipam.setPools(new Pools(POOLS.pools(), List.of(), (pool, _) -> pool.family() == IpFamily.IPV6));
    reserve.topUp(ipam);
    assertThat(reserve.spare(IpFamily.IPV4)).isZero();
    assertThat(held()).hasSize(3);
    assertThat(ipam.ownBlocks("n1").confirmed()).hasSize(1);
    assertSound();
  }

  @Test
  void a_nearly_empty_pool_gives_what_it_has_and_nothing_is_borrowed() throws Exception {
    Pools tiny = Pools.of(Pool.of("v4", Prefix.parse("10.8.0.0/26"), 30));
    ipam.setPools(tiny);
    for (int count : List.of(32, 29)) {
      Cluster.assigned(
          ipam.assign(
              new AssignRequest(
                  "theirs" + count,
                  "n2",
                  count,
                  0,
                  Map.of("node", "n2"),
                  List.of(),
                  SameTxn.nothing())));
    }
    AddressReserve reserve = open(16);
    reserve.topUp(ipam);
    assertThat(reserve.spare(IpFamily.IPV4)).isZero();
    ipam.releaseByHandle("theirs32", SameTxn.Extras.NONE);
    now = now.plusSeconds(60);
    reserve.topUp(ipam);
    assertThat(reserve.spare(IpFamily.IPV4)).isEqualTo(4);
    assertSound();
  }

  @Test
  void the_file_does_not_grow_for_ever() throws Exception {
    AddressReserve reserve = open(1);
    reserve.topUp(ipam);
    long largest = 0;
    for (int i = 0; i < ReserveJournal.MAX_RECORDS; i++) {
      reserve.take(taker("p", Set.of(IpFamily.IPV4)), AddressReserveTest::document);
      reserve.release("net.p");
      largest = Math.max(largest, Files.size(file()));
    }
    assertThat(Files.size(file())).isLessThan(largest);
    assertThat(reserve.spare(IpFamily.IPV4)).isEqualTo(1);
    assertThatThrownBy(
            () ->
                reserve.take(taker("big", BOTH), _ -> "x".repeat(ReserveJournal.MAX_RECORD_OCTETS)))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("beyond the limit");
    assertThat(reserve.spare(IpFamily.IPV4)).isEqualTo(1);
  }

  /// The disk refuses: nothing is handed out, and once it takes records again nothing is lost.
  @Test
  void a_disk_that_refuses_gives_nothing_and_loses_nothing() throws Exception {
    AddressReserve reserve = open(2);
    reserve.topUp(ipam);
    List<IpAddress> first = take(reserve, "a");
    reserve.close();
    assertThatThrownBy(() -> reserve.take(taker("b", BOTH), AddressReserveTest::document))
        .isInstanceOf(IOException.class);
    assertThat(reserve.addressesOf("net.b")).isEmpty();
    AddressReserve again = open(2);
    assertThat(again.addressesOf("net.a")).contains(first);
    assertThat(take(again, "b")).doesNotContainAnyElementsOf(first);
  }

  @Test
  void the_handle_says_whose_it_is() {
    assertThat(AddressReserve.nodeOf(AddressReserve.handle("n1"))).isEqualTo(Optional.of("n1"));
    assertThat(AddressReserve.nodeOf("k8s-pod-network.abc")).isEmpty();
  }
}
