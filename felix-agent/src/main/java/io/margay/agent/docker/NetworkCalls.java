package io.margay.agent.docker;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.margay.cni.PodNetwork;
import io.margay.cni.StepVerbs;
import io.margay.cni.spec.CniException;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// `NetworkDriver.*`: networks, endpoints and their wires. libnetwork itself moves the pod's end
/// into the container, names it and sets its addresses and routes, by what Join answers.
///
/// The container's next hops are 169.254.1.1 and fe80::1, as every pod's, each by a route of its
/// own on the link. It asks for their MAC address: libnetwork has no word for permanent neighbours,
/// and the container's namespace, whose path may be another mount namespace's, is not ours to
/// enter. The host end has both addresses and answers, without proxy ARP.
final class NetworkCalls {

  private static final String INTERFACE = "Interface";
  private static final String MAC = "MacAddress";

  /// libnetwork's number for a route that needs no next hop.
  private static final int CONNECTED = 1;

  private final StepVerbs steps;
  private final DockerNetworks networks;

  NetworkCalls(StepVerbs steps, DockerNetworks networks) {
    this.steps = steps;
    this.networks = networks;
  }

  /// A global scope would need a cluster store or a swarm, which Docker has given up or which
  /// allots networks by itself. Ours is a matter of IPPools and policy, not of Docker's networks.
  static ObjectNode capabilities() {
    return reply().put("Scope", "local").put("ConnectivityScope", "global");
  }

  ObjectNode createNetwork(DockerRequest request) throws RefusedException, IOException {
    String id = request.required("NetworkID");
    for (String key : List.of("IPv4Data", "IPv6Data")) {
      for (JsonNode subnet : request.json().path(key)) {
        if (!subnet.path("AddressSpace").asText().equals(AddressCalls.ADDRESS_SPACE)) {
          throw new RefusedException(
              "subnet "
                  + subnet.path("Pool").asText()
                  + " is kept by another IPAM driver; create the network with --ipam-driver and the"
                  + " name of --driver");
        }
      }
    }
    networks.remember(DockerNetwork.of(id, request.options()));
    return reply();
  }

  ObjectNode deleteNetwork(DockerRequest request) throws RefusedException, IOException {
    networks.forget(request.required("NetworkID"));
    return reply();
  }

  ObjectNode createEndpoint(DockerRequest request) throws RefusedException, CniException {
    String id = request.required("NetworkID");
    DockerNetwork network =
        networks
            .find(id)
            .orElseThrow(
                () ->
                    new RefusedException(
                        "this node's agent does not know the network, whose record it has lost;"
                            + " docker network rm, and create it again"));
    DockerRequest wanted = request.below(INTERFACE);
    List<IpAddress> addresses = new ArrayList<>();
    for (String key : List.of("Address", "AddressIPv6")) {
      if (!wanted.text(key).isEmpty()) {
        addresses.add(AddressCalls.address(wanted.text(key)));
      }
    }
    EndpointOptions options = EndpointOptions.of(request.options());
    Map<String, String> labels = new HashMap<>(network.labels());
    labels.putAll(options.labels());
    DockerNetwork.check(network.profile(), labels);
    String mac =
        steps
            .create(
                new StepVerbs.Endpoint(
                    request.required("EndpointID"),
                    network.profile(),
                    labels,
                    options.hostPorts(),
                    network.mtu()),
                addresses)
            .toString();
    ObjectNode reply = reply();
    ObjectNode answered = reply.putObject(INTERFACE);
    // Docker takes what it asked for itself for an error.
    if (wanted.text(MAC).isEmpty()) {
      answered.put(MAC, mac);
    }
    return reply;
  }

  ObjectNode join(DockerRequest request) throws RefusedException, CniException {
    StepVerbs.Joined joined =
        steps.join(request.required("EndpointID"), request.text("SandboxKey"));
    ObjectNode reply = reply();
    reply
        .putObject("InterfaceName")
        .put("SrcName", joined.podEnd().value())
        .put("DstPrefix", "eth");
    ArrayNode routes = reply.putArray("StaticRoutes");
    for (IpFamily family : IpFamily.values()) {
      if (!joined.families().contains(family)) {
        continue;
      }
      IpAddress gateway =
          switch (family) {
            case IPV4 -> PodNetwork.IPV4_GATEWAY;
            case IPV6 -> PodNetwork.IPV6_GATEWAY;
          };
      reply.put(
          switch (family) {
            case IPV4 -> "Gateway";
            case IPV6 -> "GatewayIPv6";
          },
          gateway.toString());
      routes
          .addObject()
          .put("Destination", gateway.toHostPrefix().toString())
          .put("RouteType", CONNECTED)
          .put("NextHop", "");
    }
    return reply;
  }

  ObjectNode leave(DockerRequest request) throws RefusedException, CniException {
    steps.leave(request.required("EndpointID"));
    return reply();
  }

  ObjectNode deleteEndpoint(DockerRequest request) throws RefusedException, CniException {
    steps.delete(request.required("EndpointID"));
    return reply();
  }

  /// There is nothing to tell that Docker does not know.
  static ObjectNode endpointInfo() {
    ObjectNode reply = reply();
    reply.putObject("Value");
    return reply;
  }

  private static ObjectNode reply() {
    return DockerRequest.JSON.createObjectNode();
  }
}
