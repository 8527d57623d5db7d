package io.margay.cli.resource;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.datastore.CommitResult;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.KeyValue;
import io.margay.datastore.Txn;
import io.margay.ipam.AssignRequest;
import io.margay.ipam.AssignResult;
import io.margay.ipam.Ipam;
import io.margay.ipam.IpamKeys;
import io.margay.ipam.Pool;
import io.margay.ipam.Pools;
import io.margay.ipam.SameTxn;
import io.margay.ipam.care.AgentBeat;
import io.margay.model.net.Prefix;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What hangs on a resource goes with it, and one set of settings under two keys.
class RemovalCommandsTest {

  private static final String CLUSTER =
      """
      apiVersion: projectcalico.org/v3
      kind: IPPool
      metadata: {name: pods}
      spec: {cidr: 10.65.0.0/24, blockSize: 26}
      ---
      apiVersion: projectcalico.org/v3
      kind: Node
      metadata: {name: n1}
      spec: {}
      """;
  private static final String SETTINGS =
      """
      apiVersion: projectcalico.org/v3
      kind: IPAMConfiguration
      metadata: {name: default}
      spec: {strictAffinity: true, autoAllocateBlocks: true, maxBlocksPerHost: 4}
      """;

  private static final String RESOURCES = "/calico/resources/v3/projectcalico.org/";

  private final MargayRun run = new MargayRun();

  /// The resource as a file has it that names the version now stored.
  private String versioned(String kind, String place, String spec) throws Exception {
    long version = run.store.get(RESOURCES + place).orElseThrow().modRevision();
    return """
    apiVersion: projectcalico.org/v3
    kind: %s
    metadata: {name: %s, resourceVersion: "%d"}
    spec: %s
    """
        .formatted(kind, place.substring(place.indexOf('/') + 1), version, spec);
  }

  @BeforeEach
  void cluster() throws Exception {
    assertThat(run.margay(CLUSTER, "apply", "-f", "-")).isZero();
    Pools pools = Pools.of(Pool.of("pods", Prefix.parse("10.65.0.0/24"), 26));
    AssignRequest request =
        new AssignRequest(
            "net.c1",
            "n1",
            1,
            0,
            Map.of("pod", "p", "namespace", "ns", "node", "n1"),
            List.of(),
            _ -> SameTxn.Extras.NONE);
    try (Ipam ipam = new Ipam(run.store, () -> Instant.EPOCH, pools)) {
      assertThat(ipam.assign(request)).isInstanceOf(AssignResult.Assigned.class);
    }
  }

  @Test
  void a_deleted_node_leaves_no_address_and_no_block() throws Exception {
    assertThat(run.margay("", "delete", "node", "n1")).isZero();
    assertThat(run.out).startsWith("Node(n1) deleted\n");
    assertThat(run.store.list(IpamKeys.BLOCKS).items()).isEmpty();
    assertThat(run.store.list("/calico/ipam/v2/").items()).isEmpty();
  }

  @Test
  void a_node_with_an_unreadable_block_stays_until_a_second_run_finishes_it() throws Exception {
    KeyValue block = run.store.list(IpamKeys.BLOCKS).items().getFirst();
    run.store.commit(Txn.builder().put(block.key(), "{broken").build());

    assertThat(run.margay("", "delete", "node", "n1")).as(run.err).isEqualTo(4);
    assertThat(run.err)
        .startsWith("Node(n1): ")
        .contains("\n  " + block.key(), "margay ipam repair --apply")
        .endsWith("of 1: 0 deleted, 1 refused\n");
    assertThat(run.margay("", "get", "node", "n1")).isZero();

    run.store.commit(Txn.builder().put(block.key(), block.value()).build());
    assertThat(run.margay("", "delete", "node", "n1")).as(run.err).isZero();
    assertThat(run.store.list("/calico/ipam/v2/").items()).isEmpty();
  }

  @Test
  void a_node_whose_agent_is_alive_is_deleted_by_force_only() throws Exception {
    run.store.commit(
        Txn.builder()
            .put(AgentBeat.key("n1"), new AgentBeat(Instant.parse("2026-01-31T12:00:00Z")).toJson())
            .build());
    assertThat(run.margay("", "delete", "node", "n1")).isEqualTo(4);
    assertThat(run.err).contains("Node(n1): its agent is alive", "--force");
    assertThat(run.store.list(IpamKeys.BLOCKS).items()).hasSize(1);

    assertThat(run.margay("", "delete", "node", "n1", "--force")).isZero();
    assertThat(run.store.list(IpamKeys.BLOCKS).items()).isEmpty();
  }

  @Test
  void a_pool_in_use_is_deleted_by_force_only() throws Exception {
    long before = run.store.revision();
    assertThat(run.margay("", "delete", "ippool", "pods")).isEqualTo(4);
    assertThat(run.err).contains("IPPool(pods): 1 of its addresses are in use", "--force");
    assertThat(run.store.revision()).isEqualTo(before);

    assertThat(run.margay("", "delete", "ippool", "pods", "--force")).isZero();
    assertThat(run.margay("", "get", "ippool", "pods")).isEqualTo(1);
  }

  @ParameterizedTest
  @CsvSource({"IPPool, ippools, pods, {cidr: 10.65.0.0/24}", "Node, nodes, n1, {}"})
  void what_others_change_while_it_is_emptied_stays_where_one_version_is_to_go(
      String kind, String plural, String name, String spec) throws Exception {
    String key = RESOURCES + plural + "/" + name;
    String named = versioned(kind, plural + "/" + name, spec);
    run.opener =
        _ ->
            new MargayRun.Forwarding(run.store) {
              private boolean isChanged;

              @Override
              public CommitResult commit(Txn txn) throws DatastoreException {
                CommitResult result = super.commit(txn);
                if (!isChanged) {
                  isChanged = true;
                  KeyValue now = store.get(key).orElseThrow();
                  store.commit(
                      Txn.replace(
                          now,
                          now.value()
                              .replace(
                                  "\"spec\":{",
                                  "\"spec\":{\"n\":1" + (kind.equals("Node") ? "" : ","))));
                }
                return result;
              }
            };

    assertThat(run.margay(named, "delete", "--force", "-f", "-")).isEqualTo(4);
    assertThat(run.err).contains(name + "): is at resourceVersion ", "has been removed already");
    assertThat(run.store.get(key)).isPresent();
  }

  @Test
  void a_pool_and_a_node_go_at_the_version_that_is_named() throws Exception {
    String named = versioned("Node", "nodes/n1", "{}");
    assertThat(run.margay(named, "delete", "-f", "-")).as(run.err).isZero();
    named = versioned("IPPool", "ippools/pods", "{cidr: 10.65.0.0/24}");
    assertThat(run.margay(named, "delete", "-f", "-")).as(run.err).isZero();
  }

  @Test
  void an_emptied_pool_goes_with_its_blocks() throws Exception {
    assertThat(run.margay("", "delete", "node", "n1")).isZero();
    assertThat(run.margay("", "delete", "ippool", "pods")).isZero();
    assertThat(run.store.list("/calico/ipam/v2/").items()).isEmpty();
  }

  @Test
  void pools_that_overlap_already_can_be_put_right() throws Exception {
    String other = CLUSTER.substring(0, CLUSTER.indexOf("---")).replace("name: pods", "name: wide");
    assertThat(run.margay(other, "create", "-f", "-")).isEqualTo(4);
    String key = "/calico/resources/v3/projectcalico.org/ippools/";
    String stored = run.store.get(key + "pods").orElseThrow().value();
    run.store.commit(
        Txn.builder().put(key + "wide", stored.replace("\"pods\"", "\"wide\"")).build());

    assertThat(run.margay(other.replace("26}", "26, disabled: true}"), "apply", "-f", "-"))
        .as(run.err)
        .isZero();
    assertThat(run.out).startsWith("IPPool(wide) replaced\n");
  }

  @Test
  void the_settings_of_the_allocator_are_written_where_allocators_look() throws Exception {
    assertThat(run.margay(SETTINGS, "apply", "-f", "-")).isZero();
    assertThat(run.store.get(IpamKeys.CONFIG).orElseThrow().value())
        .contains("\"strict_affinity\":true", "\"maxBlocksPerHost\":4");
    long revision = run.store.revision();
    assertThat(run.margay(SETTINGS, "apply", "-f", "-")).isZero();
    assertThat(run.out).contains("unchanged");
    assertThat(run.store.revision()).isEqualTo(revision);
  }

  @Test
  void settings_that_somebody_else_wrote_are_shown_and_can_be_deleted() throws Exception {
    run.store.commit(
        Txn.builder()
            .put(
                IpamKeys.CONFIG,
                "{\"strict_affinity\":true,\"auto_allocate_blocks\":true,\"maxBlocksPerHost\":7}")
            .build());
    assertThat(run.margay("", "get", "ipamconfig", "default", "-o", "yaml")).isZero();
    assertThat(run.out).contains("strictAffinity: true", "maxBlocksPerHost: 7");
    assertThat(run.margay("", "get", "ipamconfig", "-o", "yaml")).isZero();
    assertThat(run.out).contains("maxBlocksPerHost: 7");

    assertThat(run.margay("", "delete", "ipamconfig", "default")).isZero();
    assertThat(run.store.get(IpamKeys.CONFIG)).isEmpty();
  }
}
