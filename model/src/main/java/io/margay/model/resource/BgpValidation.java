package io.margay.model.resource;

import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.RouterId;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// What Calico demands of BGP configuration, peers and nodes.
final class BgpValidation {

  private static final Pattern STANDARD = Pattern.compile("(\\d{1,5}):(\\d{1,5})");
  private static final Pattern LARGE = Pattern.compile("(\\d{1,10}):(\\d{1,10}):(\\d{1,10})");
  private static final Pattern INTERFACE_GLOB = Pattern.compile("[a-zA-Z0-9_.*-]{1,15}");
  private static final Set<String> SEVERITIES =
      Set.of("Trace", "Debug", "Info", "Warning", "Error", "Fatal");
  private static final Set<String> SWITCH = Set.of("Enabled", "Disabled");

  private BgpValidation() {}

  static void configuration(BGPConfiguration configuration, FieldErrors errors) {
    BGPConfigurationSpec spec = configuration.spec();
    if (!configuration.metadata().name().equals("default")) {
      errors.unless(
          spec.nodeToNodeMeshEnabled() == null,
          "spec.nodeToNodeMeshEnabled",
          "is for BGPConfiguration \"default\" only");
      errors.unless(
          spec.asNumber() == null, "spec.asNumber", "is for BGPConfiguration \"default\" only");
      errors.unless(
          spec.nodeMeshPassword() == null,
          "spec.nodeMeshPassword",
          "is for BGPConfiguration \"default\" only");
      errors.unless(
          spec.nodeMeshMaxRestartTime() == null,
          "spec.nodeMeshMaxRestartTime",
          "is for BGPConfiguration \"default\" only");
    }
    errors.oneOf(spec.logSeverityScreen(), SEVERITIES, "spec.logSeverityScreen");
    errors.oneOf(
        spec.programClusterRoutes(),
        Set.of("Enabled", "Disabled", "EnabledIPIPOnly", "EnabledNoEncapOnly"),
        "spec.programClusterRoutes");
    errors.range(
        spec.ipv4NormalRoutePriority(),
        1,
        FilterValidation.MAX_PRIORITY,
        "spec.ipv4NormalRoutePriority");
    errors.range(
        spec.ipv6NormalRoutePriority(),
        1,
        FilterValidation.MAX_PRIORITY,
        "spec.ipv6NormalRoutePriority");
    for (int i = 0; i < spec.ignoredInterfaces().size(); i++) {
      String glob = spec.ignoredInterfaces().get(i);
      errors.unless(
          !glob.equals("*") && INTERFACE_GLOB.matcher(glob).matches(),
          "spec.ignoredInterfaces[" + i + "]",
          "\"" + glob + "\" is not 1 to 15 of A-Z a-z 0-9 . _ - and *, and not * alone");
    }
    address(
        spec.localWorkloadPeeringIPV4(), IpFamily.IPV4, "spec.localWorkloadPeeringIPV4", errors);
    address(
        spec.localWorkloadPeeringIPV6(), IpFamily.IPV6, "spec.localWorkloadPeeringIPV6", errors);
    errors.range(spec.listenPort(), 1, Port.MAX, "spec.listenPort");
    errors.oneOf(spec.bindMode(), Set.of("None", "NodeIP"), "spec.bindMode");
    errors.oneOf(
        spec.serviceLoadBalancerAggregation(), SWITCH, "spec.serviceLoadBalancerAggregation");
    if (!spec.isNodeToNodeMeshEnabled()) {
      errors.unless(
          spec.nodeMeshPassword() == null, "spec.nodeMeshPassword", "needs the node-to-node mesh");
      errors.unless(
          spec.nodeMeshMaxRestartTime() == null,
          "spec.nodeMeshMaxRestartTime",
          "needs the node-to-node mesh");
    }
    duration(spec.nodeMeshMaxRestartTime(), "spec.nodeMeshMaxRestartTime", errors);
    communities(spec, errors);
  }

  static void community(String value, String path, FieldErrors errors) {
    errors.unless(isCommunity(value), path, "\"" + value + "\" is neither aa:nn nor aa:nn:mm");
  }

  private static void address(
      @Nullable String text, IpFamily family, String path, FieldErrors errors) {
    if (text == null || text.isEmpty()) {
      return;
    }
    new KnobTable.Values.Address(family).problem(text).ifPresent(wrong -> errors.add(path, wrong));
  }

  private static void communities(BGPConfigurationSpec spec, FieldErrors errors) {
    for (int i = 0; i < spec.communities().size(); i++) {
      NameRules.name(spec.communities().get(i).name(), "spec.communities[" + i + "].name", errors);
      community(spec.communities().get(i).value(), "spec.communities[" + i + "].value", errors);
    }
    Set<String> names =
        spec.communities().stream().map(BgpCommunity::name).collect(Collectors.toSet());
    for (int i = 0; i < spec.prefixAdvertisements().size(); i++) {
      List<String> used = spec.prefixAdvertisements().get(i).communities();
      for (int j = 0; j < used.size(); j++) {
        errors.unless(
            names.contains(used.get(j)) || isCommunity(used.get(j)),
            "spec.prefixAdvertisements[" + i + "].communities[" + j + "]",
            "\"" + used.get(j) + "\" is neither named in spec.communities nor aa:nn nor aa:nn:mm");
      }
    }
  }

  /// RFC 1997: two 16-bit halves. RFC 8092: three 32-bit parts.
  private static boolean isCommunity(String value) {
    var standard = STANDARD.matcher(value);
    if (standard.matches()) {
      return Integer.parseInt(standard.group(1)) <= 0xffff
          && Integer.parseInt(standard.group(2)) <= 0xffff;
    }
    var large = LARGE.matcher(value);
    return large.matches()
        && Long.parseLong(large.group(1)) <= 0xffff_ffffL
        && Long.parseLong(large.group(2)) <= 0xffff_ffffL
        && Long.parseLong(large.group(3)) <= 0xffff_ffffL;
  }

  static void peer(BGPPeerSpec spec, FieldErrors errors) {
    errors.unless(
        spec.node() == null || spec.nodeSelector() == null,
        "spec.nodeSelector",
        "can't be combined with node");
    int ends =
        (spec.peerIP() == null ? 0 : 1)
            + (spec.peerSelector() == null ? 0 : 1)
            + (spec.localWorkloadSelector() == null ? 0 : 1);
    errors.unless(
        ends == 1, "spec.peerIP", "exactly one of peerIP, peerSelector, localWorkloadSelector");
    if (spec.peerIP() != null) {
      errors.present(spec.asNumber(), "spec.asNumber");
      IpAddress peer = spec.peerIP().address();
      errors.unless(
          !peer.isUnspecified() && !peer.isMulticast(),
          "spec.peerIP",
          peer + " can't be the address of a BGP session");
    }
    if (spec.localWorkloadSelector() != null) {
      errors.present(spec.asNumber(), "spec.asNumber");
    }
    errors.unless(
        !Boolean.TRUE.equals(spec.keepOriginalNextHop()) || spec.nextHopMode() == null,
        "spec.keepOriginalNextHop",
        "is deprecated and can't be true together with nextHopMode");
    if (spec.peerSelector() != null) {
      errors.unless(
          spec.asNumber() == null, "spec.asNumber", "is the nodes' own with peerSelector");
    }
    PolicyValidation.selector(spec.nodeSelector(), "spec.nodeSelector", errors);
    PolicyValidation.selector(spec.peerSelector(), "spec.peerSelector", errors);
    PolicyValidation.selector(spec.localWorkloadSelector(), "spec.localWorkloadSelector", errors);
    errors.oneOf(spec.sourceAddress(), Set.of("UseNodeIP", "None"), "spec.sourceAddress");
    errors.oneOf(spec.reversePeering(), Set.of("Auto", "Manual"), "spec.reversePeering");
    errors.range(spec.ttlSecurity(), 1, 255, "spec.ttlSecurity");
    errors.range(
        spec.numAllowedLocalASNumbers(), 0, Integer.MAX_VALUE, "spec.numAllowedLocalASNumbers");
    duration(spec.maxRestartTime(), "spec.maxRestartTime", errors);
    duration(spec.keepaliveTime(), "spec.keepaliveTime", errors);
    errors.unless(
        spec.reachableBy() == null || spec.peerIP() != null, "spec.reachableBy", "needs peerIP");
    if (spec.reachableBy() != null && spec.peerIP() != null) {
      errors.unless(
          spec.reachableBy().family() == spec.peerIP().address().family(),
          "spec.reachableBy",
          "is not of the family of peerIP");
    }
  }

  private static void duration(@Nullable Duration duration, String path, FieldErrors errors) {
    errors.unless(
        duration == null || !duration.isNegative() && !duration.isZero(),
        path,
        "must be longer than 0s");
  }

  static void node(NodeSpec spec, FieldErrors errors) {
    family(spec.ipv4VXLANTunnelAddr(), IpFamily.IPV4, "spec.ipv4VXLANTunnelAddr", errors);
    family(spec.ipv6VXLANTunnelAddr(), IpFamily.IPV6, "spec.ipv6VXLANTunnelAddr", errors);
    NodeWireguard wireguard = spec.wireguard();
    if (wireguard != null) {
      String path = "spec.wireguard.interface";
      family(wireguard.interfaceIPv4Address(), IpFamily.IPV4, path + "IPv4Address", errors);
      family(wireguard.interfaceIPv6Address(), IpFamily.IPV6, path + "IPv6Address", errors);
    }
    for (int i = 0; i < spec.addresses().size(); i++) {
      String path = "spec.addresses[" + i + "].address";
      new KnobTable.Values.Network()
          .problem(spec.addresses().get(i).address())
          .ifPresent(wrong -> errors.add(path, wrong));
    }
    NodeBgp bgp = spec.bgp();
    if (bgp == null) {
      return;
    }
    errors.unless(!bgp.equals(NodeBgp.EMPTY), "spec.bgp", "can't be empty; leave it out");
    family(bgp.ipv4IPIPTunnelAddr(), IpFamily.IPV4, "spec.bgp.ipv4IPIPTunnelAddr", errors);
    address(bgp.ipv4Address(), IpFamily.IPV4, "spec.bgp.ipv4Address", errors);
    address(bgp.ipv6Address(), IpFamily.IPV6, "spec.bgp.ipv6Address", errors);
    String clusterId = bgp.routeReflectorClusterID();
    if (clusterId != null && !clusterId.isEmpty()) {
      try {
        RouterId.parse(clusterId);
      } catch (IllegalArgumentException wrong) {
        errors.add(
            "spec.bgp.routeReflectorClusterID",
            "\"" + clusterId + "\" is not written like a non-zero IPv4 address");
      }
    }
  }

  private static void family(
      @Nullable IpAddress address, IpFamily family, String path, FieldErrors errors) {
    errors.unless(
        address == null || address.family() == family,
        path,
        address + " is not an IPv" + family.version() + " address");
  }

  private static void address(
      @Nullable AddressOnLink address, IpFamily family, String path, FieldErrors errors) {
    if (address == null) {
      return;
    }
    errors.unless(
        address.address().family() == family,
        path,
        address + " is not an IPv" + family.version() + " address");
    errors.unless(
        !address.address().isUnspecified()
            && !address.address().isMulticast()
            && !address.address().isLoopback(),
        path,
        address + " can't be the address of a BGP session");
  }
}
