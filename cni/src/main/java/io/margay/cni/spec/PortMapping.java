package io.margay.cni.spec;

import com.fasterxml.jackson.databind.JsonNode;
import io.margay.model.net.IpAddress;
import io.margay.model.resource.Protocol;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/// A port of the node that leads to a port of the pod (`runtimeConfig.portMappings`).
///
/// @param hostPort 1 to 65535
/// @param containerPort 1 to 65535
/// @param protocol TCP, UDP or SCTP
/// @param hostIp the node's address; empty means all of both families
public record PortMapping(
    int hostPort, int containerPort, Protocol protocol, Optional<IpAddress> hostIp) {

  private static final String KEY = "portMappings";

  private static final int MAX_PORT = 65_535;

  private static final List<Protocol> PROTOCOLS =
      List.of(Protocol.Named.TCP, Protocol.Named.UDP, Protocol.Named.SCTP);

  public PortMapping {
    if (hostPort < 1 || hostPort > MAX_PORT || containerPort < 1 || containerPort > MAX_PORT) {
      throw new IllegalArgumentException(
          "ports " + hostPort + " and " + containerPort + " found, 1 to " + MAX_PORT + " expected");
    }
    if (!PROTOCOLS.contains(protocol)) {
      throw new IllegalArgumentException(
          "protocol " + protocol + " found, TCP, UDP or SCTP expected");
    }
    hostIp = hostIp.filter(address -> !isAny(address));
  }

  /// Both ways to say "every address" mean the same to all runtimes.
  private static boolean isAny(IpAddress address) {
    for (byte octet : address.toBytes()) {
      if (octet != 0) {
        return false;
      }
    }
    return true;
  }

  /// Reads the list under `runtimeConfig`, or, if there is none, the one that Mesos writes.
  /// Runtimes may repeat a mapping, and it counts once; one port of the node can't lead to two of
  /// the pod.
  static List<PortMapping> parse(ConfNode runtime, ConfNode mesos) throws CniException {
    Set<PortMapping> mappings = new LinkedHashSet<>();
    Names names = runtime.objects(KEY).isEmpty() ? Names.OF_MESOS : Names.OF_CNI;
    for (ConfNode item : (names.equals(Names.OF_CNI) ? runtime : mesos).objects(names.list())) {
      PortMapping mapping = parseOne(item, names);
      for (PortMapping other : mappings) {
        if (!other.equals(mapping) && other.isSamePlace(mapping)) {
          throw item.wrong(
              names.containerPort(),
              item.get(names.containerPort()).orElseThrow(),
              other.containerPort() + ", to which " + mapping.place() + " leads already,");
        }
      }
      mappings.add(mapping);
    }
    return new ArrayList<>(mappings);
  }

  /// What the same things are called.
  private record Names(String list, String hostPort, String containerPort) {
    static final Names OF_CNI = new Names(KEY, "hostPort", "containerPort");
    static final Names OF_MESOS = new Names("port_mappings", "host_port", "container_port");
  }

  private static PortMapping parseOne(ConfNode item, Names names) throws CniException {
    return new PortMapping(
        port(item, names.hostPort()),
        port(item, names.containerPort()),
        protocol(item),
        hostIp(item));
  }

  private static int port(ConfNode item, String key) throws CniException {
    int port = item.integer(key, 0, 1, MAX_PORT);
    if (port == 0) {
      throw new CniException(
          CniError.BAD_CONFIG,
          "key " + item.path(key) + ": missing, a port from 1 to " + MAX_PORT + " expected");
    }
    return port;
  }

  private static Protocol protocol(ConfNode item) throws CniException {
    String text = item.string("protocol").orElse("");
    if (text.isEmpty()) {
      return Protocol.Named.TCP;
    }
    for (Protocol protocol : PROTOCOLS) {
      if (protocol.toString().equalsIgnoreCase(text)) {
        return protocol;
      }
    }
    throw item.wrong("protocol", item.get("protocol").orElseThrow(), "tcp, udp or sctp");
  }

  private static Optional<IpAddress> hostIp(ConfNode item) throws CniException {
    Optional<JsonNode> node = item.get("hostIP");
    String text = item.string("hostIP").orElse("");
    if (text.isEmpty()) {
      return Optional.empty();
    }
    try {
      return Optional.of(IpAddress.parse(text));
    } catch (IllegalArgumentException notAnAddress) {
      throw item.wrong(
          "hostIP",
          Objects.requireNonNull(node.orElse(null)),
          "an IP address of the node, or \"\"");
    }
  }

  private boolean isSamePlace(PortMapping other) {
    return hostPort == other.hostPort
        && protocol.equals(other.protocol)
        && hostIp.equals(other.hostIp);
  }

  /// Whether no two pods can have both: the same port and protocol, on addresses one of which is
  /// the other or every one.
  public boolean collidesWith(PortMapping other) {
    return hostPort == other.hostPort
        && protocol.equals(other.protocol)
        && (hostIp.isEmpty() || other.hostIp.isEmpty() || hostIp.equals(other.hostIp));
  }

  /// What it takes of the node, as users write it: `hostPort 8080/tcp`, `hostPort 53/udp of
  /// 10.0.0.1`.
  public String place() {
    return "hostPort "
        + hostPort
        + "/"
        + protocol.toString().toLowerCase(Locale.ROOT)
        + hostIp.map(address -> " of " + address).orElse("");
  }
}
