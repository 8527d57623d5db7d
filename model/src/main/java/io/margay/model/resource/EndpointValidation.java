package io.margay.model.resource;

import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// What Calico demands of host and workload endpoints.
final class EndpointValidation {

  private EndpointValidation() {}

  static void hostEndpoint(HostEndpointSpec spec, FieldErrors errors) {
    errors.present(spec.node(), "spec.node");
    String name = spec.interfaceName();
    if (name == null || name.isEmpty()) {
      errors.unless(
          !spec.expectedIPs().isEmpty(), "spec.interfaceName", "or expectedIPs is required");
    } else {
      interfaceName(name, errors);
    }
    names(spec.profiles(), "spec.profiles", errors);
    errors.distinct(spec.profiles(), "spec.profiles");
    errors.distinct(spec.expectedIPs(), "spec.expectedIPs");
    ports(spec.ports(), errors);
    for (int i = 0; i < spec.ports().size(); i++) {
      NameRules.portName(spec.ports().get(i).name(), "spec.ports[" + i + "].name", errors);
    }
  }

  private static void names(List<String> names, String path, FieldErrors errors) {
    for (int i = 0; i < names.size(); i++) {
      if (!NameRules.isName(names.get(i))) {
        NameRules.name(names.get(i), path + "[" + i + "]", errors);
      }
    }
  }

  private static void interfaceName(String name, FieldErrors errors) {
    if (name.equals(HostEndpointSpec.ALL_INTERFACES)) {
      return;
    }
    try {
      new InterfaceName(name);
    } catch (IllegalArgumentException wrong) {
      errors.add("spec.interfaceName", String.valueOf(wrong.getMessage()));
    }
  }

  static void workloadEndpoint(WorkloadEndpoint endpoint, FieldErrors errors) {
    WorkloadEndpointSpec spec = endpoint.spec();
    errors.present(spec.node(), "spec.node");
    errors.present(spec.orchestrator(), "spec.orchestrator");
    errors.present(spec.endpoint(), "spec.endpoint");
    String name = spec.resourceName().orElse(null);
    if (name != null && !name.equals(endpoint.metadata().name())) {
      errors.add(
          "metadata.name",
          "must be \"" + name + "\", made of node, orchestrator, workload and endpoint");
    }
    for (int i = 0; i < spec.ipNetworks().size(); i++) {
      Prefix network = spec.ipNetworks().get(i);
      if (!network.isHost()) {
        errors.add("spec.ipNetworks[" + i + "]", network + " is not a single address");
      }
    }
    if (spec.ipv4Gateway() != null) {
      errors.unless(
          spec.ipv4Gateway().family() == IpFamily.IPV4, "spec.ipv4Gateway", "is not IPv4");
    }
    if (spec.ipv6Gateway() != null) {
      errors.unless(
          spec.ipv6Gateway().family() == IpFamily.IPV6, "spec.ipv6Gateway", "is not IPv6");
    }
    if (spec.containerID() != null && !spec.containerID().isEmpty()) {
      NameRules.containerId(spec.containerID(), "spec.containerID", errors);
    }
    names(spec.profiles(), "spec.profiles", errors);
    nats(spec, errors);
    QosControls.TABLE.validate(spec.qosControls(), "spec.qosControls", errors);
    ports(spec.ports(), errors);
    for (int i = 0; i < spec.ports().size(); i++) {
      EndpointPort port = spec.ports().get(i);
      if (!NameRules.isPortName(port.name())) {
        workloadPort(port, "spec.ports[" + i + "]", errors);
      }
    }
  }

  private static void workloadPort(EndpointPort port, String path, FieldErrors errors) {
    boolean mapped = port.hostPort() != null && port.hostPort() != 0;
    if (port.name().isEmpty()) {
      errors.unless(mapped, path + ".name", "or hostPort is required");
    } else {
      NameRules.portName(port.name(), path + ".name", errors);
    }
  }

  private static void nats(WorkloadEndpointSpec spec, FieldErrors errors) {
    for (int i = 0; i < spec.ipNATs().size(); i++) {
      IpNat nat = spec.ipNATs().get(i);
      String path = "spec.ipNATs[" + i + "]";
      errors.unless(
          nat.internalIP().family() == nat.externalIP().family(),
          path + ".externalIP",
          "is not of the family of internalIP");
      errors.unless(
          spec.ipNetworks().contains(nat.internalIP().toHostPrefix()),
          path + ".internalIP",
          nat.internalIP() + " is not in ipNetworks");
    }
  }

  private static void ports(List<EndpointPort> ports, FieldErrors errors) {
    Set<String> seen = new HashSet<>();
    for (int i = 0; i < ports.size(); i++) {
      EndpointPort port = ports.get(i);
      boolean isFirst =
          port.name().isEmpty() || seen.add(port.name() + "/" + port.protocol().number());
      if (!isFirst || !isSound(port)) {
        port(port, isFirst, "spec.ports[" + i + "]", errors);
      }
    }
  }

  private static boolean isSound(EndpointPort port) {
    Integer hostPort = port.hostPort();
    return port.port() >= 1
        && port.port() <= Port.MAX
        && (hostPort == null || hostPort >= 0 && hostPort <= Port.MAX)
        && port.protocol().hasPorts();
  }

  private static void port(EndpointPort port, boolean isFirst, String path, FieldErrors errors) {
    errors.range(port.port(), 1, Port.MAX, path + ".port");
    errors.range(port.hostPort(), 0, Port.MAX, path + ".hostPort");
    errors.unless(
        port.protocol().hasPorts(), path + ".protocol", port.protocol() + " has no ports");
    errors.unless(
        isFirst, path + ".name", "\"" + port.name() + "\" is there twice for " + port.protocol());
  }
}
