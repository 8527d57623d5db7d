package io.margay.model.k8s;

import io.margay.model.net.IpAddress;
import io.margay.model.resource.Port;
import java.util.List;

/// What a [KubernetesEndpointSlice] must be, as the API server has it.
final class EndpointSliceValidator {

  static final int MAX_ENDPOINTS = 1_000;
  static final int MAX_ADDRESSES = 100;
  static final int MAX_PORTS = 20_000;

  private static final String IPV4 = "IPv4";
  private static final String IPV6 = "IPv6";

  private EndpointSliceValidator() {}

  static void validate(KubernetesEndpointSlice slice, Findings findings) {
    findings.namespaced(slice.metadata());
    String type = slice.addressType();
    findings.unless(
        List.of(IPV4, IPV6, KubernetesEndpointSlice.NAMES).contains(type),
        "addressType",
        "\"" + type + "\" is not IPv4, IPv6 or FQDN");
    atMost(slice.endpoints(), MAX_ENDPOINTS, "endpoints", findings);
    atMost(slice.ports(), MAX_PORTS, "ports", findings);
    for (int i = 0; i < slice.endpoints().size(); i++) {
      List<String> addresses = slice.endpoints().get(i).addresses();
      String path = "endpoints[" + i + "].addresses";
      atMost(addresses, MAX_ADDRESSES, path, findings);
      for (int j = 0; j < addresses.size(); j++) {
        if (!type.equals(KubernetesEndpointSlice.NAMES)) {
          address(addresses.get(j), type, path + "[" + j + "]", findings);
        }
      }
    }
    for (int i = 0; i < slice.ports().size(); i++) {
      port(slice.ports().get(i), "ports[" + i + "]", findings);
    }
  }

  private static void atMost(List<?> list, int most, String path, Findings findings) {
    findings.unless(list.size() <= most, path, list.size() + " are more than " + most);
  }

  private static void address(String text, String type, String path, Findings findings) {
    try {
      IpAddress address = IpAddress.parse(text);
      findings.unless(
          type.equals(address.family().version() == 4 ? IPV4 : IPV6),
          path,
          text + " is not of addressType " + type);
    } catch (IllegalArgumentException wrong) {
      findings.add(path, String.valueOf(wrong.getMessage()));
    }
  }

  private static void port(KubernetesEndpointSlice.Port port, String path, Findings findings) {
    if (port.port() != null) {
      findings.range(port.port(), 1, Port.MAX, path + ".port");
    }
    findings.unless(
        port.protocol() == null || Transports.isOne(port.protocol()),
        path + ".protocol",
        port.protocol() + " is not TCP, UDP or SCTP");
  }
}
