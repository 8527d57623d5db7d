package io.margay.ipam;

import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import java.util.Optional;

/// Calico's etcd keys of IPAM (reference: libcalico-go `backend/model`).
public final class IpamKeys {

  /// Everything IPAM keeps.
  public static final String ROOT = "/calico/ipam/v2/";

  public static final String BLOCKS = ROOT + "assignment/";
  public static final String HOSTS = ROOT + "host/";
  public static final String VIRTUALS = ROOT + "virtual/";
  public static final String HANDLES = ROOT + "handle/";
  public static final String CONFIG = ROOT + "config";

  /// What the owner of a block that is no node's starts with: `virtual:load-balancer`.
  public static final String VIRTUAL_OWNER = "virtual:";

  private IpamKeys() {}

  /// The document of a block.
  public static String block(Prefix block) {
    return blocks(block.family()) + dashed(block);
  }

  /// The folder of one family's blocks.
  public static String blocks(IpFamily family) {
    return BLOCKS + "ipv" + family.version() + "/block/";
  }

  /// A node's claim to a block.
  public static String affinity(String node, Prefix block) {
    return affinities(node) + "ipv" + block.family().version() + "/block/" + dashed(block);
  }

  /// The folder of one owner's claims, both families.
  ///
  /// @param node a node's name, or `virtual:<name>`
  public static String affinities(String node) {
    return node.startsWith(VIRTUAL_OWNER)
        ? VIRTUALS + node.substring(VIRTUAL_OWNER.length()) + "/"
        : HOSTS + node + "/";
  }

  public static String handle(String handleId) {
    return HANDLES + handleId;
  }

  private static String dashed(Prefix prefix) {
    return prefix.address() + "-" + prefix.length();
  }

  /// The block whose document this key holds; empty for any other key.
  public static Optional<Prefix> blockOf(String key) {
    if (!key.startsWith(BLOCKS)) {
      return Optional.empty();
    }
    int at = key.indexOf("/block/", BLOCKS.length());
    return at < 0 ? Optional.empty() : parseDashed(key.substring(at + "/block/".length()));
  }

  /// Whose claim to what this key holds; empty for any other key.
  public static Optional<AffinityKey> affinityOf(String key) {
    String folder = key.startsWith(HOSTS) ? HOSTS : VIRTUALS;
    if (!key.startsWith(folder)) {
      return Optional.empty();
    }
    int slash = key.indexOf('/', folder.length());
    int at = key.indexOf("/block/", folder.length());
    if (slash < 0 || at < slash) {
      return Optional.empty();
    }
    String name = key.substring(folder.length(), slash);
    String node = folder.equals(HOSTS) ? name : VIRTUAL_OWNER + name;
    return parseDashed(key.substring(at + "/block/".length()))
        .map(block -> new AffinityKey(node, block));
  }

  /// The handle this key holds; empty for any other key.
  public static Optional<String> handleOf(String key) {
    return key.startsWith(HANDLES) && key.length() > HANDLES.length()
        ? Optional.of(key.substring(HANDLES.length()))
        : Optional.empty();
  }

  private static Optional<Prefix> parseDashed(String text) {
    int dash = text.lastIndexOf('-');
    if (dash < 0) {
      return Optional.empty();
    }
    try {
      return Optional.of(Prefix.parse(text.substring(0, dash) + "/" + text.substring(dash + 1)));
    } catch (IllegalArgumentException notACidr) {
      return Optional.empty();
    }
  }

  /// An owner's claim to a block.
  ///
  /// @param node a node's name, or `virtual:<name>`
  public record AffinityKey(String node, Prefix block) {}
}
