package io.margay.agent.http;

import io.margay.agent.firewall.PolicyCount;
import io.prometheus.metrics.core.metrics.CounterWithCallback;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import java.util.function.ToLongFunction;
import java.util.stream.Collectors;

/// What policy's rules have counted, as metrics of a bounded number of series.
public final class PolicyMetrics {

  /// Rules with series of their own. A rule keeps its place while it is there; those that find none
  /// are counted in one series with the name `other`.
  static final int MAX_RULES = 1000;

  private static final String[] LABELS = {"tier", "kind", "policy", "direction", "rule", "action"};
  private static final String OTHER = "other";

  private final AtomicReference<Set<PolicyCount.Subject>> shown = new AtomicReference<>(Set.of());
  private final Rest packets = new Rest();
  private final Rest octets = new Rest();
  private final Supplier<List<PolicyCount>> counts;

  private PolicyMetrics(Supplier<List<PolicyCount>> counts) {
    this.counts = counts;
  }

  /// @param counts asked at each scrape; none where they can't be read
  public static void register(PrometheusRegistry registry, Supplier<List<PolicyCount>> counts) {
    PolicyMetrics metrics = new PolicyMetrics(counts);
    CounterWithCallback.builder()
        .name("margay_policy_rule_packets_total")
        .help("Packets that reached a rule of policy: each connection's first, or each denied.")
        .labelNames(LABELS)
        .callback(counter -> metrics.show(counter, PolicyCount::packets, metrics.packets))
        .register(registry);
    CounterWithCallback.builder()
        .name("margay_policy_rule_bytes_total")
        .help("Octets of the packets that reached a rule of policy.")
        .labelNames(LABELS)
        .callback(counter -> metrics.show(counter, PolicyCount::octets, metrics.octets))
        .register(registry);
    GaugeWithCallback.builder()
        .name("margay_policy_rules_without_series")
        .help("Rules that are counted under the name other, because there are too many.")
        .callback(gauge -> gauge.call((double) metrics.leftOut()))
        .register(registry);
  }

  /// What was counted by rules without series. It stays counted when they go or get a series.
  private static final class Rest {
    private Map<PolicyCount.Subject, Long> last = Map.of();
    private long sum;

    /// A rule that counts less than it did was made anew.
    ///
    /// @param now what each such rule has counted
    synchronized long add(Map<PolicyCount.Subject, Long> now) {
      now.forEach(
          (what, value) -> {
            long before = last.getOrDefault(what, 0L);
            sum += value < before ? value : value - before;
          });
      last = now;
      return sum;
    }
  }

  private void show(
      CounterWithCallback.Callback counter, ToLongFunction<PolicyCount> value, Rest rest) {
    List<PolicyCount> now = counts.get();
    Set<PolicyCount.Subject> admitted = admit(now);
    Map<PolicyCount.Subject, Long> others = new HashMap<>();
    for (PolicyCount count : now) {
      PolicyCount.Subject what = count.what();
      if (admitted.contains(what)) {
        counter.call(
            (double) value.applyAsLong(count),
            what.tier(),
            what.kind(),
            what.policy(),
            what.direction(),
            what.rule(),
            what.action());
      } else {
        others.merge(what, value.applyAsLong(count), Long::sum);
      }
    }
    if (now.isEmpty()) {
      return; // or they could not be read: nothing is forgotten for that
    }
    long sum = rest.add(others);
    if (sum > 0 || !others.isEmpty()) {
      counter.call((double) sum, "", "", "", "", OTHER, "");
    }
  }

  private long leftOut() {
    List<PolicyCount> now = counts.get();
    Set<PolicyCount.Subject> admitted = admit(now);
    return now.stream().filter(count -> !admitted.contains(count.what())).count();
  }

  private Set<PolicyCount.Subject> admit(List<PolicyCount> now) {
    if (now.isEmpty()) {
      return shown.get();
    }
    Set<PolicyCount.Subject> there =
        now.stream().map(PolicyCount::what).collect(Collectors.toCollection(LinkedHashSet::new));
    return shown.updateAndGet(
        before -> {
          Set<PolicyCount.Subject> admitted = new LinkedHashSet<>(before);
          admitted.retainAll(there);
          for (PolicyCount.Subject what : there) {
            if (admitted.size() == MAX_RULES) {
              break;
            }
            admitted.add(what);
          }
          return admitted;
        });
  }
}
