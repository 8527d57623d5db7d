package io.margay.cni.spec;

import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/// The `ipam` object of a configuration. Of another plugin's only the type is read: the rest is
/// its.
///
/// @param type whose address management it is; empty means ours
/// @param isOwn whether that is ours
/// @param assignIpv4 whether the pod gets an IPv4 address (Calico's `assign_ipv4`; by default true,
///   or, where there are ranges, whether one is IPv4's)
/// @param assignIpv6 whether it gets an IPv6 address (Calico's `assign_ipv6`; by default false, or
///   as above)
/// @param ipv4Pools names or CIDRs of the only pools to use (Calico's `ipv4_pools`, and the subnets
///   of host-local's `ranges`); empty means any
/// @param ipv6Pools the same for IPv6
/// @param gateways of `ranges`: never a pod's, and the answer's gateways
/// @param routes to answer with (host-local's `routes`)
/// @param resolvConf a file of resolv.conf(5) to answer with; empty for none
public record IpamConf(
    String type,
    boolean isOwn,
    boolean assignIpv4,
    boolean assignIpv6,
    List<String> ipv4Pools,
    List<String> ipv6Pools,
    List<IpAddress> gateways,
    List<CniResult.Route> routes,
    String resolvConf) {

  /// Our own address management, and Calico's name for the same, so that its configuration applies
  /// unchanged.
  private static final Set<String> OWN = Set.of("", "margay-ipam", "calico-ipam");

  private static final int MAX_TYPE_LENGTH = 128;

  public IpamConf {
    ipv4Pools = List.copyOf(ipv4Pools);
    ipv6Pools = List.copyOf(ipv6Pools);
    gateways = List.copyOf(gateways);
    routes = List.copyOf(routes);
  }

  /// @param ipam the object
  /// @param runtime `runtimeConfig`, whose `ipRanges` come before `ranges`
  static IpamConf read(ConfNode ipam, ConfNode runtime) throws CniException {
    String type = ipam.string("type").orElse("");
    if (!OWN.contains(type)) {
      requireProgramName(ipam, type);
      return bare(type);
    }
    Ranges ranges = new Ranges();
    for (ConfNode range : ranges(runtime, "ipRanges")) {
      ranges.add(range);
    }
    for (ConfNode range : ranges(ipam, "ranges")) {
      ranges.add(range);
    }
    // host-local's older form is one range beside the type. Calico's plugin has a key `subnet` with
    // another meaning: it then says `usePodCidr`.
    if (ipam.string("subnet")
        .filter(subnet -> !subnet.equalsIgnoreCase("usePodCidr"))
        .isPresent()) {
      ranges.add(ipam);
    }
    List<String> ipv4 = new ArrayList<>(ipam.strings("ipv4_pools"));
    List<String> ipv6 = new ArrayList<>(ipam.strings("ipv6_pools"));
    boolean any = !ranges.subnets.isEmpty();
    ipv4.addAll(ranges.of(IpFamily.IPV4));
    ipv6.addAll(ranges.of(IpFamily.IPV6));
    List<CniResult.Route> routes = new ArrayList<>();
    ResultJson.readRoutes(ipam, routes);
    return new IpamConf(
        type,
        true,
        ipam.bool("assign_ipv4", !any || !ranges.of(IpFamily.IPV4).isEmpty()),
        ipam.bool("assign_ipv6", any && !ranges.of(IpFamily.IPV6).isEmpty()),
        ipv4,
        ipv6,
        ranges.gateways,
        routes,
        ipam.string("resolvConf").orElse(""));
  }

  /// Who has to delete. A type that no ADD can have been carried out with counts as ours, whose
  /// deletion of what never was is success.
  ///
  /// @param conf the whole configuration
  static IpamConf readForDel(ConfNode conf) {
    try {
      ConfNode ipam = conf.object("ipam");
      String type = ipam.string("type").orElse("");
      requireProgramName(ipam, type);
      return bare(type);
    } catch (CniException neverAdded) {
      return bare("");
    }
  }

  /// With nothing said but who it is.
  private static IpamConf bare(String type) {
    return new IpamConf(
        type, OWN.contains(type), true, false, List.of(), List.of(), List.of(), List.of(), "");
  }

  /// What is executed is a file in one of `CNI_PATH`'s directories, and never one elsewhere.
  private static void requireProgramName(ConfNode ipam, String type) throws CniException {
    if (type.indexOf('/') >= 0
        || type.indexOf('\0') >= 0
        || type.equals(".")
        || type.equals("..")
        || type.length() > MAX_TYPE_LENGTH) {
      throw ipam.wrong(
          "type",
          ipam.get("type").orElseThrow(),
          "the name of a program in CNI_PATH, without \"/\",");
    }
  }

  /// `ranges`: sets of ranges, one address from each set.
  private static List<ConfNode> ranges(ConfNode node, String key) throws CniException {
    List<ConfNode> ranges = new ArrayList<>();
    for (ConfNode.Lists set : node.listsOfObjects(key)) {
      ranges.addAll(set.objects());
    }
    return ranges;
  }

  private static final class Ranges {
    private final List<Prefix> subnets = new ArrayList<>();
    private final List<IpAddress> gateways = new ArrayList<>();

    void add(ConfNode range) throws CniException {
      Prefix subnet = subnet(range);
      requireWhole(range, "rangeStart", subnet.address(), subnet);
      requireWhole(range, "rangeEnd", subnet.lastAddress(), subnet);
      String gateway = range.string("gateway").orElse("");
      if (!gateway.isEmpty()) {
        gateways.add(ConfNode.address(range.path("gateway"), gateway));
      }
      subnets.add(subnet);
    }

    private static Prefix subnet(ConfNode range) throws CniException {
      String text = range.string("subnet").orElse("");
      try {
        return Prefix.parseLenient(text);
      } catch (IllegalArgumentException notCidr) {
        throw new CniException(
            CniError.BAD_CONFIG,
            "key " + range.path("subnet") + ": \"" + text + "\" is not a CIDR",
            notCidr);
      }
    }

    /// Addresses are taken from whole pools. A bound that leaves out no more than the subnet's own
    /// and its gateway's address is as good as none.
    private static void requireWhole(ConfNode range, String key, IpAddress edge, Prefix subnet)
        throws CniException {
      String text = range.string(key).orElse("");
      if (text.isEmpty()) {
        return;
      }
      IpAddress bound = ConfNode.address(range.path(key), text);
      int bits = subnet.family().bits();
      int kept = Math.max(0, Math.min(bits, bits - 2));
      if (!subnet.contains(bound)
          || !Prefix.containing(bound, kept).equals(Prefix.containing(edge, kept))) {
        throw new CniException(
            CniError.UNSUPPORTED_FIELD,
            "key "
                + range.path(key)
                + ": "
                + text
                + " found, but addresses are assigned from whole IPPools; make an IPPool of that"
                + " range and name it as subnet");
      }
    }

    List<String> of(IpFamily family) {
      return subnets.stream()
          .filter(subnet -> subnet.family() == family)
          .map(Prefix::toString)
          .toList();
    }
  }
}
