package io.margay.agent.firewall;

import io.margay.linux.nft.NftData;
import io.margay.linux.nft.NftElement;
import io.margay.linux.nft.NftField;
import io.margay.linux.nft.NftRule;
import io.margay.linux.nft.NftSet;
import io.margay.linux.nft.NftVerdict;
import io.margay.model.net.InterfaceName;
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

  /// (set id, length, prefix) of prefixes, looked up once for each length.
  ///
  /// Not an interval set: the kernel takes minutes to load 100,000 ranges into one, and shows
  /// packets its new ranges later than the rest of a transaction, so that a denial could miss.
  static final String PREFIXES = "prefixes";

  /// (set id, address, protocol, port) of named ports.
  static final String PORTS = "ports";

  /// (set id, port range) of long port lists.
  static final String PORT_RANGES = "port_ranges";

  /// (list id, protocol, port) → id of the set of those who may reach the port.
  static final String GRANTS = "grants";

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

  /// (slot, interface) of host endpoints → what is done with the packet.
  static final String HOSTS = "hosts";

  /// (direction, protocol, port, remote address range) that no policy closes.
  static final String FAILSAFES = "failsafes";

  /// (source address, destination address, source port, destination port) of what either side of a
  /// connection sends that was cut at a host endpoint.
  static final String CUT = "cut";

  /// What one side of such a connection sends → what the other does. No rule asks for it: it is the
  /// next process's to read.
  static final String CUT_FLOWS = "cut_flows";

  /// Addresses of other nodes, which may send packets wrapped.
  static final String TUNNEL_PEERS = "tunnel_peers";

  static final String SPOOF_CHAIN = "spoof";

  /// What comes from no address of its endpoint, while some endpoint may send so.
  static final String SPOOFED_CHAIN = "spoofed";

  /// Where packets come in that are wrapped.
  static final String TUNNEL_CHAIN = "tunnel_in";

  static final String TUNNEL_UNTRACKED_IN_CHAIN = "tunnel_untracked_in";
  static final String TUNNEL_UNTRACKED_OUT_CHAIN = "tunnel_untracked_out";

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
        NftSet.hash(PREFIXES, NftField.MARK, NftField.MARK, address),
        NftSet.hash(PORTS, NftField.MARK, address, NftField.PROTOCOL, NftField.PORT),
        NftSet.interval(PORT_RANGES, NftField.MARK, NftField.PORT),
        NftSet.dataMap(
            GRANTS,
            List.of(NftField.MARK, NftField.PROTOCOL, NftField.PORT),
            List.of(NftField.MARK)),
        NftSet.hash(OWNED, NftField.INTERFACE_NAME, address),
        NftSet.verdictMap(FROM_ENDPOINTS, NftField.INTERFACE_NAME),
        NftSet.verdictMap(TO_ENDPOINTS, NftField.INTERFACE_NAME),
        NftSet.dataMap(
            HOST_PORTS, List.of(NftField.PROTOCOL, NftField.PORT), List.of(address, NftField.PORT)),
        NftSet.dataMap(
            HOST_PORTS_AT,
            List.of(address, NftField.PROTOCOL, NftField.PORT),
            List.of(address, NftField.PORT)),
        NftSet.hash(HAIRPIN, address, address),
        NftSet.hash(TUNNEL_PEERS, NftField.MARK, address),
        NftSet.verdictMap(HOSTS, NftField.MARK, NftField.INTERFACE_NAME),
        NftSet.interval(FAILSAFES, NftField.MARK, NftField.PROTOCOL, NftField.PORT, address),
        NftSet.hash(CUT, address, address, NftField.PORT, NftField.PORT),
        NftSet.dataMap(
            CUT_FLOWS,
            List.of(address, address, NftField.PORT, NftField.PORT),
            List.of(NftField.MARK, address, address, NftField.PORT, NftField.PORT)));
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

  static NftElement prefix(int id, Prefix prefix) {
    return NftElement.of(
        NftData.concat(
            NftData.hostOrder(id),
            NftData.hostOrder(prefix.length()),
            NftData.address(prefix.address())));
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

  static NftElement grant(int id, RuleList.Grant grant) {
    return NftElement.value(
        NftData.concat(
            NftData.hostOrder(id), NftData.octet(grant.protocol()), NftData.port(grant.port())),
        NftData.hostOrder(grant.number()));
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

  /// First part of the key in [#TUNNEL_PEERS].
  static final int TUNNEL_MACHINE = 1;

  /// @param id of the [HostSlot]
  static NftElement host(int id, InterfaceName name, NftVerdict verdict) {
    return NftElement.verdict(
        NftData.concat(NftData.hostOrder(id), NftData.interfaceName(name)), verdict);
  }

  /// First part of the key in [#FAILSAFES].
  static int failsafes(Direction direction) {
    return switch (direction) {
      case INGRESS -> 1;
      case EGRESS -> 2;
    };
  }

  static NftElement failsafe(Direction direction, Failsafe port, Prefix remote) {
    NftData key =
        NftData.concat(
            NftData.hostOrder(failsafes(direction)),
            NftData.octet(port.protocol()),
            NftData.port(port.port()));
    return NftElement.range(
        NftData.concat(key, NftData.address(remote.address())),
        NftData.concat(key, NftData.address(remote.lastAddress())));
  }

  /// The prefix that contains every address.
  static Prefix everything(IpFamily family) {
    return switch (family) {
      case IPV4 -> Prefix.parse("0.0.0.0/0");
      case IPV6 -> Prefix.parse("::/0");
    };
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
    return cut(String.join("|", parts), NftRule.MAX_ID_OCTETS);
  }

  /// The text, or if it is longer its beginning and a hash of it.
  static String cut(String text, int maxOctets) {
    byte[] octets = text.getBytes(StandardCharsets.UTF_8);
    if (octets.length <= maxOctets) {
      return text;
    }
    int kept = maxOctets - 2 * HASH_OCTETS - 1;
    while ((octets[kept] & 0xc0) == 0x80) {
      kept--;
    }
    return new String(octets, 0, kept, StandardCharsets.UTF_8) + "~" + hash(text);
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
