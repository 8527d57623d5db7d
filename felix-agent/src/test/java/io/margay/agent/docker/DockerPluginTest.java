package io.margay.agent.docker;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import io.margay.model.resource.WorkloadEndpoint;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DockerPluginTest {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final List<Prefix> POOLS =
      List.of(Prefix.parse("10.65.0.0/16"), Prefix.parse("fd00:65::/48"));
  private static final String NETWORK = "95f3b3ef4ea37c49";
  private static final String MAC =
      "\"Options\":{\"com.docker.network.endpoint.macaddress\":\"02:42:ba:2b:52:cd\"}";

  @TempDir Path directory;
  private final FakeNode node = new FakeNode();
  private DockerPlugin plugin;

  @BeforeEach
  void start() throws IOException {
    plugin =
        DockerPlugin.open(
            directory.resolve("state"), node.steps(directory.resolve("journal")), this::poolAround);
  }

  private Optional<Prefix> poolAround(IpAddress address) {
    return POOLS.stream().filter(pool -> pool.contains(address)).findFirst();
  }

  private JsonNode answer(String method, String body) throws IOException {
    return JSON.readTree(
        plugin.answer(method, body.getBytes(StandardCharsets.UTF_8)).orElseThrow());
  }

  private void accepted(String method, String body) throws IOException {
    JsonNode answer = answer(method, body);
    assertThat(answer.has("Err")).as(answer.toString()).isFalse();
  }

  @Test
  void what_docker_has_been_seen_to_ask_is_answered_as_it_understands() throws Exception {
    String call = "";
    for (String line :
        Files.readAllLines(
            Path.of(
                Objects.requireNonNull(
                        DockerPluginTest.class.getResource("/docker/recorded-20.10.24.txt"))
                    .toURI()))) {
      if (line.startsWith("> ")) {
        call = line.substring(2);
      } else if (line.startsWith("< ")) {
        int space = call.indexOf(' ');
        String method = space < 0 ? call : call.substring(0, space);
        assertThat(answer(method, space < 0 ? "" : call.substring(space + 1)))
            .as(call)
            .isEqualTo(JSON.readTree(line.substring(2)));
      }
    }
    assertThat(node.wires).as("one was disconnected, one ran and ended").hasSize(1);
    assertThat(node.handles).hasSize(2);
    WorkloadEndpoint document = node.endpoints.values().iterator().next();
    assertThat(document.spec().profiles()).containsExactly("web");
    assertThat(document.metadata().labels()).containsEntry("role", "db");
  }

  @Test
  void a_networks_subnet_is_the_only_pool_asked_and_none_means_all() throws IOException {
    accepted("IpamDriver.RequestAddress", "{\"PoolID\":\"10.65.0.0/16\"," + MAC + "}");
    accepted("IpamDriver.RequestAddress", "{\"PoolID\":\"::/0\"," + MAC + "}");
    assertThat(node.wishes.getFirst().ipv4Pools()).containsExactly("10.65.0.0/16");
    assertThat(node.wishes.getLast().ipv6Pools()).isEmpty();
  }

  @Test
  void networks_outlive_the_agent_and_nothing_else_makes_them_known() throws IOException {
    accepted(
        "NetworkDriver.CreateNetwork",
        "{\"NetworkID\":\""
            + NETWORK
            + "\",\"Options\":{\"com.docker.network.generic\":{\"profile\":\"web\","
            + "\"com.docker.network.driver.mtu\":\"1400\"}}}");
    start();
    accepted("IpamDriver.RequestAddress", "{\"PoolID\":\"10.65.0.0/16\"," + MAC + "}");
    String endpoint =
        "{\"NetworkID\":\"%s\",\"EndpointID\":\"abcdefabcdef\","
            + "\"Interface\":{\"Address\":\"10.65.0.11/32\"},\"Options\":null}";
    assertThat(answer("NetworkDriver.CreateEndpoint", endpoint.formatted("other")).path("Err"))
        .asString()
        .contains("does not know the network", "network other", "docker network rm");
    assertThat(answer("NetworkDriver.CreateEndpoint", endpoint.formatted(NETWORK)).toString())
        .as("a MAC address that Docker did not ask for")
        .isEqualTo("{\"Interface\":{\"MacAddress\":\"02:42:ba:2b:52:cd\"}}");
    accepted("NetworkDriver.Join", "{\"EndpointID\":\"abcdefabcdef\",\"SandboxKey\":\"/x\"}");
    assertThat(node.wires.values().iterator().next().mtu()).isEqualTo(1400);
    accepted("NetworkDriver.DeleteNetwork", "{\"NetworkID\":\"" + NETWORK + "\"}");
    accepted("NetworkDriver.DeleteNetwork", "{\"NetworkID\":\"" + NETWORK + "\"}");
    try (var left = Files.list(directory.resolve("state/docker/networks"))) {
      assertThat(left).isEmpty();
    }
  }

  @Test
  void a_network_file_that_is_torn_is_set_aside() throws IOException {
    Path file = directory.resolve("state/docker/networks/abc.json");
    Files.writeString(file, "{\"id\":");
    start();
    assertThat(file).doesNotExist();
    assertThat(file.resolveSibling("abc.json.bad")).exists();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '\0',
      value = {
        "IpamDriver.RequestPool | {'Pool':'10.65.4.0/24'} | part of IPPool 10.65.0.0/16",
        "IpamDriver.RequestPool | {'Pool':'10.99.0.0/16'} | no IPPool's cidr; see margay get",
        "IpamDriver.RequestPool | {'Pool':'ten'} | subnet \"ten\"",
        "IpamDriver.RequestPool | {'Pool':'10.65.0.0/16','SubPool':'10.65.4.0/24'} | --ip-range",
        "IpamDriver.RequestPool | {'Options':{'a':'b'}} | --ipam-opt a",
        "IpamDriver.RequestAddress |"
            + " {'PoolID':'10.65.0.0/16','Address':'10.65.0.1','Options':{'RequestAddressType':'com.docker.network.gateway'}}"
            + " | 169.254.1.1",
        "IpamDriver.RequestAddress | {'PoolID':'10.65.0.0/16','Address':'10.65.0.9','Options':null}"
            + " | IPReservation",
        "IpamDriver.RequestAddress |"
            + " {'PoolID':'10.65.0.0/16','Address':'10.9.0.9','Options':{'com.docker.network.endpoint.macaddress':'02:42:ba:2b:52:cd'}}"
            + " | not in the network's subnet",
        "IpamDriver.RequestAddress | {'Options':{}} | lacks PoolID",
        "IpamDriver.ReleaseAddress | {'Address':'x'} | address \"x\"",
        "NetworkDriver.CreateNetwork |"
            + " {'NetworkID':'a','Options':{'com.docker.network.internal':true}} | NetworkPolicy",
        "NetworkDriver.CreateNetwork |"
            + " {'NetworkID':'a','IPv4Data':[{'AddressSpace':'LocalDefault','Pool':'10.9.0.0/16'}]}"
            + " | --ipam-driver",
        "NetworkDriver.CreateNetwork |"
            + " {'NetworkID':'a','Options':{'com.docker.network.generic':{'colour':'red'}}} |"
            + " option colour is unknown",
        "NetworkDriver.CreateNetwork |"
            + " {'NetworkID':'a','Options':{'com.docker.network.generic':{'com.docker.network.driver.mtu':'9'}}}"
            + " | 68 to 65535 expected",
        "NetworkDriver.CreateNetwork |"
            + " {'NetworkID':'a','Options':{'com.docker.network.generic':{'org.projectcalico.label.a':'b!'}}}"
            + " | \"b!\" is not a label value",
        "NetworkDriver.CreateNetwork |"
            + " {'NetworkID':'a','Options':{'com.docker.network.generic':{'profile':'A B'}}} |"
            + " profile \"A B\"",
        "NetworkDriver.CreateNetwork | {'NetworkID':'../x'} | no network id",
        "NetworkDriver.CreateNetwork | {} | lacks NetworkID",
        "NetworkDriver.CreateNetwork | [] | no JSON object",
        "NetworkDriver.CreateNetwork | { | not JSON",
        "NetworkDriver.Join | {'EndpointID':'nobody'} | endpoint nobody",
        "NetworkDriver.AllocateNetwork | {} | swarm",
      })
  void what_is_refused_says_what_on_which_object_and_what_to_do(
      String method, String body, String why) throws IOException {
    JsonNode answer = answer(method.strip(), body.strip().replace('\'', '"'));
    assertThat(answer.path("Err").asText()).startsWith(method.strip()).contains(why.strip());
    assertThat(answer.path("Error")).as("as IPAM drivers call it").isEqualTo(answer.path("Err"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '\0',
      value = {
        "'com.docker.network.portmap':[{'Proto':6,'Port':80,'HostPort':0,'HostPortEnd':0}] |"
            + " HOSTPORT:80",
        "'com.docker.network.portmap':[{'Proto':6,'Port':80,'HostPort':80,'HostPortEnd':90}] |"
            + " HOSTPORT:80",
        "'com.docker.network.portmap':[{'Proto':1,'Port':80,'HostPort':80,'HostPortEnd':80}] | IP"
            + " protocol 1",
        "'com.docker.network.portmap':[{'Proto':6,'Port':80,'HostIP':'x','HostPort':80,'HostPortEnd':80}]"
            + " | published port 80:80",
        "'colour':'red' | option colour is unknown",
        "'org.projectcalico.label.a':'!' | \"!\" is not a label value",
      })
  void an_endpoint_that_asks_for_what_there_is_not_is_refused(String options, String why)
      throws IOException {
    accepted("NetworkDriver.CreateNetwork", "{\"NetworkID\":\"" + NETWORK + "\"}");
    JsonNode answer =
        answer(
            "NetworkDriver.CreateEndpoint",
            "{\"NetworkID\":\""
                + NETWORK
                + "\",\"EndpointID\":\"e1\",\"Interface\":{},\"Options\":{"
                + options.strip().replace('\'', '"')
                + "}}");
    assertThat(answer.path("Err").asText())
        .contains("endpoint e1 of network " + NETWORK, why.strip());
  }

  @Test
  void steps_back_of_what_nobody_knows_succeed_and_unknown_methods_have_no_answer()
      throws IOException {
    accepted("NetworkDriver.Leave", "{\"EndpointID\":\"nobody\"}");
    accepted("NetworkDriver.DeleteEndpoint", "{\"EndpointID\":\"nobody\"}");
    accepted("IpamDriver.ReleaseAddress", "{\"Address\":\"10.65.9.9\"}");
    accepted("IpamDriver.ReleasePool", "{\"PoolID\":\"x\"}");
    assertThat(plugin.answer("VolumeDriver.Create", new byte[0])).isEmpty();
  }
}
