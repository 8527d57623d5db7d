package io.margay.agent.cni;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.cni.PodAddresses.Wish;
import io.margay.cni.Readiness.Source;
import io.margay.cni.spec.CniError;
import io.margay.datastore.InMemoryDatastore;
import io.margay.datastore.SyncStatus;
import io.margay.ipam.AddressReserve;
import io.margay.ipam.AssignRequest;
import io.margay.ipam.Ipam;
import io.margay.ipam.Pool;
import io.margay.ipam.Pools;
import io.margay.ipam.SameTxn;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NodeReadinessTest {

  private static final Instant START = Instant.parse("2026-11-23T10:00:00Z");
  private static final SyncStatus IN_SYNC = new SyncStatus.InSync(7);
  private static final SyncStatus AWAY = new SyncStatus.Stale(START, "connection refused");

  /// A small pool: the reserve keeps one address of it.
  private static final Pool POOL = Pool.of("blue", Prefix.parse("10.65.0.0/28"), 30);

  private static final Wish ONE = wish(Set.of(IpFamily.IPV4));

  @TempDir private Path directory;
  private final InMemoryDatastore store = new InMemoryDatastore();
  private Instant now = START;
  private final Ipam ipam = new Ipam(store, () -> now, Pools.of(POOL));
  private SyncStatus sync = IN_SYNC;
  private boolean open = true;
  private Optional<Instant> isolated = Optional.empty();
  private AddressReserve reserve;
  private NodeReadiness readiness;

  private static Wish wish(Set<IpFamily> families, String... pools) {
    return new Wish(families, List.of(), List.of(pools), List.of());
  }

  @BeforeEach
  void openReserve() throws Exception {
    reserve = AddressReserve.open(directory.resolve("reserve"), "n1", 16, () -> now);
    readiness = readiness(Optional.of(reserve));
  }

  private NodeReadiness readiness(Optional<AddressReserve> kept) {
    return new NodeReadiness(
        "n1",
        () -> sync,
        () -> open,
        ipam,
        kept,
        name -> name.equals("blue") ? Optional.of(POOL.cidr()) : Optional.empty(),
        () -> isolated,
        () -> now);
  }

  @AfterEach
  void close() throws Exception {
    reserve.close();
    ipam.close();
    store.close();
  }

  private CniError trouble(Source source, Wish wish) {
    return readiness.trouble(source, wish).orElseThrow();
  }

  private void assign(String handle, int count) throws Exception {
    ipam.assign(new AssignRequest(handle, "n1", count, 0, Map.of(), List.of(), SameTxn.nothing()));
  }

  @Test
  void pools_that_have_something_left_are_ready_and_others_are_not() throws Exception {
    assertThat(readiness.trouble(Source.OURS, ONE)).isEmpty();
    assertThat(readiness.trouble(Source.OURS, wish(Set.of(IpFamily.IPV4), "blue"))).isEmpty();
    assertThat(trouble(Source.OURS, wish(Set.of(IpFamily.IPV4), "green")).msg())
        .contains("no IPPool \"green\"");
    assertThat(trouble(Source.OURS, wish(Set.of(IpFamily.IPV4, IpFamily.IPV6))).msg())
        .contains("there is no IPv6 IPPool");

    assign("all", 16);
    assertThat(trouble(Source.OURS, ONE).code()).isEqualTo(CniError.NOT_READY);
    assertThat(trouble(Source.LEASED, ONE).msg()).contains("no free address for node n1");
    assertThat(readiness.trouble(Source.FOREIGN, wish(Set.of()))).isEmpty();
    ipam.setPools(Pools.of(POOL, Pool.of("more", Prefix.parse("10.66.0.0/28"), 30)));
    now = now.plus(NodeReadiness.BELIEVED);
    assertThat(readiness.trouble(Source.OURS, ONE)).as("asked again").isEmpty();
  }

  @Test
  void without_the_datastore_the_reserve_decides() throws Exception {
    reserve.topUp(ipam);
    sync = AWAY;
    assertThat(readiness.trouble(Source.OURS, ONE)).isEmpty();
    for (Source source : List.of(Source.LEASED, Source.FOREIGN)) {
      assertThat(trouble(source, ONE).msg()).contains("away since", "connection refused");
    }
    reserve.take(
        new AddressReserve.Taker("h1", Set.of(IpFamily.IPV4), List.of(), Map.of(), "/k"), _ -> "");
    CniError usedUp = trouble(Source.OURS, ONE);
    assertThat(usedUp.code()).isEqualTo(CniError.NOT_READY);
    assertThat(usedUp.msg()).contains("no IPV4 address left", "away since");
    readiness = readiness(Optional.empty());
    assertThat(trouble(Source.OURS, ONE).msg()).startsWith("the datastore is away");
  }

  @Test
  void a_lock_and_a_first_listing_are_waited_for() {
    open = false;
    assertThat(trouble(Source.FOREIGN, wish(Set.of())).msg()).contains("locked for a migration");
    sync = new SyncStatus.Waiting("the first listing");
    assertThat(trouble(Source.OURS, ONE).code()).isEqualTo(CniError.NOT_READY);
  }

  @Test
  void a_node_that_no_peer_has_heard_of_for_long_is_degraded() throws Exception {
    isolated = Optional.of(START);
    now = START.plus(NodeReadiness.ISOLATION_LIMIT);
    assertThat(readiness.trouble(Source.OURS, ONE)).isEmpty();
    now = now.plus(Duration.ofSeconds(1));
    assertThat(trouble(Source.OURS, ONE).code()).isEqualTo(CniError.NOT_READY_AND_DEGRADED);
    assign("all", 16);
    assertThat(trouble(Source.OURS, ONE).msg()).contains("no free address", "no BGP peer");
  }
}
