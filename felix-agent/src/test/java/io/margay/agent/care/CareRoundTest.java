package io.margay.agent.care;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.margay.datastore.InMemoryDatastore;
import io.margay.datastore.Txn;
import io.margay.datastore.json.ResourceKeys;
import io.margay.ipam.AssignRequest;
import io.margay.ipam.AssignResult;
import io.margay.ipam.Ipam;
import io.margay.ipam.IpamKeys;
import io.margay.ipam.Pool;
import io.margay.ipam.Pools;
import io.margay.ipam.SameTxn;
import io.margay.ipam.care.AgentBeat;
import io.margay.ipam.care.GarbageCollector;
import io.margay.ipam.care.GarbageCollector.Mode;
import io.margay.ipam.care.GarbageLimits;
import io.margay.ipam.care.GarbageVerdict.Outcome;
import io.margay.ipam.care.NodeWitness;
import io.margay.model.net.Prefix;
import io.margay.model.resource.Kind;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

class CareRoundTest {

  private static final String POOL = ResourceKeys.prefix(Kind.IP_POOL) + "v4";

  private final InMemoryDatastore store = new InMemoryDatastore();
  private Instant now = Instant.parse("2026-01-31T12:00:00Z");

  /// How far what has passed is ahead of the time of day, which somebody has set back.
  private Duration ahead = Duration.ZERO;

  private Set<String> here = Set.of("net.ca");

  @BeforeEach
  void build() throws Exception {
    put(
        POOL,
        "{\"kind\":\"IPPool\",\"apiVersion\":\"projectcalico.org/v3\",\"metadata\":{\"name\":\"v4\"},"
            + "\"spec\":{\"cidr\":\"10.8.0.0/20\",\"blockSize\":28}}");
    try (Ipam ipam =
        new Ipam(store, () -> now, Pools.of(Pool.of("v4", Prefix.parse("10.8.0.0/20"), 28)))) {
      for (String node : List.of("a", "b")) {
        put(
            ResourceKeys.prefix(Kind.NODE) + node,
            "{\"kind\":\"Node\",\"apiVersion\":\"projectcalico.org/v3\",\"metadata\":{\"name\":\""
                + node
                + "\"},\"spec\":{}}");
        assertThat(
                ipam.assign(
                    new AssignRequest(
                        "net.c" + node,
                        node,
                        1,
                        0,
                        Map.of("node", node, "namespace", "shop", "pod", "p" + node),
                        List.of(),
                        SameTxn.nothing())))
            .isInstanceOf(AssignResult.Assigned.class);
      }
    }
  }

  @AfterEach
  void close() {
    store.close();
  }

  private void put(String key, String value) throws Exception {
    store.commit(Txn.builder().put(key, value).build());
  }

  private void delete(String key) throws Exception {
    store.commit(Txn.builder().delete(key).build());
  }

  private CareRound careOf(String node, Mode mode) {
    return new CareRound(
        node,
        () -> mode,
        store,
        each -> {
          for (String prefix :
              List.of(ResourceKeys.ROOT, IpamKeys.affinities(node), IpamKeys.BLOCKS)) {
            store.list(prefix, each);
          }
        },
        () -> new NodeWitness(node, here, Set.of(), Set.of(), true),
        () -> now,
        () -> now.plus(ahead),
        GarbageLimits.DEFAULT);
  }

  private static void pass(CareRound... rounds) throws Exception {
    for (CareRound round : rounds) {
      round.showLife();
    }
    for (CareRound round : rounds) {
      round.run();
    }
  }

  private boolean isHeld(String handle) throws Exception {
    return store.get(IpamKeys.handle(handle)).isPresent();
  }

  @Test
  void each_node_judges_its_own_pods_and_a_dry_run_frees_none() throws Exception {
    CareRound dry = careOf("b", Mode.DRY_RUN);
    CareRound real = careOf("a", Mode.ON);
    pass(real, dry);
    now = now.plus(GarbageLimits.DEFAULT.grace());
    dry.showLife();
    Optional<GarbageCollector.Round> told = dry.run();
    assertThat(told.orElseThrow().decision().count(Outcome.RELEASE)).isEqualTo(1);
    assertThat(told.orElseThrow().released()).isEmpty();
    pass(real);
    assertThat(isHeld("net.ca")).isTrue();
    assertThat(isHeld("net.cb")).isTrue();

    CareRound b = careOf("b", Mode.ON);
    pass(b);
    now = now.plus(GarbageLimits.DEFAULT.grace());
    pass(b);
    assertThat(isHeld("net.cb")).isFalse();
    assertThat(isHeld("net.ca")).isTrue();
  }

  @Test
  void the_first_living_node_judges_the_vanished_and_its_heir_when_it_falls_silent()
      throws Exception {
    put(
        ResourceKeys.prefix(Kind.NODE) + "c",
        "{\"kind\":\"Node\",\"apiVersion\":\"projectcalico.org/v3\",\"metadata\":{\"name\":\"c\"},"
            + "\"spec\":{}}");
    here = Set.of("net.ca", "net.cb");
    CareRound a = careOf("a", Mode.ON);
    CareRound c = careOf("c", Mode.ON);
    pass(a, c);
    delete(ResourceKeys.prefix(Kind.NODE) + "b");
    // a falls silent: for a while nobody judges, then c does, though the clock is set back.
    c.showLife();
    c.run();
    now = now.minusSeconds(3600);
    ahead = Duration.ofHours(1);
    now = now.plus(AgentBeat.ALIVE);
    c.showLife();
    c.run();
    now = now.plus(GarbageLimits.DEFAULT.grace()).minus(Duration.ofSeconds(1));
    c.showLife();
    c.run();
    assertThat(isHeld("net.cb")).isTrue();
    now = now.plusSeconds(1);
    c.showLife();
    c.run();
    assertThat(isHeld("net.cb")).isFalse();
    c.run();
    assertThat(store.list(IpamKeys.affinities("b")).items()).isEmpty();
  }

  @Test
  void a_document_that_cannot_be_read_is_said_once_while_it_lasts() throws Exception {
    Logger logger = (Logger) LoggerFactory.getLogger(CareRound.class);
    ListAppender<ILoggingEvent> log = new ListAppender<>();
    log.start();
    logger.addAppender(log);
    try {
      here = Set.of();
      put(IpamKeys.handle("net.ca"), "{broken");
      CareRound a = careOf("a", Mode.ON);
      pass(a);
      now = now.plus(GarbageLimits.DEFAULT.grace());
      pass(a);
      pass(a);
    } finally {
      logger.detachAppender(log);
    }
    assertThat(log.list)
        .filteredOn(event -> event.getMessage().equals("what should be freed stays: unreadable"))
        .singleElement()
        .satisfies(
            event ->
                assertThat(event.getKeyValuePairs().toString())
                    .contains(IpamKeys.handle("net.ca"), "margay ipam repair --apply"));
  }

  @Test
  void one_agent_writes_the_conditions_of_pools_once() throws Exception {
    CareRound a = careOf("a", Mode.OFF);
    CareRound b = careOf("b", Mode.OFF);
    a.showLife();
    b.showLife();
    b.run();
    assertThat(store.get(POOL).orElseThrow().value()).doesNotContain("Allocatable");
    a.run();
    assertThat(store.get(POOL).orElseThrow().value())
        .contains("\"type\":\"Allocatable\"", "\"reason\":\"OK\"");
    long revision = store.revision();
    a.run();
    b.run();
    assertThat(store.revision()).isEqualTo(revision);
  }

  @Test
  void off_judges_nothing() throws Exception {
    CareRound a = careOf("a", Mode.OFF);
    a.showLife();
    assertThat(a.run()).isEmpty();
  }

  @Test
  void the_alias_of_a_host_end_names_its_container() {
    assertThat(LocalWitness.containerOf("margay:0123abc/eth0")).contains("0123abc");
    assertThat(LocalWitness.containerOf("margay:")).isEmpty();
    assertThat(LocalWitness.containerOf("uplink to tor1")).isEmpty();
  }
}
