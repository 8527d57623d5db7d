package io.margay.agent.docker;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.margay.agent.http.PluginCalls;
import io.margay.cni.StepVerbs;
import io.margay.cni.spec.CniException;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Answers Docker Engine as a network and IPAM driver: libnetwork's remote driver protocol, one
/// JSON document a call. What is refused is answered as `{"Err": "..."}`, which Docker shows to
/// whoever typed the command.
public final class DockerPlugin implements PluginCalls {

  private static final Logger LOG = LoggerFactory.getLogger(DockerPlugin.class);

  private final AddressCalls addresses;
  private final NetworkCalls networks;

  private DockerPlugin(AddressCalls addresses, NetworkCalls networks) {
    this.addresses = addresses;
    this.networks = networks;
  }

  /// @param stateDir the agent's own
  /// @param poolAround the IPPool an address lies in
  public static DockerPlugin open(
      Path stateDir, StepVerbs steps, Function<IpAddress, Optional<Prefix>> poolAround)
      throws IOException {
    return new DockerPlugin(
        new AddressCalls(steps, poolAround),
        new NetworkCalls(
            steps, DockerNetworks.open(stateDir.resolve("docker").resolve("networks"))));
  }

  @Override
  public Optional<byte[]> answer(String method, byte[] body) {
    Optional<ObjectNode> reply;
    try {
      reply = reply(method, DockerRequest.parse(body));
    } catch (CniException failed) {
      String details = failed.error().details();
      reply =
          Optional.of(
              error(
                  method,
                  body,
                  failed.error().msg() + (details.isEmpty() ? "" : " (" + details + ")")));
    } catch (RefusedException refused) {
      reply = Optional.of(error(method, body, String.valueOf(refused.getMessage())));
    } catch (IOException disk) {
      reply =
          Optional.of(
              error(
                  method,
                  body,
                  "the agent's state directory does not take it: " + disk.getMessage()));
    }
    return reply.map(json -> json.toString().getBytes(StandardCharsets.UTF_8));
  }

  /// Empty for a method that there is not: Docker tries some that a driver need not have.
  private Optional<ObjectNode> reply(String method, DockerRequest request)
      throws RefusedException, CniException, IOException {
    ObjectNode nothing = DockerRequest.JSON.createObjectNode();
    return Optional.ofNullable(
        switch (method) {
          case "Plugin.Activate" -> implemented();
          case "NetworkDriver.GetCapabilities" -> NetworkCalls.capabilities();
          case "NetworkDriver.CreateNetwork" -> networks.createNetwork(request);
          case "NetworkDriver.DeleteNetwork" -> networks.deleteNetwork(request);
          case "NetworkDriver.CreateEndpoint" -> networks.createEndpoint(request);
          case "NetworkDriver.EndpointOperInfo" -> NetworkCalls.endpointInfo();
          case "NetworkDriver.Join" -> networks.join(request);
          case "NetworkDriver.Leave" -> networks.leave(request);
          case "NetworkDriver.DeleteEndpoint" -> networks.deleteEndpoint(request);
          // A swarm's manager asks for this.
          case "NetworkDriver.AllocateNetwork" ->
              throw new RefusedException(
                  "networks of a swarm are not served; create the network on each node, outside of"
                      + " the swarm");
          case "NetworkDriver.FreeNetwork",
              "NetworkDriver.ProgramExternalConnectivity",
              "NetworkDriver.RevokeExternalConnectivity",
              "NetworkDriver.DiscoverNew",
              "NetworkDriver.DiscoverDelete",
              "IpamDriver.ReleasePool" ->
              nothing;
          case "IpamDriver.GetCapabilities" -> AddressCalls.capabilities();
          case "IpamDriver.GetDefaultAddressSpaces" -> AddressCalls.addressSpaces();
          case "IpamDriver.RequestPool" -> addresses.requestPool(request);
          case "IpamDriver.RequestAddress" -> addresses.requestAddress(request);
          case "IpamDriver.ReleaseAddress" -> addresses.releaseAddress(request);
          default -> null;
        });
  }

  private static ObjectNode implemented() {
    ObjectNode reply = DockerRequest.JSON.createObjectNode();
    reply.putArray("Implements").add("NetworkDriver").add("IpamDriver");
    return reply;
  }

  private static ObjectNode error(String method, byte[] body, String why) {
    String on = "";
    try {
      on = object(DockerRequest.parse(body));
    } catch (RefusedException notJson) {
      // What is wrong with it is said already.
    }
    LOG.atWarn()
        .addKeyValue("method", method)
        .addKeyValue("on", on)
        .addKeyValue("reason", why)
        .log("a request of Docker's ended in an error");
    String text = method + (on.isEmpty() ? "" : " of " + on) + ": " + why;
    // What a network driver calls Err an IPAM driver calls Error.
    return DockerRequest.JSON.createObjectNode().put("Err", text).put("Error", text);
  }

  private static String object(DockerRequest request) {
    String endpoint = request.text("EndpointID");
    String network = request.text("NetworkID");
    if (!endpoint.isEmpty()) {
      return "endpoint " + endpoint + (network.isEmpty() ? "" : " of network " + network);
    }
    return network.isEmpty() ? "" : "network " + network;
  }
}
