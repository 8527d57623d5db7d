package io.margay.agent.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.agent.firewall.PolicyCount;
import io.margay.linux.nft.NftCounter;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class PolicyMetricsTest {

  private List<PolicyCount> counts = List.of();
  private final PrometheusRegistry registry = new PrometheusRegistry();

  PolicyMetricsTest() {
    PolicyMetrics.register(registry, () -> counts);
  }

  private static PolicyCount count(String policy, long ipv4, long ipv6) {
    return new PolicyCount(
        new PolicyCount.Subject("default", "NetworkPolicy", policy, "ingress", "0", "allow"),
        new NftCounter(ipv4, ipv4 * 60),
        new NftCounter(ipv6, ipv6 * 80));
  }

  private List<CounterSnapshot.CounterDataPointSnapshot> series(String name) {
    return registry.scrape().stream()
        .filter(metric -> metric.getMetadata().getName().equals(name))
        .map(CounterSnapshot.class::cast)
        .findFirst()
        .orElseThrow()
        .getDataPoints();
  }

  private @Nullable Double value(String metric, String label, String value) {
    return series(metric).stream()
        .filter(point -> value.equals(point.getLabels().get(label)))
        .map(CounterSnapshot.CounterDataPointSnapshot::getValue)
        .findFirst()
        .orElse(null);
  }

  private double withoutSeries() {
    return registry.scrape().stream()
        .filter(m -> m.getMetadata().getName().equals("margay_policy_rules_without_series"))
        .map(GaugeSnapshot.class::cast)
        .findFirst()
        .orElseThrow()
        .getDataPoints()
        .getFirst()
        .getValue();
  }

  @Test
  void packets_and_octets_of_both_families_are_summed_under_the_authors_names() {
    counts = List.of(count("shop/db", 3, 4));
    assertThat(value("margay_policy_rule_packets", "policy", "shop/db")).isEqualTo(7);
    assertThat(value("margay_policy_rule_bytes", "policy", "shop/db")).isEqualTo(500);
    assertThat(series("margay_policy_rule_packets").getFirst().getLabels().get("tier"))
        .isEqualTo("default");
    assertThat(withoutSeries()).isZero();
  }

  @Test
  void rules_beyond_the_limit_share_a_series_and_those_shown_stay() {
    List<PolicyCount> many = new ArrayList<>();
    for (int i = 0; i < PolicyMetrics.MAX_RULES; i++) {
      many.add(count("m/" + i, 1, 0));
    }
    counts = List.copyOf(many);
    assertThat(series("margay_policy_rule_packets")).hasSize(PolicyMetrics.MAX_RULES);
    // It sorts before all others, and comes too late.
    many.addFirst(count("a/late", 5, 0));
    counts = many;
    assertThat(series("margay_policy_rule_packets")).hasSize(PolicyMetrics.MAX_RULES + 1);
    assertThat(value("margay_policy_rule_packets", "policy", "a/late")).isNull();
    assertThat(value("margay_policy_rule_packets", "rule", "other")).isEqualTo(5);
    assertThat(withoutSeries()).isEqualTo(1);
    many.remove(7);
    assertThat(value("margay_policy_rule_packets", "policy", "a/late")).isEqualTo(5);
    assertThat(withoutSeries()).isZero();
  }

  @Test
  void what_rules_without_series_counted_stays_counted_when_they_go_or_get_a_series() {
    List<PolicyCount> many = new ArrayList<>();
    for (int i = 0; i < PolicyMetrics.MAX_RULES; i++) {
      many.add(count("m/" + i, 1, 0));
    }
    counts = List.copyOf(many);
    assertThat(series("margay_policy_rule_packets")).hasSize(PolicyMetrics.MAX_RULES);
    many.add(count("x", 5, 0));
    many.add(count("y", 3, 0));
    counts = List.copyOf(many);
    assertThat(other()).isEqualTo(8);
    many.removeLast();
    counts = List.copyOf(many);
    assertThat(other()).as("y is gone").isEqualTo(8);
    many.set(many.size() - 1, count("x", 7, 0));
    counts = List.copyOf(many);
    assertThat(other()).isEqualTo(10);
    assertThat(value("margay_policy_rule_bytes", "rule", "other")).isEqualTo(600);
    many.remove(7);
    counts = List.copyOf(many);
    assertThat(value("margay_policy_rule_packets", "policy", "x")).isEqualTo(7);
    assertThat(other()).as("x has a series").isEqualTo(10);
    many.add(count("y", 3, 0));
    counts = List.copyOf(many);
    assertThat(other()).as("y is back").isEqualTo(13);
    counts = List.of();
    assertThat(withoutSeries()).as("a reading that failed").isZero();
    registry.scrape();
    counts = List.copyOf(many);
    assertThat(other()).isEqualTo(13);
  }

  private @Nullable Double other() {
    return value("margay_policy_rule_packets", "rule", "other");
  }
}
