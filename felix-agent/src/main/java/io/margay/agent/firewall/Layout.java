package io.margay.agent.firewall;

import io.margay.linux.nft.NftData;
import io.margay.linux.nft.NftElement;
import io.margay.linux.nft.NftField;
import io.margay.linux.nft.NftRule;
import io.margay.linux.nft.NftSet;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import io.margay.policy.PolicyKey;
import io.margay.policy.PortRange;
import io.margay.policy.SetMember;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The shape of our tables: few big sets, whose keys begin with a numeric set id, because the
/// kernel pays for the number of sets and not for their size.
final class Layout {

  /// (set id, address) of single addresses.
  static final String MEMBERS = "members";

  /// (set id, address range) of prefixes.
  static final String CIDRS = "cidrs";

  /// (set id, address, protocol, port) of named ports.
  static final String PORTS = "ports";

  /// (set id, port range) of long port lists.
  static final String PORT_RANGES = "port_ranges";

  /// (interface, address) an endpoint may send from.
  static final String OWNED = "owned";

  /// Interface → chain, for packets from endpoints.
  static final String FROM_ENDPOINTS = "from_wl";

  /// Interface → chain, for packets towards endpoints.
  static final String TO_ENDPOINTS = "to_wl";

  /// (protocol, port of the node) → where it leads, on every address of the node.
  static final String HOST_PORTS = "host_ports";

  /// (address, protocol, port of the node) → where it leads, on that address.
  static final String HOST_PORTS_AT = "host_ports_at";

  /// (address, the same address) of endpoints that a port of the node leads to.
  static final String HAIRPIN = "hairpin";

  static final String SPOOF_CHAIN = "spoof";
  static final String EGRESS_CHAIN = "egress";
  static final String INGRESS_CHAIN = "ingress";
  static final String NAT_CHAIN = "nat_outgoing";
  static final String HOST_PORTS_CHAIN = "host_ports_in";
  static final String HOST_PORTS_LOCAL_CHAIN = "host_ports_local";
  static final String HOST_PORTS_BACK_CHAIN = "host_ports_back";

  private static final int HASH_OCTETS = 8;

  private Layout() {}

  static List<NftSet> sets(IpFamily family) {
    NftField address = NftField.address(family);
    return List.of(
        NftSet.hash(MEMBERS, NftField.MARK, address),
        NftSet.interval(CIDRS, NftField.MARK, address),
        NftSet.hash(PORTS, NftField.MARK, address, NftField.PROTOCOL, NftField.PORT),
        NftSet.interval(PORT_RANGES, NftField.MARK, NftField.PORT),
        NftSet.hash(OWNED, NftField.INTERFACE_NAME, address),
        NftSet.verdictMap(FROM_ENDPOINTS, NftField.INTERFACE_NAME),
        NftSet.verdictMap(TO_ENDPOINTS, NftField.INTERFACE_NAME),
        NftSet.dataMap(
            HOST_PORTS, List.of(NftField.PROTOCOL, NftField.PORT), List.of(address, NftField.PORT)),
        NftSet.dataMap(
            HOST_PORTS_AT,
            List.of(address, NftField.PROTOCOL, NftField.PORT),
            List.of(address, NftField.PORT)),
        NftSet.hash(HAIRPIN, address, address));
  }

  static String dispatch(Direction direction) {
    return switch (direction) {
      case INGRESS -> TO_ENDPOINTS;
      case EGRESS -> FROM_ENDPOINTS;
    };
  }

  static NftElement member(int id, IpAddress address) {
    return NftElement.of(NftData.concat(NftData.hostOrder(id), NftData.address(address)));
  }

  static NftElement cidr(int id, Prefix prefix) {
    NftData mark = NftData.hostOrder(id);
    return NftElement.range(
        NftData.concat(mark, NftData.address(prefix.address())),
        NftData.concat(mark, NftData.address(prefix.lastAddress())));
  }

  static NftElement namedPort(int id, SetMember.NamedPort port) {
    return NftElement.of(
        NftData.concat(
            NftData.hostOrder(id),
            NftData.address(port.address()),
            NftData.octet(port.protocol()),
            NftData.port(port.port())));
  }

  static NftElement portRange(int id, PortRange range) {
    NftData mark = NftData.hostOrder(id);
    return NftElement.range(
        NftData.concat(mark, NftData.port(range.first())),
        NftData.concat(mark, NftData.port(range.last())));
  }

  /// @param hostIp null = an element of [#HOST_PORTS], else one of [#HOST_PORTS_AT]
  static NftElement hostPort(
      int protocol, @Nullable IpAddress hostIp, int hostPort, HostPortMove.Target target) {
    NftData value = NftData.concat(NftData.address(target.address()), NftData.port(target.port()));
    NftData port = NftData.port(hostPort);
    return NftElement.value(
        hostIp == null
            ? NftData.concat(NftData.octet(protocol), port)
            : NftData.concat(NftData.address(hostIp), NftData.octet(protocol), port),
        value);
  }

  static NftElement hairpin(IpAddress address) {
    return NftElement.of(NftData.concat(NftData.address(address), NftData.address(address)));
  }

  static String policyChain(PolicyKey key, Direction direction) {
    return "p-"
        + hash(key.kind() + "|" + key.namespace() + "|" + key.name())
        + "-"
        + direction.suffix();
  }

  static String profileChain(String profile, Direction direction) {
    return "r-" + hash(profile) + "-" + direction.suffix();
  }

  static String tierChain(TierKey key) {
    return "t-" + hash(key.signature()) + "-" + key.direction().suffix();
  }

  /// A rule's id, cut to what fits while staying one rule's own.
  static String ruleId(String... parts) {
    String id = String.join("|", parts);
    byte[] octets = id.getBytes(StandardCharsets.UTF_8);
    if (octets.length <= NftRule.MAX_ID_OCTETS) {
      return id;
    }
    int kept = NftRule.MAX_ID_OCTETS - 2 * HASH_OCTETS - 1;
    while ((octets[kept] & 0xc0) == 0x80) {
      kept--;
    }
    return new String(octets, 0, kept, StandardCharsets.UTF_8) + "~" + hash(id);
  }

  static String hash(String text) {
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(digest, 0, HASH_OCTETS);
    } catch (NoSuchAlgorithmException everyJdkHasIt) {
      throw new IllegalStateException(everyJdkHasIt);
    }
  }
}
