package io.margay.cni.spec;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.MacAddress;
import io.margay.model.net.Prefix;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// Results in the three shapes the specification has had. The conversions are libcni's: up from
/// 0.2, `ip4` then `ip6` become `ips` without an interface; down to 0.2, the first address of each
/// family is kept, and routes are sorted by family; `version` is recomputed from the address; what
/// a version does not know is left out.
final class ResultJson {

  private ResultJson() {}

  static ObjectNode write(CniResult result, CniVersion version) throws CniException {
    ObjectNode node = CniJson.newObject().put("cniVersion", version.text());
    switch (version.shape()) {
      case PER_FAMILY -> writePerFamily(result, version, node);
      case LIST_WITH_VERSION, LIST -> writeLists(result, version, node);
    }
    return node;
  }

  private static void writePerFamily(CniResult result, CniVersion version, ObjectNode node)
      throws CniException {
    if (result.ips().isEmpty()) {
      throw new CniException(
          CniError.INCOMPATIBLE_VERSION,
          "a result without an address cannot be written in cniVersion "
              + version
              + "; ask for 0.3.0 or later");
    }
    for (IpFamily family : IpFamily.values()) {
      Optional<CniResult.Ip> first =
          result.ips().stream().filter(ip -> ip.address().family() == family).findFirst();
      if (first.isEmpty()) {
        continue;
      }
      ObjectNode ip = node.putObject("ip" + family.version()).put("ip", first.get().cidr());
      first.get().gateway().ifPresent(gateway -> ip.put("gateway", gateway.toString()));
      List<CniResult.Route> routes =
          result.routes().stream().filter(route -> route.destination().family() == family).toList();
      if (!routes.isEmpty()) {
        writeRoutes(routes, ip.putArray("routes"));
      }
    }
    result.dns().write(node.putObject("dns"));
  }

  private static void writeLists(CniResult result, CniVersion version, ObjectNode node) {
    boolean old = version.shape() == CniVersion.Shape.LIST_WITH_VERSION;
    if (!result.interfaces().isEmpty()) {
      ArrayNode interfaces = node.putArray("interfaces");
      for (CniResult.Interface link : result.interfaces()) {
        ObjectNode entry = interfaces.addObject().put("name", link.name());
        link.mac().ifPresent(mac -> entry.put("mac", mac.toString()));
        // interfaces[].mtu came with 1.1.0.
        if (link.mtu() > 0 && version == CniVersion.V1_1_0) {
          entry.put("mtu", link.mtu());
        }
        if (!link.sandbox().isEmpty()) {
          entry.put("sandbox", link.sandbox());
        }
      }
    }
    if (!result.ips().isEmpty()) {
      ArrayNode ips = node.putArray("ips");
      for (CniResult.Ip ip : result.ips()) {
        ObjectNode entry = ips.addObject();
        if (old) {
          entry.put("version", Integer.toString(ip.address().family().version()));
        }
        entry.put("address", ip.cidr());
        ip.gateway().ifPresent(gateway -> entry.put("gateway", gateway.toString()));
        if (ip.interfaceIndex() >= 0) {
          entry.put("interface", ip.interfaceIndex());
        }
      }
    }
    if (!result.routes().isEmpty()) {
      writeRoutes(result.routes(), node.putArray("routes"));
    }
    if (old || !result.dns().equals(Dns.NONE)) {
      result.dns().write(node.putObject("dns"));
    }
  }

  private static void writeRoutes(List<CniResult.Route> routes, ArrayNode array) {
    for (CniResult.Route route : routes) {
      ObjectNode entry = array.addObject().put("dst", route.destination().toString());
      route.gateway().ifPresent(gateway -> entry.put("gw", gateway.toString()));
    }
  }

  /// Reads a `prevResult`. Runtimes convert it to the configuration's version, but some leave the
  /// one it was made in, so its own `cniVersion` decides when there is one.
  static CniResult read(ConfNode node, CniVersion whenAbsent) throws CniException {
    String text = node.string("cniVersion").orElse("");
    Optional<CniVersion> version = text.isEmpty() ? Optional.of(whenAbsent) : CniVersion.find(text);
    if (version.isEmpty()) {
      throw new CniException(
          CniError.INCOMPATIBLE_VERSION,
          "key " + node.path("cniVersion") + ": \"" + text + "\" is not supported");
    }
    return switch (version.get().shape()) {
      case PER_FAMILY -> readPerFamily(node);
      case LIST_WITH_VERSION, LIST -> readLists(node);
    };
  }

  private static CniResult readPerFamily(ConfNode node) throws CniException {
    List<CniResult.Ip> ips = new ArrayList<>();
    List<CniResult.Route> routes = new ArrayList<>();
    for (IpFamily family : IpFamily.values()) {
      ConfNode ip = node.object("ip" + family.version());
      if (ip.string("ip").isPresent()) {
        ips.add(ip(ip, "ip", CniResult.NO_INTERFACE));
      }
      readRoutes(ip, routes);
    }
    return new CniResult(List.of(), ips, routes, Dns.read(node.object("dns")));
  }

  private static CniResult readLists(ConfNode node) throws CniException {
    List<CniResult.Interface> interfaces = new ArrayList<>();
    for (ConfNode link : node.objects("interfaces")) {
      String mac = link.string("mac").orElse("");
      interfaces.add(
          new CniResult.Interface(
              link.string("name").orElse(""),
              mac.isEmpty() ? Optional.empty() : mac(link, mac),
              link.integer("mtu", 0, 0, Integer.MAX_VALUE),
              link.string("sandbox").orElse("")));
    }
    List<CniResult.Ip> ips = new ArrayList<>();
    for (ConfNode ip : node.objects("ips")) {
      ips.add(
          ip(
              ip,
              "address",
              ip.integer(
                  "interface", CniResult.NO_INTERFACE, Integer.MIN_VALUE, Integer.MAX_VALUE)));
    }
    List<CniResult.Route> routes = new ArrayList<>();
    readRoutes(node, routes);
    return new CniResult(interfaces, ips, routes, Dns.read(node.object("dns")));
  }

  private static Optional<MacAddress> mac(ConfNode link, String text) throws CniException {
    try {
      return Optional.of(MacAddress.parse(text.toLowerCase(Locale.ROOT)));
    } catch (IllegalArgumentException notAMac) {
      throw new CniException(
          CniError.BAD_CONFIG, "key " + link.path("mac") + ": " + notAMac.getMessage(), notAMac);
    }
  }

  private static CniResult.Ip ip(ConfNode node, String key, int interfaceIndex)
      throws CniException {
    String text = node.string(key).orElse("");
    IpAddress address = ConfNode.address(node.path(key), text);
    String gateway = node.string("gateway").orElse("");
    int slash = text.indexOf('/');
    try {
      int length =
          slash < 0 ? address.family().bits() : Integer.parseInt(text.substring(slash + 1));
      return new CniResult.Ip(
          address,
          length,
          gateway.isEmpty()
              ? Optional.empty()
              : Optional.of(ConfNode.address(node.path("gateway"), gateway)),
          Math.max(interfaceIndex, CniResult.NO_INTERFACE));
    } catch (IllegalArgumentException invalid) {
      throw new CniException(
          CniError.BAD_CONFIG,
          "key " + node.path(key) + ": \"" + text + "\" is not an address with a prefix length",
          invalid);
    }
  }

  static void readRoutes(ConfNode node, List<CniResult.Route> routes) throws CniException {
    for (ConfNode route : node.objects("routes")) {
      String destination = route.string("dst").orElse("");
      String gateway = route.string("gw").orElse("");
      try {
        routes.add(
            new CniResult.Route(
                Prefix.parseLenient(destination),
                gateway.isEmpty()
                    ? Optional.empty()
                    : Optional.of(ConfNode.address(route.path("gw"), gateway))));
      } catch (IllegalArgumentException invalid) {
        throw new CniException(
            CniError.BAD_CONFIG,
            "key " + route.path("dst") + ": \"" + destination + "\" is not a CIDR",
            invalid);
      }
    }
  }
}
