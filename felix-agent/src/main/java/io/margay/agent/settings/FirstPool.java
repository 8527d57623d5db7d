package io.margay.agent.settings;

import io.margay.model.net.Prefix;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// The pools that a cluster without any is given: `firstPool`.
///
/// @param pools at most one of each family; empty: none is made
/// @param isNatOutgoing whether pods leave the cluster under their node's address
public record FirstPool(List<Pool> pools, boolean isNatOutgoing) {

  /// None is made.
  public static final FirstPool NONE = new FirstPool(List.of(), false);

  public FirstPool {
    pools = List.copyOf(pools);
  }

  /// One pool.
  ///
  /// @param blockSize prefix length of a block; empty: IPAM's own
  public record Pool(Prefix cidr, Optional<Integer> blockSize) {

    /// Calico's name of it.
    public String name() {
      return "default-ipv" + cidr.family().version() + "-ippool";
    }
  }

  static FirstPool read(SettingsNode node) throws SettingsException {
    Optional<Pool> ipv4 = pool(node, "ipv4", "blockSize", 4, 20, 32);
    Optional<Pool> ipv6 = pool(node, "ipv6", "ipv6BlockSize", 6, 116, 128);
    boolean nat = node.scalar("natOutgoing", "true or false", AgentSettings::truth).orElse(false);
    return new FirstPool(Stream.concat(ipv4.stream(), ipv6.stream()).toList(), nat);
  }

  /// @param least the shortest prefix a block may have (calico's rule, ResourceValidator)
  private static Optional<Pool> pool(
      SettingsNode node, String key, String sizeKey, int version, int least, int most)
      throws SettingsException {
    Optional<Prefix> cidr =
        node.scalar(
            key,
            "a CIDR of IPv" + version,
            text -> {
              Prefix parsed = Prefix.parse(text);
              if (parsed.family().version() != version) {
                throw new IllegalArgumentException(text);
              }
              return parsed;
            });
    Optional<Integer> size =
        node.scalar(
            sizeKey,
            "a prefix length from "
                + Math.max(least, cidr.map(Prefix::length).orElse(0))
                + " to "
                + most,
            text -> {
              int length = Integer.parseInt(text);
              if (length < Math.max(least, cidr.map(Prefix::length).orElse(0)) || length > most) {
                throw new IllegalArgumentException(text);
              }
              return length;
            });
    return cidr.map(prefix -> new Pool(prefix, size));
  }
}
