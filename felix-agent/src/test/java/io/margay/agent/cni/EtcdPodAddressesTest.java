package io.margay.agent.cni;

import static java.time.Instant.EPOCH;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.margay.cni.PodAddresses.Lease;
import io.margay.cni.PodAddresses.Wish;
import io.margay.cni.journal.Attachment;
import io.margay.cni.journal.Workload;
import io.margay.cni.spec.AttachmentId;
import io.margay.cni.spec.CniError;
import io.margay.cni.spec.CniException;
import io.margay.datastore.CommitResult;
import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.InMemoryDatastore;
import io.margay.datastore.KeyValue;
import io.margay.datastore.Listing;
import io.margay.datastore.Txn;
import io.margay.datastore.Watch;
import io.margay.datastore.WatchListener;
import io.margay.datastore.json.Decoded;
import io.margay.datastore.json.ResourceJson;
import io.margay.datastore.json.ResourceKeys;
import io.margay.ipam.AddressReserve;
import io.margay.ipam.Ipam;
import io.margay.ipam.IpamKeys;
import io.margay.ipam.Pool;
import io.margay.ipam.Pools;
import io.margay.linux.netns.Netns;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.MacAddress;
import io.margay.model.net.Prefix;
import io.margay.model.resource.Kind;
import io.margay.model.resource.Metadata;
import io.margay.model.resource.WorkloadEndpoint;
import io.margay.model.resource.WorkloadEndpointSpec;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EtcdPodAddressesTest {

  private static final Prefix POOL4 = Prefix.parse("10.65.0.0/24");
  private static final Prefix POOL6 = Prefix.parse("fd00:65::/112");
  private static final Prefix TINY = Prefix.parse("10.66.0.0/30");
  private static final Wish BOTH =
      new Wish(Set.of(IpFamily.IPV4, IpFamily.IPV6), List.of(), List.of(), List.of());

  private final LossyDatastore store = new LossyDatastore(new InMemoryDatastore());
  private final Ipam ipam =
      new Ipam(
          store,
          () -> EPOCH,
          Pools.of(
              Pool.of("four", POOL4, 26),
              Pool.of("six", POOL6, 122),
              new Pool("tiny", TINY, 30, false, false, true, "all()")));
  private final EndpointDirectory directory = new EndpointDirectory(_ -> Optional.empty());
  private final EtcdPodAddresses addresses =
      new EtcdPodAddresses(
          "n1",
          store,
          ipam,
          directory,
          name -> name.equals("tiny") ? Optional.of(TINY) : Optional.empty(),
          () -> EPOCH.plusMillis(700));

  @AfterEach
  void close() {
    ipam.close();
    store.close();
  }

  private static Attachment attachment(String container) {
    return new Attachment(
        new AttachmentId(container, new InterfaceName("eth0")),
        "net",
        new Workload.Pod("ns", "web"),
        new Netns.NetnsId(1, 2),
        "/run/netns/x",
        new InterfaceName("cali0"),
        MacAddress.parse("02:00:00:00:00:01"),
        1500,
        Map.of());
  }

  /// The same key whatever the container, as for a pod that is started anew.
  private static Function<List<IpAddress>, WorkloadEndpoint> document(String container) {
    return assigned ->
        new WorkloadEndpoint(
            Metadata.named("ns", "n1-k8s-web-eth0"),
            new WorkloadEndpointSpec(
                "k8s",
                null,
                "n1",
                container,
                "web",
                "eth0",
                "default",
                assigned.stream().map(IpAddress::toHostPrefix).toList(),
                List.of(),
                null,
                null,
                List.of("kns.ns"),
                new InterfaceName("cali0"),
                null,
                List.of(),
                List.of(),
                Map.of(),
                Map.of()));
  }

  private static final String ENDPOINT_KEY = ResourceKeys.key(document("x").apply(List.of()).ref());

  private List<IpAddress> assign(String container, Wish wish) throws CniException {
    return addresses.assign(attachment(container), wish, document(container));
  }

  private int refusal(String container, Wish wish) {
    return catchThrowableOfType(CniException.class, () -> assign(container, wish)).error().code();
  }

  private Optional<WorkloadEndpoint> stored() throws Exception {
    return store
        .get(ENDPOINT_KEY)
        .map(
            item ->
                (WorkloadEndpoint)
                    ((Decoded.Valid)
                            ResourceJson.decode(item.key(), item.value(), item.modRevision())
                                .orElseThrow())
                        .resource());
  }

  private static Wish explicit(String... wanted) {
    return new Wish(
        Set.of(IpFamily.IPV4),
        List.of(wanted).stream().map(IpAddress::parse).toList(),
        List.of(),
        List.of());
  }

  private static Wish from(String pool) {
    return new Wish(Set.of(IpFamily.IPV4), List.of(), List.of(pool), List.of());
  }

  @Test
  void families_held_one_by_one_are_under_one_handle_and_go_together() throws Exception {
    Attachment attachment = attachment("c1");
    Wish four = new Wish(Set.of(IpFamily.IPV4), List.of(), List.of(), List.of());
    Wish six =
        new Wish(
            Set.of(),
            List.of(IpAddress.parse("fd00:65::77")),
            List.of(),
            List.of(POOL6.toString()));
    List<IpAddress> first = addresses.hold(attachment, four);
    assertThat(first).singleElement().matches(POOL4::contains);
    assertThat(addresses.hold(attachment, six)).containsExactly(IpAddress.parse("fd00:65::77"));
    assertThat(addresses.hold(attachment, four)).as("what is held counts").isEqualTo(first);
    addresses.release(attachment);
    assertThat(ipam.holderOf(first.getFirst())).isEmpty();
    assertThat(ipam.holderOf(IpAddress.parse("fd00:65::77"))).isEmpty();
  }

  @Test
  void blocks_handle_and_endpoint_are_one_transaction() throws Exception {
    List<IpAddress> assigned = assign("c1", BOTH);
    assertThat(assigned)
        .extracting(IpAddress::family)
        .containsExactly(IpFamily.IPV4, IpFamily.IPV6);
    assertThat(POOL4.contains(assigned.getFirst())).isTrue();
    List<Txn> withEndpoint =
        store.committed().stream()
            .filter(txn -> txn.writes().stream().anyMatch(w -> w.key().equals(ENDPOINT_KEY)))
            .toList();
    assertThat(withEndpoint).hasSize(1);
    assertThat(withEndpoint.getFirst().writes())
        .extracting(Txn.Write::key)
        .contains(IpamKeys.handle("net.c1"))
        .filteredOn(key -> IpamKeys.blockOf(key).isPresent())
        .hasSize(2);
    assertThat(stored().orElseThrow().spec().ipNetworks())
        .containsExactlyElementsOf(assigned.stream().map(IpAddress::toHostPrefix).toList());
    assertThat(stored().orElseThrow().metadata().uid()).isNotBlank();
    assertThat(stored().orElseThrow().metadata().creationTimestamp())
        .as("whole seconds, as Calico has them")
        .isEqualTo(EPOCH);
    assertThat(directory.revisionOf(attachment("c1").id()))
        .isEqualTo(store.get(ENDPOINT_KEY).orElseThrow().modRevision());
  }

  @Test
  void leases_have_pool_and_gateway_no_endpoint_and_never_a_pools_edge() throws Exception {
    // Two of the four are the pool's edges, one its gateway.
    List<Lease> leases = addresses.lease(attachment("c1"), from("tiny"), List.of());
    assertThat(leases).hasSize(1);
    IpAddress address = leases.getFirst().address();
    IpAddress gateway = leases.getFirst().gateway();
    assertThat(leases.getFirst().pool()).isEqualTo(TINY);
    assertThat(List.of(address, gateway))
        .containsExactlyInAnyOrder(IpAddress.parse("10.66.0.1"), IpAddress.parse("10.66.0.2"));
    assertThat(addresses.lease(attachment("c1"), from("tiny"), List.of()))
        .as("repeated")
        .isEqualTo(leases);
    assertThat(stored()).isEmpty();
    CniException full =
        catchThrowableOfType(
            CniException.class, () -> addresses.lease(attachment("c2"), from("tiny"), List.of()));
    assertThat(full.error().code()).isEqualTo(CniError.POOL_EXHAUSTED);
    addresses.release(attachment("c2"));
    addresses.release(attachment("c1"));
    assertThat(addresses.lease(attachment("c3"), from("tiny"), List.of()).getFirst().gateway())
        .as("the gateway stays")
        .isEqualTo(gateway);
  }

  @Test
  void a_named_gateway_is_kept_from_pods() throws Exception {
    IpAddress gateway = IpAddress.parse("10.65.0.1");
    Lease lease =
        addresses.lease(attachment("c1"), explicit("10.65.0.9"), List.of(gateway)).getFirst();
    assertThat(lease).isEqualTo(new Lease(IpAddress.parse("10.65.0.9"), POOL4, gateway));
    assertThat(refusal("c2", explicit("10.65.0.1"))).isEqualTo(CniError.ADDRESS_UNAVAILABLE);
  }

  @Test
  void an_endpoint_alone_is_published_over_an_older_one_and_withdrawn_only_by_its_container()
      throws Exception {
    List<IpAddress> foreign = List.of(IpAddress.parse("10.9.0.5"));
    addresses.publish(attachment("old"), document("old").apply(foreign));
    addresses.publish(attachment("new"), document("new").apply(foreign));
    assertThat(stored().orElseThrow().spec().containerID()).isEqualTo("new");
    addresses.withdraw(attachment("old"));
    assertThat(stored()).isPresent();
    addresses.withdraw(attachment("new"));
    addresses.withdraw(attachment("new"));
    assertThat(stored()).isEmpty();
    addresses.publish(attachment("new"), document("new").apply(foreign));
    addresses.release(attachment("new"));
    assertThat(stored()).as("a release takes it along").isEmpty();
  }

  @Test
  void an_older_containers_endpoint_under_the_same_key_is_replaced() throws Exception {
    IpAddress first = assign("old", BOTH).getFirst();
    IpAddress second = assign("new", BOTH).getFirst();
    assertThat(second).isNotEqualTo(first);
    assertThat(stored().orElseThrow().spec().containerID()).isEqualTo("new");
    assertThat(stored().orElseThrow().spec().ipNetworks()).contains(second.toHostPrefix());
  }

  @Test
  void an_endpoint_that_appears_meanwhile_is_replaced_too() throws Exception {
    store.beforeNextCommit(
        () ->
            store.commit(
                Txn.create(
                    ENDPOINT_KEY,
                    ResourceJson.encode(
                        document("other").apply(List.of(IpAddress.parse("10.1.1.1")))))));
    assign("c1", BOTH);
    assertThat(stored().orElseThrow().spec().containerID()).isEqualTo("c1");
  }

  @Test
  void a_repeated_request_gets_the_same_addresses() throws Exception {
    assertThat(assign("c1", BOTH)).isEqualTo(assign("c1", BOTH));
    assertThat(store.list(IpamKeys.HANDLES).items()).hasSize(1);
  }

  @Test
  void release_takes_addresses_and_endpoint_in_one_transaction() throws Exception {
    assign("c1", BOTH);
    int before = store.committed().size();
    addresses.release(attachment("c1"));
    assertThat(stored()).isEmpty();
    assertThat(store.list(IpamKeys.HANDLES).items()).isEmpty();
    assertThat(ipam.listBlocks()).allMatch(block -> block.allocated().isEmpty());
    assertThat(store.committed().subList(before, store.committed().size()))
        .filteredOn(txn -> txn.writes().contains(new Txn.Write.Delete(ENDPOINT_KEY)))
        .hasSize(1)
        .first()
        .satisfies(
            txn ->
                assertThat(txn.writes())
                    .extracting(Txn.Write::key)
                    .contains(IpamKeys.handle("net.c1")));
    assertThat(directory.endpointOf(attachment("c1").id())).isEmpty();
  }

  @Test
  void a_release_takes_an_endpoint_along_that_cannot_be_read() throws Exception {
    assign("c1", BOTH);
    KeyValue written = store.get(ENDPOINT_KEY).orElseThrow();
    String invalid = written.value().replace("\"spec\":{", "\"spec\":{\"profiles\":[\"My_Net\"],");
    store.commit(
        Txn.builder()
            .add(new Txn.Condition.AtRevision(ENDPOINT_KEY, written.modRevision()))
            .add(new Txn.Write.Put(ENDPOINT_KEY, invalid))
            .build());
    addresses.release(attachment("other"));
    assertThat(store.get(ENDPOINT_KEY)).isPresent();
    addresses.release(attachment("c1"));
    assertThat(store.get(ENDPOINT_KEY)).isEmpty();
  }

  @Test
  void the_next_process_takes_an_endpoint_along_that_it_cannot_read() throws Exception {
    assign("c1", BOTH);
    KeyValue valid = store.get(ENDPOINT_KEY).orElseThrow();
    store.commit(
        Txn.builder().put(ENDPOINT_KEY, valid.value().replace("\"cali0\"", "\"ca/li\"")).build());
    EtcdPodAddresses next =
        new EtcdPodAddresses(
            "n1",
            store,
            ipam,
            new EndpointDirectory(_ -> Optional.empty()),
            _ -> Optional.empty(),
            () -> EPOCH);
    next.release(attachment("c2"));
    assertThat(store.get(ENDPOINT_KEY)).as("another container's").isPresent();
    next.release(attachment("c1"));
    assertThat(store.get(ENDPOINT_KEY)).isEmpty();
    assertThat(store.list(IpamKeys.HANDLES).items()).isEmpty();
  }

  @Test
  void a_late_release_of_an_old_container_leaves_the_new_ones_endpoint() throws Exception {
    assign("old", BOTH);
    List<IpAddress> kept = assign("new", BOTH);
    addresses.release(attachment("old"));
    assertThat(stored().orElseThrow().spec().containerID()).isEqualTo("new");
    assertThat(store.list(IpamKeys.HANDLES).items())
        .extracting(KeyValue::key)
        .containsExactly(IpamKeys.handle("net.new"));
    for (IpAddress address : kept) {
      assertThat(ipam.holderOf(address)).isPresent();
    }
  }

  @Test
  void an_endpoint_taken_over_while_it_is_released_stays() throws Exception {
    assign("old", BOTH);
    KeyValue mine = store.get(ENDPOINT_KEY).orElseThrow();
    store.beforeNextCommit(
        () ->
            store.commit(
                Txn.replace(
                    mine,
                    ResourceJson.encode(
                        document("new").apply(List.of(IpAddress.parse("10.1.1.1")))))));
    addresses.release(attachment("old"));
    assertThat(stored().orElseThrow().spec().containerID()).isEqualTo("new");
    assertThat(store.list(IpamKeys.HANDLES).items()).isEmpty();
  }

  @Test
  void releasing_what_was_never_assigned_is_success() throws Exception {
    addresses.release("net", attachment("never").id());
    assertThat(store.list(IpamKeys.HANDLES).items()).isEmpty();
  }

  @Test
  void an_explicit_address_is_given_and_held() throws Exception {
    IpAddress wanted = IpAddress.parse("10.65.0.77");
    assertThat(assign("c1", explicit("10.65.0.77"))).containsExactly(wanted);
    assertThat(stored().orElseThrow().spec().ipNetworks()).containsExactly(wanted.toHostPrefix());
    assertThat(assign("c1", explicit("10.65.0.77"))).containsExactly(wanted);
  }

  @Test
  void an_explicit_address_of_a_family_beyond_those_asked_for_is_wanted_too() throws Exception {
    assertThat(assign("c1", explicit("fd00:65::7")))
        .hasSize(2)
        .contains(IpAddress.parse("fd00:65::7"));
  }

  @Test
  void an_explicit_address_that_another_holds_or_no_pool_has_is_error_102() throws Exception {
    assign("c1", explicit("10.65.0.77"));
    assertThat(refusal("c2", explicit("10.65.0.77"))).isEqualTo(CniError.ADDRESS_UNAVAILABLE);
    assertThat(refusal("c3", explicit("192.0.2.1"))).isEqualTo(CniError.ADDRESS_UNAVAILABLE);
    assertThat(stored().orElseThrow().spec().containerID()).isEqualTo("c1");
  }

  @Test
  void a_pool_is_named_by_resource_or_cidr() throws Exception {
    assertThat(TINY.contains(assign("c1", from("tiny")).getFirst())).isTrue();
    assertThat(TINY.contains(assign("c2", from("10.66.0.0/30")).getFirst())).isTrue();
    assertThat(refusal("c3", from("nonsense"))).isEqualTo(CniError.BAD_CONFIG);
  }

  @Test
  void a_used_up_pool_and_none_at_all_are_error_101() throws Exception {
    for (int i = 0; i < 4; i++) {
      assign("c" + i, from("tiny"));
    }
    assertThat(refusal("one-too-many", from("tiny"))).isEqualTo(CniError.POOL_EXHAUSTED);
    assertThat(refusal("elsewhere", from("10.99.0.0/24"))).isEqualTo(CniError.POOL_EXHAUSTED);
    assertThat(store.get(IpamKeys.handle("net.one-too-many"))).isEmpty();
  }

  @Test
  void a_store_that_is_away_is_error_104() throws Exception {
    assign("c1", BOTH);
    store.close();
    assertThat(refusal("c2", BOTH)).isEqualTo(CniError.DATASTORE_UNREACHABLE);
    assertThat(
            catchThrowableOfType(CniException.class, () -> addresses.release(attachment("c1")))
                .error()
                .code())
        .isEqualTo(CniError.DATASTORE_UNREACHABLE);
  }

  @Test
  void after_a_lost_answer_the_retry_gets_the_very_addresses() throws Exception {
    assign("first", BOTH);
    store.loseAnswers(1);
    assertThat(refusal("c1", BOTH)).isEqualTo(CniError.DATASTORE_UNREACHABLE);
    List<Prefix> written = stored().orElseThrow().spec().ipNetworks();
    assertThat(assign("c1", BOTH).stream().map(IpAddress::toHostPrefix)).isEqualTo(written);
    assertThat(store.list(IpamKeys.HANDLES).items()).hasSize(2);
  }

  @Test
  void after_a_lost_answer_the_release_finds_the_endpoint_nobody_was_told_of() throws Exception {
    store.loseAnswers(1);
    assertThat(refusal("c1", BOTH)).isEqualTo(CniError.DATASTORE_UNREACHABLE);
    assertThat(stored()).isPresent();
    addresses.release(attachment("c1"));
    assertThat(store.list(ResourceKeys.prefix(Kind.WORKLOAD_ENDPOINT)).items()).isEmpty();
    assertThat(store.list(IpamKeys.HANDLES).items()).isEmpty();
  }

  /// The datastore goes away and comes back.
  private static final class Switch implements Datastore {
    private final Datastore real;
    private volatile boolean away;

    Switch(Datastore real) {
      this.real = real;
    }

    private Datastore there() throws DatastoreException {
      if (away) {
        throw new DatastoreException(
            DatastoreException.Kind.UNREACHABLE, "switch", "nobody answers");
      }
      return real;
    }

    @Override
    public Optional<KeyValue> get(String key) throws DatastoreException {
      return there().get(key);
    }

    @Override
    public Listing getAll(List<String> keys) throws DatastoreException {
      return there().getAll(keys);
    }

    @Override
    public Listing list(String prefix) throws DatastoreException {
      return there().list(prefix);
    }

    @Override
    public CommitResult commit(Txn txn) throws DatastoreException {
      return there().commit(txn);
    }

    @Override
    public Watch watch(String prefix, long fromRevision, WatchListener listener) {
      return real.watch(prefix, fromRevision, listener);
    }

    @Override
    public void close() {}
  }

  @Test
  void while_the_store_is_away_pods_get_addresses_of_the_reserve(@TempDir Path directory)
      throws Exception {
    Switch view = new Switch(store);
    try (Ipam mine = new Ipam(view, () -> EPOCH, Pools.of(Pool.of("four", POOL4, 26)));
        AddressReserve reserve =
            AddressReserve.open(directory.resolve("reserve"), "n1", 1, () -> EPOCH)) {
      reserve.topUp(mine);
      EtcdPodAddresses offline =
          new EtcdPodAddresses(
              "n1",
              view,
              mine,
              this.directory,
              _ -> Optional.empty(),
              () -> EPOCH,
              () -> EPOCH,
              Optional.of(reserve));
      view.away = true;
      Wish four = new Wish(Set.of(IpFamily.IPV4), List.of(), List.of(), List.of());
      List<IpAddress> got = offline.assign(attachment("c1"), four, document("c1"));
      assertThat(got).hasSize(1);
      assertThat(offline.assign(attachment("c1"), four, document("c1"))).isEqualTo(got);
      CniException full =
          catchThrowableOfType(
              CniException.class, () -> offline.assign(attachment("c2"), four, document("c2")));
      assertThat(full.error().code()).isEqualTo(CniError.DATASTORE_UNREACHABLE);
      assertThat(full).hasMessageContaining("reserve of node n1");
      assertThat(
              catchThrowableOfType(
                      CniException.class,
                      () ->
                          offline.assign(
                              attachment("c3"),
                              new Wish(Set.of(), got, List.of(), List.of()),
                              document("c3")))
                  .error()
                  .code())
          .isEqualTo(CniError.DATASTORE_UNREACHABLE);
      // DEL is repeated by the caller; the address is spare at once.
      assertThat(
              catchThrowableOfType(
                      CniException.class, () -> offline.release("net", attachment("c1").id()))
                  .error()
                  .code())
          .isEqualTo(CniError.DATASTORE_UNREACHABLE);
      assertThat(offline.assign(attachment("c2"), four, document("c2"))).isEqualTo(got);
      view.away = false;
      offline.release("net", attachment("c1").id());
      assertThat(offline.assign(attachment("c2"), four, document("c2"))).isEqualTo(got);
      assertThat(reserve.reconcile(mine)).hasSize(1);
      assertThat(stored().orElseThrow().spec().containerID()).isEqualTo("c2");
      assertThat(stored().orElseThrow().spec().ipNetworks())
          .containsExactly(got.getFirst().toHostPrefix());
      offline.release("net", attachment("c2").id());
      assertThat(stored()).isEmpty();
    }
  }

  @Test
  void after_a_lost_answer_pods_do_not_each_wait_for_the_store_again(@TempDir Path directory)
      throws Exception {
    Switch view = new Switch(store);
    AtomicReference<Instant> now = new AtomicReference<>(EPOCH);
    AtomicReference<Duration> setBack = new AtomicReference<>(Duration.ZERO);
    try (Ipam mine = new Ipam(view, now::get, Pools.of(Pool.of("four", POOL4, 26)));
        AddressReserve reserve =
            AddressReserve.open(directory.resolve("reserve"), "n1", 2, now::get)) {
      reserve.topUp(mine);
      EtcdPodAddresses offline =
          new EtcdPodAddresses(
              "n1",
              view,
              mine,
              this.directory,
              _ -> Optional.empty(),
              () -> now.get().minus(setBack.get()),
              now::get,
              Optional.of(reserve));
      Wish four = new Wish(Set.of(IpFamily.IPV4), List.of(), List.of(), List.of());
      view.away = true;
      offline.assign(attachment("c1"), four, document("c1"));
      view.away = false;
      offline.assign(attachment("c2"), four, document("c2"));
      assertThat(reserve.addressesOf(attachment("c2").handleId())).isPresent();
      setBack.set(Duration.ofHours(1));
      now.set(EPOCH.plus(EtcdPodAddresses.SILENCE));
      offline.assign(attachment("c3"), four, document("c3"));
      assertThat(reserve.addressesOf(attachment("c3").handleId())).isEmpty();
      assertThat(mine.listBlocks())
          .anyMatch(
              block ->
                  block.allocated().stream()
                      .anyMatch(
                          held ->
                              held.holder()
                                  .cleanHandleId()
                                  .equals(Optional.of(attachment("c3").handleId()))));
    }
  }
}
