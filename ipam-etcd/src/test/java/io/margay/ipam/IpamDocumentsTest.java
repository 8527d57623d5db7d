package io.margay.ipam;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Calico's documents, field by field: `AllocationBlock`, `AllocationAttribute`, `BlockAffinity`,
/// `IPAMHandle` and `IPAMConfig` of libcalico-go `lib/backend/model`.
class IpamDocumentsTest {

  private static final Prefix CIDR = Prefix.parse("10.0.0.0/30");
  private static final String KEY = "/calico/ipam/v2/assignment/ipv4/block/10.0.0.0-30";

  private static final String BLOCK =
      """
      {"cidr":"10.0.0.0/30","affinity":"host:node1","affinity_claim_time":"2026-11-23T10:00:00Z",\
      "allocations":[0,null,1,null],"unallocated":[3,1],\
      "attributes":[{"handle_id":"k8s-pod-network.abc","secondary":{"namespace":"n","node":"node1","pod":"p"}},\
      {"handle_id":"vxlan-tunnel-addr-node1","secondary":{"node":"node1","type":"vxlanTunnelAddress"},\
      "alternateOwnerAttrs":{"pod":"p2"},"releasedAt":"2026-11-23T10:00:05Z"}],\
      "sequenceNumber":1795428000000000002,\
      "sequenceNumberForAllocation":{"0":1795428000000000000,"2":1795428000000000001},\
      "deleted":false,"later":{"than":["us"]}}\
      """;

  @Test
  void a_block_is_written_as_it_was_read_unknown_fields_included() {
    assertThat(Block.parse(KEY, BLOCK).toJson()).isEqualTo(BLOCK);
  }

  @Test
  void a_new_block_has_calicos_shape() {
    Block block = Block.create(CIDR, "host:node1", Instant.parse("2026-11-23T10:00:00Z"));
    Block used =
        block
            .take(1, Block.Attribute.of("net.c", Map.of("pod", "p", "namespace", "n")), _ -> false)
            .block()
            .advanced();
    assertThat(used.toJson())
        .isEqualTo(
            """
            {"cidr":"10.0.0.0/30","affinity":"host:node1","affinity_claim_time":"2026-11-23T10:00:00Z",\
            "allocations":[0,null,null,null],"unallocated":[1,2,3],\
            "attributes":[{"handle_id":"net.c","secondary":{"namespace":"n","pod":"p"}}],\
            "sequenceNumber":1795428000000000001,"sequenceNumberForAllocation":{"0":1795428000000000000},\
            "deleted":false}\
            """);
  }

  @Test
  void a_freed_address_has_nothing_but_the_second_it_was_freed() {
    Block block =
        Block.parse(KEY, BLOCK)
            .free(
                List.of(IpAddress.parse("10.0.0.0")),
                Instant.parse("2026-11-23T10:00:07.5Z"),
                Duration.ofSeconds(9));
    assertThat(block.toJson())
        .contains("{\"releasedAt\":\"2026-11-23T10:00:07Z\"}")
        .doesNotContain("k8s-pod-network.abc");
  }

  @Test
  void nobodys_block_has_a_null_affinity_and_the_old_field_is_understood() {
    String nobodys = BLOCK.replace("\"host:node1\"", "null");
    assertThat(Block.parse(KEY, nobodys).affinity()).isEmpty();
    assertThat(Block.parse(KEY, nobodys).toJson()).isEqualTo(nobodys);
    String old =
        nobodys.replace("\"deleted\":false", "\"deleted\":false,\"hostAffinity\":\"node1\"");
    assertThat(Block.parse(KEY, old).isAffineTo("node1")).isTrue();
    assertThat(Block.parse(KEY, old).toJson()).isEqualTo(BLOCK);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "[]",
        "{}",
        "{\"cidr\":\"10.0.0.0/30\",\"allocations\":[null]}",
        "{\"cidr\":\"10.0.0.1/30\",\"allocations\":[null,null,null,null]}",
        "{\"cidr\":\"10.0.0.0/30\",\"allocations\":[7,null,null,null]}",
        "{\"cidr\":\"10.0.0.0/8\",\"allocations\":[]}"
      })
  void what_is_no_block_is_refused_naming_its_key(String json) {
    assertThatThrownBy(() -> Block.parse(KEY, json))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(KEY);
  }

  @ParameterizedTest
  @CsvSource({"pending,PENDING", "confirmed,CONFIRMED", "pendingDeletion,PENDING_DELETION"})
  void a_claim_is_written_as_it_was_read(String text, BlockAffinity.State state) {
    String json = "{\"state\":\"" + text + "\",\"deleted\":false,\"type\":\"host\"}";
    BlockAffinity affinity = BlockAffinity.parse("/k", json);
    assertThat(affinity.state()).isEqualTo(state);
    assertThat(affinity.toJson()).isEqualTo(json);
  }

  @Test
  void an_empty_claim_is_an_old_confirmed_one() {
    assertThat(BlockAffinity.parse("/k", "")).isEqualTo(BlockAffinity.CONFIRMED);
    assertThat(BlockAffinity.CONFIRMED.toJson())
        .isEqualTo("{\"state\":\"confirmed\",\"deleted\":false}");
    assertThatThrownBy(() -> BlockAffinity.parse("/k", "{\"state\":\"no\"}"))
        .hasMessageContaining("/k");
  }

  @Test
  void a_handle_is_written_as_it_was_read_and_counts() {
    String json = "{\"block\":{\"10.0.0.0/26\":1,\"fd00::/122\":2},\"deleted\":false}";
    Handle handle = Handle.parse("net.c", json);
    assertThat(handle.toJson()).isEqualTo(json);
    assertThat(handle.adjusted(Prefix.parse("10.0.0.0/26"), -1).toJson())
        .isEqualTo("{\"block\":{\"fd00::/122\":2},\"deleted\":false}");
    assertThat(Handle.empty("h").adjusted(CIDR, 1).toJson())
        .isEqualTo("{\"block\":{\"10.0.0.0/30\":1},\"deleted\":false}");
  }

  @Test
  void settings_default_as_calicos_do() {
    assertThat(IpamConfig.parse("{}")).isEqualTo(IpamConfig.DEFAULT);
    assertThat(
            IpamConfig.parse(
                "{\"strict_affinity\":true,\"auto_allocate_blocks\":false,\"maxBlocksPerHost\":4,\"ipCooldownSeconds\":60}"))
        .isEqualTo(new IpamConfig(true, false, 4, Duration.ofSeconds(60)));
  }

  /// Calico leaves false out of the document, and refuses neither flag set.
  @Test
  void a_strict_cluster_that_does_not_say_so_does_not_allocate_blocks() {
    assertThat(IpamConfig.parse("{\"strict_affinity\":true}"))
        .isEqualTo(new IpamConfig(true, false, 0, Duration.ZERO));
    assertThat(IpamConfig.parse("{\"strict_affinity\":true,\"auto_allocate_blocks\":true}"))
        .isEqualTo(new IpamConfig(true, true, 0, Duration.ZERO));
  }

  /// Go's nil map, an old strictAffinity, a time with an offset: written back as they were.
  @Test
  void what_older_and_newer_versions_wrote_is_kept() {
    String old =
        """
        {"cidr":"10.0.0.0/30","affinity":"virtual:load-balancer",\
        "affinity_claim_time":"2026-11-23T12:00:00+02:00",\
        "allocations":[0,1,null,null],"unallocated":[2,3],\
        "attributes":[{"handle_id":null,"secondary":null},\
        {"handle_id":"h","secondary":{},"alternateOwnerAttrs":{}}],\
        "sequenceNumber":7,"sequenceNumberForAllocation":{"0":5,"1":6},\
        "deleted":false,"strictAffinity":false}\
        """;
    Block block = Block.parse(KEY, old);
    assertThat(block.toJson()).isEqualTo(old);
    assertThat(block.owner()).contains("virtual:load-balancer");
    assertThat(block.claimedAt()).contains(Instant.parse("2026-11-23T10:00:00Z"));
    assertThat(Block.parse(KEY, BLOCK).owner()).contains("node1");
    assertThat(Block.parse(KEY, BLOCK.replace("2026-11-23T10:00:00Z", "soon")).claimedAt())
        .isEmpty();
  }

  /// Attributes are shared by addresses with exactly the same, alternate owners included.
  @Test
  void attributes_with_an_alternate_owner_are_not_shared_with_those_without() {
    Block block = Block.parse(KEY, BLOCK);
    Block.Attribute same =
        Block.Attribute.of(
            "vxlan-tunnel-addr-node1", Map.of("node", "node1", "type", "vxlanTunnelAddress"));
    Block taken = block.take(2, same, _ -> false).block();
    assertThat(taken.attributes()).hasSize(3);
    assertThat(taken.allocations()).containsExactly(0, 2, 1, 2);
  }

  @Test
  void a_block_given_back_does_not_say_since_when() {
    Block nobodys = Block.parse(KEY, BLOCK).withAffinity(Optional.empty());
    assertThat(nobodys.toJson())
        .contains("\"affinity\":null,\"allocations\"")
        .doesNotContain("affinity_claim_time");
  }

  /// Go escapes these three, and its line separators.
  @Test
  void texts_are_escaped_as_go_does() {
    Block block =
        Block.create(CIDR, "host:node1", Instant.EPOCH)
            .take(1, Block.Attribute.of("h", Map.of("note", "<a> & \u2028 \u00e9")), _ -> false)
            .block();
    assertThat(block.toJson()).contains("\"note\":\"\\u003ca\\u003e \\u0026 \\u2028 \u00e9\"");
    assertThat(Block.parse(KEY, block.toJson()).toJson()).isEqualTo(block.toJson());
  }

  @Test
  void keys_are_calicos() {
    Prefix v6 = Prefix.parse("fd00::40/122");
    assertThat(IpamKeys.block(CIDR)).isEqualTo(KEY);
    assertThat(IpamKeys.block(v6)).isEqualTo("/calico/ipam/v2/assignment/ipv6/block/fd00::40-122");
    assertThat(IpamKeys.affinity("node1", v6))
        .isEqualTo("/calico/ipam/v2/host/node1/ipv6/block/fd00::40-122");
    assertThat(IpamKeys.blockOf(IpamKeys.block(v6))).contains(v6);
    assertThat(IpamKeys.affinityOf(IpamKeys.affinity("node1", CIDR)))
        .contains(new IpamKeys.AffinityKey("node1", CIDR));
    assertThat(IpamKeys.handleOf("/calico/ipam/v2/handle/net.c")).contains("net.c");
    assertThat(IpamKeys.affinityOf("/calico/ipam/v2/host/node1")).isEmpty();
    assertThat(IpamKeys.blockOf("/calico/ipam/v2/assignment/ipv4/block/junk")).isEmpty();
  }
}
