package io.margay.model.resource;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.model.net.Prefix;
import io.margay.model.selector.Selector;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class ResourceDefaultsTest {

  private static final List<Rule> SOME = List.of(Rule.of(Action.ALLOW));

  @Test
  void policy_types_follow_the_rules_present() {
    PolicySpec none = PolicySpec.EMPTY;

    assertThat(none.effectiveTypes()).containsExactly(PolicyType.INGRESS);
    assertThat(none.withIngress(SOME).effectiveTypes()).containsExactly(PolicyType.INGRESS);
    assertThat(none.withEgress(SOME).effectiveTypes()).containsExactly(PolicyType.EGRESS);
    assertThat(none.withIngress(SOME).withEgress(SOME).effectiveTypes())
        .containsExactly(PolicyType.INGRESS, PolicyType.EGRESS);
    assertThat(none.withTypes(List.of(PolicyType.EGRESS)).withIngress(SOME).effectiveTypes())
        .containsExactly(PolicyType.EGRESS);
  }

  @Test
  void a_policy_without_tier_or_order_is_last_in_default() {
    assertThat(PolicySpec.EMPTY.effectiveTier()).isEqualTo("default");
    assertThat(PolicySpec.EMPTY.effectiveOrder()).isEqualTo(Double.POSITIVE_INFINITY);
    assertThat(PolicySpec.EMPTY.effectiveSelector()).isEqualTo(Selector.ALL);
  }

  @Test
  void a_pools_block_size_depends_on_its_family() {
    assertThat(IPPoolSpec.of(Prefix.parse("10.0.0.0/16")).effectiveBlockSize()).isEqualTo(26);
    assertThat(IPPoolSpec.of(Prefix.parse("fd00::/48")).effectiveBlockSize()).isEqualTo(122);
  }

  @Test
  void defaults_are_written_out_once() {
    IPPool pool = new IPPool(Metadata.named("p"), IPPoolSpec.of(Prefix.parse("10.0.0.0/16")));

    IPPool stored = (IPPool) ResourceDefaults.withDefaults(pool);

    assertThat(stored.spec())
        .isEqualTo(
            new IPPoolSpec(
                pool.spec().cidr(),
                EncapsulationMode.NEVER,
                EncapsulationMode.NEVER,
                null,
                null,
                null,
                26,
                Selector.ALL,
                null,
                List.of(PoolUse.WORKLOAD, PoolUse.TUNNEL),
                AssignmentMode.AUTOMATIC,
                Map.of()));
    assertThat(ResourceDefaults.withDefaults(stored)).isEqualTo(stored);
  }

  @Test
  void built_in_tiers_have_their_place() {
    Tier admin =
        (Tier)
            ResourceDefaults.withDefaults(new Tier(Metadata.named("kube-admin"), TierSpec.EMPTY));
    Tier own =
        (Tier) ResourceDefaults.withDefaults(new Tier(Metadata.named("own"), TierSpec.EMPTY));

    assertThat(admin.spec()).isEqualTo(new TierSpec(1000d, TierAction.PASS, Map.of()));
    assertThat(own.spec()).isEqualTo(new TierSpec(null, TierAction.DENY, Map.of()));
    assertThat(own.spec().effectiveOrder()).isEqualTo(Double.POSITIVE_INFINITY);
  }

  @Test
  void a_workload_endpoint_carries_what_selectors_ask_for() {
    WorkloadEndpointSpec spec =
        new WorkloadEndpointSpec(
            "k8s", null, "n-1", null, "p", "eth0", "robot", List.of(), List.of(), null, null,
            List.of(), null, null, List.of(), List.of(), Map.of(), Map.of());
    WorkloadEndpoint endpoint =
        new WorkloadEndpoint(
            Metadata.named("ns", spec.resourceName().orElseThrow())
                .withLabels(Map.of("app", "web")),
            spec);

    assertThat(endpoint.metadata().name()).isEqualTo("n--1-k8s-p-eth0");
    assertThat(ResourceDefaults.withDefaults(endpoint).metadata().labels())
        .containsExactlyInAnyOrderEntriesOf(
            Map.of(
                "app", "web",
                "projectcalico.org/namespace", "ns",
                "projectcalico.org/orchestrator", "k8s",
                "projectcalico.org/serviceaccount", "robot"));
  }

  /// CNI's ids of containers hold more than names may.
  @Test
  void every_container_id_makes_a_valid_endpoint_with_a_name_of_its_own() {
    Set<String> names = new HashSet<>();
    for (String id : List.of("my-box", "my.box", "My.Box", "my_box", "my-_box", "a.", "A.-", "a")) {
      WorkloadEndpointSpec spec =
          new WorkloadEndpointSpec(
              "cni", null, "n-1", id, null, "eth0", null, List.of(), List.of(), null, null,
              List.of(), null, null, List.of(), List.of(), Map.of(), Map.of());
      WorkloadEndpoint endpoint =
          new WorkloadEndpoint(Metadata.named("ns", spec.resourceName().orElseThrow()), spec);
      assertThat(ResourceValidator.validate(endpoint)).as(id).isEmpty();
      names.add(endpoint.metadata().name());
    }
    assertThat(names).hasSize(8).contains("n--1-cni-my--box-eth0", "n--1-cni-my.box-eth0");
  }

  @Test
  void the_next_hop_follows_the_deprecated_flag_only_without_a_mode() {
    BGPPeerSpec e = BGPPeerSpec.EMPTY;
    assertThat(e.effectiveNextHopMode()).isEqualTo(NextHopMode.AUTO);
    assertThat(keeping(null).effectiveNextHopMode()).isEqualTo(NextHopMode.KEEP);
    assertThat(keeping(NextHopMode.SELF).effectiveNextHopMode()).isEqualTo(NextHopMode.SELF);
  }

  private static BGPPeerSpec keeping(@Nullable NextHopMode mode) {
    return new BGPPeerSpec(
        null, null, null, null, null, null, true, mode, null, null, null, null, null, null, null,
        List.of(), null, null, Map.of());
  }
}
