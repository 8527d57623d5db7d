package io.margay.agent.docker;

import com.fasterxml.jackson.databind.JsonNode;
import io.margay.cni.spec.PortMapping;
import io.margay.model.net.IpAddress;
import io.margay.model.resource.Protocol;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// What Docker says of one endpoint beside its addresses: what the user gave by `--driver-opt`, and
/// published ports.
///
/// @param labels of the endpoint
/// @param hostPorts ports of the node that lead to it
record EndpointOptions(Map<String, String> labels, List<PortMapping> hostPorts) {

  private static final String DOCKERS_OWN = "com.docker.network.";
  private static final String PORTS = "com.docker.network.portmap";

  private static final int TCP = 6;
  private static final int UDP = 17;
  private static final int SCTP = 132;

  EndpointOptions {
    labels = Map.copyOf(labels);
    hostPorts = List.copyOf(hostPorts);
  }

  static EndpointOptions of(JsonNode options) throws RefusedException {
    Map<String, String> labels = new HashMap<>();
    for (Map.Entry<String, JsonNode> option : options.properties()) {
      String key = option.getKey();
      if (key.startsWith(DockerNetwork.LABEL_PREFIX)) {
        labels.put(key.substring(DockerNetwork.LABEL_PREFIX.length()), option.getValue().asText());
      } else if (!key.startsWith(DOCKERS_OWN)) {
        throw new RefusedException(
            "option " + key + " is unknown; there is " + DockerNetwork.LABEL_PREFIX + "KEY");
      }
    }
    Set<PortMapping> ports = new LinkedHashSet<>();
    for (JsonNode port : options.path(PORTS)) {
      ports.add(port(port));
    }
    return new EndpointOptions(labels, List.copyOf(ports));
  }

  private static PortMapping port(JsonNode port) throws RefusedException {
    int container = port.path("Port").asInt();
    int first = port.path("HostPort").asInt();
    int last = port.path("HostPortEnd").asInt(first);
    if (first == 0 || last != first) {
      throw new RefusedException(
          "port "
              + container
              + " of the container is published without one certain port of the node; publish it"
              + " as HOSTPORT:"
              + container
              + ", and leave out --publish-all");
    }
    String hostIp = port.path("HostIP").asText();
    try {
      return new PortMapping(
          first,
          container,
          protocol(port.path("Proto").asInt()),
          hostIp.isEmpty() ? Optional.empty() : Optional.of(IpAddress.parse(hostIp)));
    } catch (IllegalArgumentException wrong) {
      throw new RefusedException(
          "published port " + first + ":" + container + ": " + wrong.getMessage(), wrong);
    }
  }

  private static Protocol protocol(int number) throws RefusedException {
    return switch (number) {
      case TCP -> Protocol.Named.TCP;
      case UDP -> Protocol.Named.UDP;
      case SCTP -> Protocol.Named.SCTP;
      default ->
          throw new RefusedException(
              "IP protocol " + number + " can't be published; TCP, UDP and SCTP can");
    };
  }
}
