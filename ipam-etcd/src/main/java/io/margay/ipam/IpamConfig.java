package io.margay.ipam;

import com.fasterxml.jackson.databind.JsonNode;
import io.margay.datastore.KeyValue;
import java.time.Duration;
import java.util.Optional;

/// The cluster-wide settings at `/calico/ipam/v2/config`.
///
/// @param strictAffinity a node takes addresses from its own blocks only
/// @param autoAllocateBlocks nodes may claim blocks
/// @param maxBlocksPerHost most blocks of a family a node may own; 0 means {@link
///   #DEFAULT_MAX_BLOCKS}
/// @param cooldown how long a freed address rests before it is free again
public record IpamConfig(
    boolean strictAffinity, boolean autoAllocateBlocks, int maxBlocksPerHost, Duration cooldown) {

  public static final int DEFAULT_MAX_BLOCKS = 20;

  /// What holds when the key is absent.
  public static final IpamConfig DEFAULT = new IpamConfig(false, true, 0, Duration.ZERO);

  public IpamConfig {
    if (maxBlocksPerHost < 0 || cooldown.isNegative()) {
      throw new IllegalArgumentException(
          IpamKeys.CONFIG
              + ": maxBlocksPerHost "
              + maxBlocksPerHost
              + " or ipCooldownSeconds below 0");
    }
  }

  /// The most blocks of a family a node may own, as far as these settings and a request say.
  ///
  /// @param asked the request's own limit; 0 means none
  int blockLimit(int asked) {
    if (asked == 0) {
      return maxBlocksPerHost == 0 ? DEFAULT_MAX_BLOCKS : maxBlocksPerHost;
    }
    return maxBlocksPerHost == 0 ? asked : Math.min(asked, maxBlocksPerHost);
  }

  /// What a stored document says; the defaults when there is none.
  ///
  /// @throws UnreadableException when it can't be read
  static IpamConfig of(Optional<KeyValue> stored) {
    if (stored.isEmpty()) {
      return DEFAULT;
    }
    try {
      return parse(stored.get().value());
    } catch (IllegalArgumentException wrong) {
      throw new UnreadableException(
          new Unreadable(IpamKeys.CONFIG, String.valueOf(wrong.getMessage())));
    }
  }

  /// @throws IllegalArgumentException naming the key, when the document can't be read
  public static IpamConfig parse(String json) {
    JsonNode document = Documents.readObject(json, IpamKeys.CONFIG);
    boolean strict = document.path("strict_affinity").asBoolean(false);
    return new IpamConfig(
        strict,
        // Calico leaves false out of the document. Neither flag set is a state it refuses, so there
        // the field is simply not given.
        document.path("auto_allocate_blocks").asBoolean(!strict),
        document.path("maxBlocksPerHost").asInt(0),
        Duration.ofSeconds(document.path("ipCooldownSeconds").asLong(0)));
  }
}
