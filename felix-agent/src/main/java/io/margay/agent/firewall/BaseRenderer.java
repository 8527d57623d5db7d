package io.margay.agent.firewall;

import io.margay.linux.nft.NftChain;
import io.margay.linux.nft.NftExpr.CtState;
import io.margay.linux.nft.NftHook;
import io.margay.linux.nft.NftRule;
import io.margay.linux.nft.NftRuleBuilder;
import io.margay.linux.nft.NftRuleBuilder.Side;
import io.margay.linux.nft.NftVerdict;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Ipv4Address;
import io.margay.model.net.Prefix;
import io.margay.model.resource.Port;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// The base chains of workloads, of one family: where packets come in, whatever the policies, and
/// where their addresses are translated. Pure: equal inputs, equal chains. What becomes of packets
/// of one endpoint is the [NftRenderer]'s.
final class BaseRenderer {

  /// After DNAT (-100), so policy sees the pod that answers; odd, to stay clear of other tools.
  private static final NftHook EGRESS_HOOK =
      new NftHook(NftHook.Type.FILTER, NftHook.Point.PREROUTING, -91);

  private static final NftHook INGRESS_HOOK =
      new NftHook(NftHook.Type.FILTER, NftHook.Point.FORWARD, -11);

  /// Before connection tracking, so established flows cannot spoof either.
  private static final NftHook SPOOF_HOOK =
      new NftHook(NftHook.Type.FILTER, NftHook.Point.PREROUTING, -301);

  /// Before host endpoints' own (-9), which let through what passes here.
  private static final NftHook TUNNEL_HOOK =
      new NftHook(NftHook.Type.FILTER, NftHook.Point.INPUT, -12);

  /// Before connection tracking (-200).
  private static final NftHook TUNNEL_UNTRACKED_IN_HOOK =
      new NftHook(NftHook.Type.FILTER, NftHook.Point.PREROUTING, -298);

  private static final NftHook TUNNEL_UNTRACKED_OUT_HOOK =
      new NftHook(NftHook.Type.FILTER, NftHook.Point.OUTPUT, -298);

  private static final NftHook NAT_HOOK =
      new NftHook(NftHook.Type.NAT, NftHook.Point.POSTROUTING, 101);

  /// Before policy, which sees the pod that answers.
  private static final NftHook HOST_PORTS_HOOK =
      new NftHook(NftHook.Type.NAT, NftHook.Point.PREROUTING, -99);

  private static final NftHook HOST_PORTS_LOCAL_HOOK =
      new NftHook(NftHook.Type.NAT, NftHook.Point.OUTPUT, -99);

  private static final int ICMPV6 = 58;
  private static final int TCP = 6;
  private static final int UDP = 17;
  private static final Prefix LINK_LOCAL = Prefix.parse("fe80::/10");
  private static final Prefix MULTICAST = Prefix.parse("ff00::/8");
  private static final Prefix LOOPBACK_IPV4 = Prefix.parse("127.0.0.0/8");
  private static final Prefix LOOPBACK_IPV6 = Prefix.parse("::1/128");
  private static final Prefix UNSPECIFIED = Prefix.parse("::/128");

  private final IpFamily family;
  private final FirewallSettings settings;
  private final SetShapes shapes;

  BaseRenderer(IpFamily family, FirewallSettings settings, SetShapes shapes) {
    this.family = family;
    this.settings = settings;
    this.shapes = shapes;
  }

  private NftRuleBuilder rule() {
    return new NftRuleBuilder(family);
  }

  /// The chains every packet meets, whatever the policies.
  List<NftChain> chains() {
    return List.of(
        spoof(Map.of()).getFirst(),
        new NftChain(Layout.EGRESS_CHAIN, EGRESS_HOOK, dispatch(Direction.EGRESS, Side.SOURCE)),
        new NftChain(
            Layout.INGRESS_CHAIN, INGRESS_HOOK, dispatch(Direction.INGRESS, Side.DESTINATION)));
  }

  /// The chains that keep endpoints to their own addresses: [Layout#SPOOF_CHAIN], and
  /// [Layout#SPOOFED_CHAIN] if some may send from others. Packets under their own names never meet
  /// the second, however long it is.
  ///
  /// @param spoofable which prefixes, by interface
  List<NftChain> spoof(Map<InterfaceName, List<Prefix>> spoofable) {
    List<NftRule> spoofed = new ArrayList<>();
    new TreeMap<>(spoofable)
        .forEach(
            (name, prefixes) -> {
              for (Prefix prefix : MaximalPrefixes.of(prefixes, family)) {
                spoofed.add(
                    rule()
                        .interfaceIs(Side.SOURCE, name)
                        .address(Side.SOURCE, prefix, false)
                        .verdict(NftVerdict.ACCEPT)
                        .build(Layout.ruleId("spoof", "allowed", name.value(), prefix.toString())));
              }
            });
    if (spoofed.isEmpty()) {
      return List.of(
          new NftChain(
              Layout.SPOOF_CHAIN,
              SPOOF_HOOK,
              spoof(rule -> rule.counter().verdict(NftVerdict.DROP))));
    }
    spoofed.add(rule().counter().verdict(NftVerdict.DROP).build(Layout.ruleId("spoof", "source")));
    return List.of(
        new NftChain(
            Layout.SPOOF_CHAIN,
            SPOOF_HOOK,
            spoof(rule -> rule.verdict(NftVerdict.jump(Layout.SPOOFED_CHAIN)))),
        NftChain.regular(Layout.SPOOFED_CHAIN, spoofed));
  }

  /// @param then what becomes of a packet from an address that is not its endpoint's
  private List<NftRule> spoof(Consumer<NftRuleBuilder> then) {
    List<NftRule> rules = new ArrayList<>();
    for (String prefix : settings.interfacePrefixes()) {
      if (family == IpFamily.IPV6) {
        // Neighbour discovery and multicast listener reports come from link-local addresses, or
        // from none while an address is being checked (RFC 4862 §5.4.2, RFC 3590).
        for (Prefix source : List.of(LINK_LOCAL, UNSPECIFIED)) {
          rules.addAll(
              neighbourDiscovery(
                  () ->
                      rule()
                          .interfacePrefix(Side.SOURCE, prefix)
                          .address(Side.SOURCE, source, false),
                  "spoof"));
        }
      }
      NftRuleBuilder stranger =
          rule().interfacePrefix(Side.SOURCE, prefix).interfaceAndSource(Layout.OWNED, true);
      then.accept(stranger);
      rules.add(stranger.build(Layout.ruleId("spoof", "source", prefix)));
    }
    return rules;
  }

  /// Where rules begin.
  interface Start {
    NftRuleBuilder get();
  }

  /// As [#neighbourDiscovery], for packets that may be forwarded yet: those to the node itself and
  /// to groups, for a listener's report goes to the group it is about (RFC 2710 §4). Whoever sends
  /// such to a machine beyond the link, where all ignore them, means something else.
  static List<NftRule> neighbourDiscoveryOnLink(Start start, String chain) {
    List<NftRule> rules = new ArrayList<>();
    rules.addAll(neighbourDiscovery(() -> start.get().toLocalAddress(), chain));
    rules.addAll(
        neighbourDiscovery(() -> start.get().address(Side.DESTINATION, MULTICAST, false), chain));
    return rules;
  }

  /// ICMPv6 types without which an endpoint has no link: neighbour discovery (RFC 4861 §4, 133 to
  /// 136) and multicast listeners (RFC 2710, RFC 3810: 130 to 132, 143).
  static List<NftRule> neighbourDiscovery(Start start, String chain) {
    return List.of(
        start
            .get()
            .protocol(ICMPV6, false)
            .icmpTypes(130, 136)
            .verdict(NftVerdict.ACCEPT)
            .build(Layout.ruleId(chain, "neighbour-discovery")),
        start
            .get()
            .protocol(ICMPV6, false)
            .icmpType(143, false)
            .verdict(NftVerdict.ACCEPT)
            .build(Layout.ruleId(chain, "multicast-listener")));
  }

  private List<NftRule> dispatch(Direction direction, Side side) {
    String chain = direction.word();
    List<NftRule> rules = new ArrayList<>();
    rules.add(
        rule()
            .ctState(CtState.ESTABLISHED | CtState.RELATED)
            .verdict(NftVerdict.ACCEPT)
            .build(Layout.ruleId(chain, "established")));
    for (String prefix : settings.interfacePrefixes()) {
      // Only ours: other traffic of the node may well be asymmetric.
      rules.add(
          rule()
              .interfacePrefix(side, prefix)
              .ctState(CtState.INVALID)
              .counter()
              .verdict(NftVerdict.DROP)
              .build(Layout.ruleId(chain, "invalid", prefix)));
      if (family == IpFamily.IPV6 && direction == Direction.EGRESS) {
        rules.addAll(neighbourDiscoveryOnLink(() -> rule().interfacePrefix(side, prefix), chain));
      }
      if (family == IpFamily.IPV4 && direction == Direction.EGRESS) {
        // The kernel refuses these by itself, but for interfaces with route_localnet, as those of
        // pods with host ports are; there a pod must not reach what listens for the node alone.
        rules.add(
            rule()
                .interfacePrefix(side, prefix)
                .address(Side.DESTINATION, LOOPBACK_IPV4, false)
                .counter()
                .verdict(NftVerdict.DROP)
                .build(Layout.ruleId(chain, "loopback", prefix)));
      }
    }
    rules.add(
        rule()
            .interfaceVerdict(side, Layout.dispatch(direction))
            .build(Layout.ruleId(chain, "dispatch")));
    for (String prefix : settings.interfacePrefixes()) {
      rules.add(
          rule()
              .interfacePrefix(side, prefix)
              .counter()
              .verdict(NftVerdict.DROP)
              .build(Layout.ruleId(chain, "unknown-interface", prefix)));
    }
    return rules;
  }

  /// The chains of packets that are wrapped. Strangers' are turned away: what comes out of them
  /// would be taken for another node's pods'. The cluster's own are not tracked, as in Calico: each
  /// connection inside would be another outside, one for each direction.
  List<NftChain> tunnel(int port) {
    return List.of(
        new NftChain(
            Layout.TUNNEL_CHAIN,
            TUNNEL_HOOK,
            List.of(
                wrapped(port, Side.SOURCE, true)
                    .counter()
                    .verdict(NftVerdict.DROP)
                    .build(Layout.ruleId("tunnel", "stranger")))),
        new NftChain(
            Layout.TUNNEL_UNTRACKED_IN_CHAIN,
            TUNNEL_UNTRACKED_IN_HOOK,
            List.of(
                wrapped(port, Side.SOURCE, false)
                    .toLocalAddress()
                    .notrack()
                    .build(Layout.ruleId("tunnel", "untracked", "in")))),
        new NftChain(
            Layout.TUNNEL_UNTRACKED_OUT_CHAIN,
            TUNNEL_UNTRACKED_OUT_HOOK,
            List.of(
                wrapped(port, Side.DESTINATION, false)
                    .notrack()
                    .build(Layout.ruleId("tunnel", "untracked", "out")))));
  }

  private NftRuleBuilder wrapped(int port, Side machine, boolean ofStrangers) {
    return rule()
        .protocol(UDP, false)
        .port(Side.DESTINATION, port, port, false)
        .addressInSet(machine, Layout.TUNNEL_PEERS, Layout.TUNNEL_MACHINE, ofStrangers);
  }

  /// The chain that masquerades; null if nothing of the family is. Ports can be chosen of TCP and
  /// UDP alone, so that rules for these come first.
  @Nullable RenderedChain natOutgoing(NatOutgoing nat) {
    RuleList.Prefixes from = RuleList.Prefixes.of(nat.masqueradePools(), family);
    RuleList.Prefixes inside = RuleList.Prefixes.of(nat.inside(), family);
    if (from.prefixes().isEmpty()) {
      return null;
    }
    List<NftRule> rules = new ArrayList<>();
    Ipv4Address address = family == IpFamily.IPV4 ? nat.address() : null;
    Port.Range ports = nat.ports();
    for (int length : from.lengths()) {
      if (ports != null) {
        for (int protocol : List.of(TCP, UDP)) {
          NftRuleBuilder leaving = leaving(from, length, inside).protocol(protocol, false);
          rules.add(
              (address == null
                      ? leaving.masquerade(ports.first(), ports.last())
                      : leaving.sourceNat(address, ports.first(), ports.last()))
                  .build(Layout.ruleId("nat-outgoing", "ports")));
        }
      }
      NftRuleBuilder leaving = leaving(from, length, inside);
      rules.add(
          (address == null ? leaving.masquerade() : leaving.sourceNat(address))
              .build(Layout.ruleId("nat-outgoing")));
    }
    return new RenderedChain(
        new NftChain(Layout.NAT_CHAIN, NAT_HOOK, rules), new HashSet<>(List.of(from, inside)));
  }

  private NftRuleBuilder leaving(RuleList.Prefixes from, int length, RuleList.Prefixes inside) {
    NftRuleBuilder leaving =
        rule().prefixInSet(Side.SOURCE, Layout.PREFIXES, shapes.id(from), length, false);
    for (int within : inside.lengths()) {
      leaving.prefixInSet(Side.DESTINATION, Layout.PREFIXES, shapes.id(inside), within, true);
    }
    return leaving;
  }

  /// The chains that lead ports of the node to endpoints: for packets that come in, for those of
  /// the node itself, and for answers that must come back by way of the node.
  List<NftChain> hostPorts() {
    List<NftRule> back = new ArrayList<>();
    back.add(
        rule().addressPair(Layout.HAIRPIN).masquerade().build(Layout.ruleId("host-port", "self")));
    if (family == IpFamily.IPV4) {
      for (String prefix : settings.interfacePrefixes()) {
        back.add(
            rule()
                .interfacePrefix(Side.DESTINATION, prefix)
                .address(Side.SOURCE, LOOPBACK_IPV4, false)
                .masquerade()
                .build(Layout.ruleId("host-port", "localhost", prefix)));
      }
    }
    return List.of(
        new NftChain(Layout.HOST_PORTS_CHAIN, HOST_PORTS_HOOK, leadToEndpoints(this::rule)),
        new NftChain(
            Layout.HOST_PORTS_LOCAL_CHAIN,
            HOST_PORTS_LOCAL_HOOK,
            leadToEndpoints(
                () ->
                    switch (family) {
                      case IPV4 -> rule();
                      // ::1 cannot leave the node under any name, so what listens there answers.
                      case IPV6 -> rule().address(Side.DESTINATION, LOOPBACK_IPV6, true);
                    })),
        new NftChain(Layout.HOST_PORTS_BACK_CHAIN, NAT_HOOK, back));
  }

  /// The node's very address goes first.
  private static List<NftRule> leadToEndpoints(Start start) {
    return List.of(
        start
            .get()
            .toLocalAddress()
            .destinationByAddressAndPort(Layout.HOST_PORTS_AT)
            .build(Layout.ruleId("host-port", "at")),
        start
            .get()
            .toLocalAddress()
            .destinationByPort(Layout.HOST_PORTS)
            .build(Layout.ruleId("host-port", "any")));
  }
}
