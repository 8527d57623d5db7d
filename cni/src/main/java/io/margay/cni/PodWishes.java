package io.margay.cni;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.margay.cni.spec.AttachmentId;
import io.margay.cni.spec.CniError;
import io.margay.cni.spec.CniException;
import io.margay.cni.spec.NetConf;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.MacAddress;
import io.margay.model.net.Prefix;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/// What a pod's annotations ask of its network, by Calico's names
/// (`cni.projectcalico.org/ipAddrs`...).
///
/// @param addresses the very addresses wanted (`ipAddrs`)
/// @param ipv4Pools the only pools to use (`ipv4pools`); empty means that it says nothing
/// @param ipv6Pools the same for IPv6 (`ipv6pools`)
/// @param families the families wanted (`ipFamilies`); empty means that it says nothing
/// @param mac of the pod's end (`hwAddr`)
/// @param sources where it may send from beside its own addresses (`allowedSourcePrefixes`)
/// @param ignored names of annotations that have no effect here
record PodWishes(
    List<IpAddress> addresses,
    List<String> ipv4Pools,
    List<String> ipv6Pools,
    Set<IpFamily> families,
    Optional<MacAddress> mac,
    List<Prefix> sources,
    List<String> ignored) {

  static final PodWishes NONE =
      new PodWishes(
          List.of(), List.of(), List.of(), Set.of(), Optional.empty(), List.of(), List.of());

  private static final String PREFIX = "cni.projectcalico.org/";

  /// Limits that only Calico's own dataplane sets.
  private static final String QOS_PREFIX = "qos.projectcalico.org/";

  private static final ObjectMapper JSON = new ObjectMapper();

  /// @throws CniException 7 an annotation can't be read; 2 it asks for addresses that nobody keeps
  ///   an account of, or that lead to a pod elsewhere only with NAT (Calico's plugin refuses both
  ///   unless `feature_control` says otherwise)
  static PodWishes of(Map<String, String> annotations) throws CniException {
    String unaccounted = annotations.get(PREFIX + "ipAddrsNoIpam");
    if (unaccounted != null) {
      throw new CniException(
          CniError.UNSUPPORTED_FIELD,
          "pod annotation "
              + PREFIX
              + "ipAddrsNoIpam: "
              + unaccounted
              + " found, but every address is assigned by IPAM; use "
              + PREFIX
              + "ipAddrs");
    }
    List<String> floating = list(annotations, "floatingIPs");
    if (!floating.isEmpty()) {
      throw new CniException(
          CniError.UNSUPPORTED_FIELD,
          "pod annotation "
              + PREFIX
              + "floatingIPs: "
              + floating
              + " found, but a pod is reached under its own addresses alone; remove it");
    }
    List<IpAddress> addresses = new ArrayList<>();
    for (String text : list(annotations, "ipAddrs")) {
      try {
        addresses.add(IpAddress.parse(text));
      } catch (IllegalArgumentException notAnAddress) {
        throw wrong("ipAddrs", "\"" + text + "\" is not an IP address");
      }
    }
    Set<IpFamily> families = new TreeSet<>();
    for (String text : list(annotations, "ipFamilies")) {
      families.add(
          switch (text) {
            case "IPv4" -> IpFamily.IPV4;
            case "IPv6" -> IpFamily.IPV6;
            default -> throw wrong("ipFamilies", "\"" + text + "\" is neither IPv4 nor IPv6");
          });
    }
    return new PodWishes(
        addresses,
        list(annotations, "ipv4pools"),
        list(annotations, "ipv6pools"),
        families,
        mac(annotations),
        sources(annotations),
        annotations.keySet().stream()
            .filter(name -> name.startsWith(QOS_PREFIX))
            .sorted()
            .toList());
  }

  private static List<Prefix> sources(Map<String, String> annotations) throws CniException {
    List<Prefix> sources = new ArrayList<>();
    for (String text : list(annotations, "allowedSourcePrefixes")) {
      try {
        sources.add(source(text));
      } catch (IllegalArgumentException neither) {
        throw wrong("allowedSourcePrefixes", "\"" + text + "\" is neither a CIDR nor an address");
      }
    }
    return sources;
  }

  /// An address alone is that address; host bits are no fault, as in Calico.
  private static Prefix source(String text) {
    int slash = text.indexOf('/');
    if (slash < 0) {
      return IpAddress.parse(text).toHostPrefix();
    }
    IpAddress address = IpAddress.parse(text.substring(0, slash));
    int length = Integer.parseInt(text.substring(slash + 1));
    if (length < 0 || length > address.family().bits()) {
      throw new IllegalArgumentException("no prefix of this family has " + length + " bits");
    }
    return Prefix.containing(address, length);
  }

  /// A line about what is not followed; empty when there is nothing to say.
  String warning(AttachmentId id) {
    return ignored.isEmpty()
        ? ""
        : "margay-cni: "
            + id
            + ": pod annotations without effect: "
            + String.join(", ", ignored)
            + "; use kubernetes.io/ingress-bandwidth and kubernetes.io/egress-bandwidth\n";
  }

  private static Optional<MacAddress> mac(Map<String, String> annotations) throws CniException {
    String text = annotations.get(PREFIX + "hwAddr");
    if (text == null) {
      return Optional.empty();
    }
    return Optional.of(NetConf.mac("pod annotation " + PREFIX + "hwAddr", text));
  }

  private static List<String> list(Map<String, String> annotations, String name)
      throws CniException {
    String text = annotations.get(PREFIX + name);
    if (text == null) {
      return List.of();
    }
    List<String> items = new ArrayList<>();
    try {
      JsonNode node = JSON.readTree(text);
      if (node.isArray()) {
        for (JsonNode item : node) {
          if (!item.isTextual()) {
            throw wrong(name, "\"" + item + "\" is not text");
          }
          items.add(item.asText());
        }
        return items;
      }
    } catch (JsonProcessingException notJson) {
      // The same as another kind of JSON.
    }
    throw wrong(name, "\"" + text + "\" found, a list such as [\"10.0.0.1\"] expected");
  }

  private static CniException wrong(String name, String why) {
    return new CniException(CniError.BAD_CONFIG, "pod annotation " + PREFIX + name + ": " + why);
  }
}
