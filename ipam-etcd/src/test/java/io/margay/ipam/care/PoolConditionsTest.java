package io.margay.ipam.care;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.datastore.InMemoryDatastore;
import io.margay.datastore.Txn;
import io.margay.datastore.json.Decoded;
import io.margay.datastore.json.ResourceJson;
import io.margay.datastore.json.ResourceKeys;
import io.margay.ipam.care.PoolConditions.Condition;
import io.margay.model.net.Prefix;
import io.margay.model.resource.EncapsulationMode;
import io.margay.model.resource.IPPool;
import io.margay.model.resource.IPPoolSpec;
import io.margay.model.resource.Metadata;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class PoolConditionsTest {

  private static final Instant NOW = Instant.parse("2026-01-31T12:00:00Z");

  private static IPPool pool(String name, String cidr, int ageSeconds) {
    return new IPPool(
        Metadata.named(name).withIdentity("u-" + name, NOW.minusSeconds(ageSeconds)),
        IPPoolSpec.of(Prefix.parse(cidr)));
  }

  private static IPPool with(IPPool pool, @Nullable EncapsulationMode ipip, boolean disabled) {
    IPPoolSpec spec = pool.spec();
    return pool.withSpec(
        new IPPoolSpec(
            spec.cidr(),
            ipip,
            null,
            null,
            disabled,
            null,
            null,
            null,
            null,
            List.of(),
            null,
            Map.of()));
  }

  private static String reason(Map<String, List<Condition>> conditions, String name) {
    return of(conditions, name).getFirst().reason();
  }

  private static List<Condition> of(Map<String, List<Condition>> conditions, String name) {
    return Objects.requireNonNull(conditions.get(name), name);
  }

  @Test
  void each_pool_is_told_why_it_may_or_may_not_be_used() {
    IPPool going =
        new IPPool(
            new Metadata(
                "going",
                null,
                Map.of(),
                Map.of(),
                null,
                null,
                NOW,
                null,
                List.of(),
                Map.of("deletionTimestamp", "2026-01-31T12:00:00Z")),
            IPPoolSpec.of(Prefix.parse("10.3.0.0/16")));
    Map<String, List<Condition>> conditions =
        PoolConditions.of(
            List.of(
                pool("ok", "10.0.0.0/16", 9),
                pool("inside", "10.0.1.0/24", 5),
                with(pool("off", "10.1.0.0/16", 9), null, true),
                going,
                pool("heir", "10.3.4.0/24", 3),
                with(pool("wrapped", "10.4.0.0/16", 2), EncapsulationMode.ALWAYS, false)));
    assertThat(reason(conditions, "ok")).isEqualTo("OK");
    assertThat(reason(conditions, "inside")).isEqualTo("CIDROverlap");
    assertThat(reason(conditions, "off")).isEqualTo("PoolDisabled");
    assertThat(reason(conditions, "going")).isEqualTo("Terminating");
    assertThat(reason(conditions, "heir")).isEqualTo("CIDROverlap");
    assertThat(conditions.get("wrapped"))
        .extracting(
            condition -> condition.type() + " " + condition.status() + " " + condition.reason())
        .containsExactly(
            "Allocatable true OK", "AllocatableByMargay false EncapsulationUnsupported");
  }

  @Test
  void who_serves_goes_on_serving_whatever_the_age_of_others() {
    IPPool young = pool("young", "10.0.0.0/16", 1);
    IPPool serving =
        PoolConditions.updated(young, of(PoolConditions.of(List.of(young)), "young"), NOW)
            .orElseThrow();
    Map<String, List<Condition>> conditions =
        PoolConditions.of(List.of(pool("old", "10.0.0.0/8", 99), serving));
    assertThat(reason(conditions, "young")).isEqualTo("OK");
    assertThat(reason(conditions, "old")).isEqualTo("CIDROverlap");
  }

  @Test
  void a_disabled_pool_does_not_stand_in_anybodys_way() {
    Map<String, List<Condition>> conditions =
        PoolConditions.of(
            List.of(with(pool("off", "10.0.0.0/8", 99), null, true), pool("on", "10.0.0.0/16", 1)));
    assertThat(reason(conditions, "on")).isEqualTo("OK");
  }

  @Test
  void what_others_said_in_other_words_stays_and_so_does_what_we_know_nothing_of() {
    Map<String, Object> calico =
        Map.of(
            "type",
            "Allocatable",
            "status",
            "True",
            "reason",
            "OK",
            "message",
            "other words",
            "lastTransitionTime",
            "2026-01-01T00:00:00Z");
    Map<String, Object> other = Map.of("type", "Other", "status", "True");
    IPPool pool = pool("p", "10.0.0.0/16", 1);
    IPPool said =
        new IPPool(
            pool.metadata(), pool.spec(), Map.of("conditions", List.of(other, calico)), Map.of());
    List<Condition> wanted = of(PoolConditions.of(List.of(said)), "p");
    assertThat(PoolConditions.updated(said, wanted, NOW)).isEmpty();

    IPPool off = with(said, null, true);
    IPPool updated =
        PoolConditions.updated(off, of(PoolConditions.of(List.of(off)), "p"), NOW).orElseThrow();
    assertThat(updated.status().toString())
        .contains("type=Other", "reason=PoolDisabled", "status=False")
        .doesNotContain("other words");
  }

  @Test
  void conditions_are_written_once_and_only_where_they_differ() throws Exception {
    try (InMemoryDatastore store = new InMemoryDatastore()) {
      for (IPPool pool :
          List.of(
              pool("a", "10.0.0.0/16", 2),
              with(pool("b", "10.1.0.0/16", 1), EncapsulationMode.CROSS_SUBNET, false))) {
        store.commit(Txn.create(ResourceKeys.key(pool), ResourceJson.encode(pool)));
      }
      assertThat(PoolConditions.write(store, NOW)).isEqualTo(2);
      long revision = store.revision();
      assertThat(PoolConditions.write(store, NOW.plusSeconds(60))).isZero();
      assertThat(store.revision()).isEqualTo(revision);
      var item = store.get(ResourceKeys.key(pool("b", "10.1.0.0/16", 1))).orElseThrow();
      IPPool b =
          (IPPool)
              ((Decoded.Valid)
                      ResourceJson.decode(item.key(), item.value(), item.modRevision())
                          .orElseThrow())
                  .resource();
      store.commit(Txn.replace(item, ResourceJson.encode(with(b, null, false))));
      assertThat(PoolConditions.write(store, NOW)).isEqualTo(1);
      assertThat(store.get(item.key()).orElseThrow().value())
          .doesNotContain("AllocatableByMargay")
          .contains("\"reason\":\"OK\"");
    }
  }

  @Test
  void a_key_below_the_pools_that_is_no_pools_harms_no_pool() throws Exception {
    InMemoryDatastore store = new InMemoryDatastore();
    IPPool pool = pool("p", "10.65.0.0/16", 1);
    store.commit(
        Txn.builder()
            .put(ResourceKeys.key(pool), ResourceJson.encode(pool))
            .put(ResourceKeys.prefix(pool.kind()) + "p/copy", "{}")
            .build());
    assertThat(PoolConditions.write(store, NOW)).isEqualTo(1);
  }
}
