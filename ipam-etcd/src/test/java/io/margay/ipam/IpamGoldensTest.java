package io.margay.ipam;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.ipam.care.IpamSettings;
import io.margay.model.net.Prefix;
import io.margay.model.resource.IPAMConfiguration;
import io.margay.model.resource.IPAMConfigurationSpec;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The documents under `ipam-goldens/`, whose index says where each was transcribed from.
class IpamGoldensTest {

  private static String text(String name) {
    try (InputStream in = IpamGoldensTest.class.getResourceAsStream("/ipam-goldens/" + name)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8).stripTrailing();
    } catch (IOException broken) {
      throw new UncheckedIOException(broken);
    }
  }

  /// The second cell of the index's row for the file.
  private static String key(String file) {
    return text("goldens.md")
        .lines()
        .filter(line -> line.startsWith("| " + file + " |"))
        .map(line -> line.split("\\|", -1)[2].strip().replace("`", ""))
        .findFirst()
        .orElseThrow();
  }

  @ParameterizedTest
  @ValueSource(strings = {"block-new.json", "block-used.json", "block-nobodys.json"})
  void a_block_of_calicos_is_read_and_written_back_byte_for_byte(String file) {
    Block block = Block.parse(key(file), text(file));

    assertThat(block.toJson()).isEqualTo(text(file));
    assertThat(IpamKeys.block(block.cidr())).isEqualTo(key(file));
    assertThat(IpamKeys.blockOf(key(file))).contains(block.cidr());
  }

  @Test
  void a_block_made_here_is_calicos_byte_for_byte() {
    Block.Attribute pod =
        Block.Attribute.of(
            "k8s-pod-network.9f2c41",
            Map.of(
                "pod", "web-1",
                "namespace", "shop",
                "node", "node1",
                "timestamp", "2026-11-23 10:00:00 +0000 UTC"));
    Block.Attribute tunnel =
        Block.Attribute.of(
            "vxlan-tunnel-addr-node1", Map.of("type", "vxlanTunnelAddress", "node", "node1"));

    Block block =
        Block.create(
            Prefix.parse("10.65.0.0/28"), "host:node1", Instant.parse("2026-11-23T10:00:00Z"));
    block = block.take(1, pod, _ -> false).block().advanced();
    block = block.take(1, tunnel, _ -> false).block().advanced();

    assertThat(block.toJson()).isEqualTo(text("block-new.json"));
  }

  @Test
  void what_a_block_of_calicos_says_is_understood() {
    Block used = Block.parse("k", text("block-used.json"));

    assertThat(used.allocated())
        .extracting(each -> each.address() + " " + each.holder().handleId().orElseThrow())
        .containsExactly("10.65.0.18 k8s-pod-network.vmi-shop-db", "10.65.0.26 by-hand");
    assertThat(used.resting())
        .extracting(each -> each.address().toString())
        .containsExactly("10.65.0.28");
    assertThat(Block.parse("k", text("block-nobodys.json")).owner()).isEmpty();
  }

  @Test
  void a_handle_of_calicos_is_read_and_made_byte_for_byte() {
    String key = key("handle.json");
    String id = IpamKeys.handleOf(key).orElseThrow();

    assertThat(Handle.parse(id, text("handle.json")).toJson()).isEqualTo(text("handle.json"));
    assertThat(IpamKeys.handle(id)).isEqualTo(key);
    assertThat(
            Handle.empty(id)
                .adjusted(Prefix.parse("fd00:65::40/126"), 1)
                .adjusted(Prefix.parse("10.65.0.16/28"), 1)
                .adjusted(Prefix.parse("10.65.0.128/28"), 2)
                .toJson())
        .isEqualTo(text("handle.json"));
  }

  @ParameterizedTest
  @CsvSource({
    "affinity-confirmed.json, CONFIRMED, node1, 10.65.0.0/28",
    "affinity-pending.json, PENDING, virtual:load-balancer, 10.65.0.32/28",
    "affinity-leaving.json, PENDING_DELETION, node1, fd00:65::40/126",
  })
  void a_claim_of_calicos_is_read_and_made_byte_for_byte(
      String file, BlockAffinity.State state, String owner, String cidr) {
    Prefix block = Prefix.parse(cidr);

    assertThat(BlockAffinity.parse(key(file), text(file)).toJson()).isEqualTo(text(file));
    assertThat(BlockAffinity.CONFIRMED.with(state).toJson()).isEqualTo(text(file));
    assertThat(IpamKeys.affinity(owner, block)).isEqualTo(key(file));
    assertThat(IpamKeys.affinityOf(key(file))).contains(new IpamKeys.AffinityKey(owner, block));
  }

  private static IPAMConfigurationSpec settings(
      boolean strict, boolean blocks, int limit, @Nullable String persistence, int cooldown) {
    return new IPAMConfigurationSpec(strict, blocks, limit, persistence, cooldown, Map.of());
  }

  @Test
  void settings_are_written_as_calicos_client_does_and_read_back() {
    Map<String, IPAMConfigurationSpec> byFile =
        Map.of(
            "config.json", settings(true, true, 4, "Disabled", 60),
            "config-defaults.json", settings(false, true, 0, null, 0),
            "config-no-blocks.json", settings(true, false, 0, null, 0));

    byFile.forEach(
        (file, spec) -> {
          assertThat(key(file)).isEqualTo(IpamKeys.CONFIG);
          assertThat(IpamSettings.document(spec, null)).isEqualTo(text(file));
          IPAMConfigurationSpec read =
              IpamSettings.inForce(Optional.empty(), Optional.of(text(file)))
                  .map(IPAMConfiguration::spec)
                  .orElseThrow();
          assertThat(IpamSettings.document(read, text(file))).isEqualTo(text(file));
          assertThat(IpamConfig.parse(text(file)).strictAffinity())
              .isEqualTo(spec.isStrictAffinity());
          assertThat(IpamConfig.parse(text(file)).autoAllocateBlocks())
              .isEqualTo(spec.mayAllocateBlocks());
        });
  }

  @Test
  void what_later_versions_say_in_the_settings_stays_behind_what_is_known() {
    assertThat(
            IpamSettings.document(
                settings(true, true, 0, null, 0),
                "{\"later\":{\"than\":\"us\"},\"strict_affinity\":false,\"maxBlocksPerHost\":0}"))
        .isEqualTo(
            "{\"strict_affinity\":true,\"auto_allocate_blocks\":true,\"later\":{\"than\":\"us\"}}");
  }

  @Test
  void the_index_names_a_source_for_each() {
    List<String> rows =
        text("goldens.md").lines().filter(line -> line.contains(".json |")).toList();

    assertThat(rows)
        .hasSize(10)
        .allMatch(row -> row.matches("\\| [a-z-]+\\.json \\|[^|]+\\|[^|]+\\| [a-z_]+\\.go \\|.*"));
  }
}
