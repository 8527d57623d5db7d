package io.margay.cli.policy;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.margay.datastore.json.DocumentTrees;
import io.margay.datastore.json.ResourceJson;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import io.margay.model.resource.EndpointPort;
import io.margay.model.resource.HostEndpoint;
import io.margay.model.resource.Resource;
import io.margay.model.resource.WorkloadEndpoint;
import io.margay.policy.testing.Gen;
import io.margay.policy.testing.RandomWorld;
import io.margay.policy.testing.Things;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// Documents of random worlds, every pair of pods and strangers asked by several protocols: the
/// rules as rendered and the oracle answer alike, down to what decided.
final class EngineDifferentialTest {

  private static final int SEEDS = 120;
  private static final int DENSE_SEEDS = 20;
  private static final int DENSE_PODS = 8;
  private static final int DENSE_POLICIES = 60;
  private static final String NAME = "kubernetes.io/metadata.name";
  private static final List<String> STRANGERS =
      List.of("192.0.2.1", "10.0.0.8", "2001:db8::1", "fd00::8");
  private static final String NODE_ADDRESS = "10.9.0.1";
  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

  /// Sides that host endpoints judged.
  private int hosts;

  @Test
  void both_engines_give_the_same_answers() {
    int[] verdicts = new int[2];
    Gen.forSeeds(
        SEEDS,
        gen -> {
          RandomWorld random = new RandomWorld(gen);
          ArrayNode documents = JSON.arrayNode();
          for (Resource resource : random.mutated(random.world()).all()) {
            documents.add(
                resource instanceof WorkloadEndpoint endpoint
                    ? pod(endpoint, gen.oneOf(Things.NODE, "elsewhere"))
                    : spoiled(ResourceJson.toTree(resource), gen));
          }
          documents.add(node());
          if (gen.chance(30)) {
            documents.add(closedToPods());
          }
          compare(documents, verdicts);
        });
    assertBoth(verdicts);
    assertThat(hosts).as("judged by host endpoints").isPositive();
  }

  /// Now and then with something in it that nobody can read.
  private static JsonNode spoiled(JsonNode document, Gen gen) {
    ObjectNode spoiled = document.deepCopy();
    if (gen.chance(20) && spoiled.get("spec") instanceof ObjectNode spec) {
      switch (document.path("kind").asText()) {
        case "NetworkPolicy", "GlobalNetworkPolicy" ->
            spec.putArray(gen.oneOf("ingress", "egress")).addObject().put("action", "Perhaps");
        case "NetworkSet", "GlobalNetworkSet" -> spec.withArray("nets").add("10.0.0.0/240");
        default -> {}
      }
    }
    return spoiled;
  }

  /// So many that the renderer merges their rules.
  @Test
  void many_policies_on_one_pod_are_told_apart() {
    int[] verdicts = new int[2];
    Gen.forSeeds(
        DENSE_SEEDS,
        gen -> {
          ArrayNode documents = JSON.arrayNode();
          for (int i = 1; i <= DENSE_PODS; i++) {
            ObjectNode pod = documents.addObject().put("apiVersion", "v1").put("kind", "Pod");
            pod.putObject("metadata")
                .put("namespace", gen.oneOf("a", "b"))
                .put("name", "p" + i)
                .putObject("labels")
                .put("app", gen.oneOf("x", "y", "z"));
            pod.putObject("status").put("podIP", "10.0.0." + i);
          }
          for (int i = 0; i < DENSE_POLICIES; i++) {
            ObjectNode policy = documents.addObject();
            policy.put("apiVersion", "networking.k8s.io/v1").put("kind", "NetworkPolicy");
            policy.putObject("metadata").put("namespace", "a").put("name", "np" + i);
            ObjectNode spec = policy.putObject("spec");
            spec.putObject("podSelector");
            boolean ingress = gen.chance(60);
            spec.putArray("policyTypes").add(ingress ? "Ingress" : "Egress");
            ArrayNode rules = spec.putArray(ingress ? "ingress" : "egress");
            for (int rule = gen.between(1, 2); rule > 0; rule--) {
              rules.add(rule(gen, ingress ? "from" : "to"));
            }
          }
          compare(documents, verdicts);
        });
    assertBoth(verdicts);
  }

  private static ObjectNode rule(Gen gen, String side) {
    ObjectNode rule = JSON.objectNode();
    ObjectNode peer = rule.putArray(side).addObject();
    switch (gen.between(0, 3)) {
      case 0 -> peer.putObject("podSelector").putObject("matchLabels").put("app", app(gen));
      case 1 -> peer.putObject("namespaceSelector").putObject("matchLabels").put(NAME, "b");
      case 2 -> peer.putObject("ipBlock").put("cidr", "10.0.0." + gen.between(0, 15) + "/32");
      default ->
          peer.putObject("ipBlock")
              .put("cidr", gen.oneOf("10.0.0.0/30", "192.0.2.0/24", "fd00::/64"));
    }
    ArrayNode ports = rule.putArray("ports");
    for (int port = gen.between(0, 2); port > 0; port--) {
      ports
          .addObject()
          .put("port", gen.oneOf(80, 443, 53))
          .put("protocol", gen.oneOf("TCP", "UDP"));
    }
    return rule;
  }

  private static String app(Gen gen) {
    return gen.oneOf("x", "y", "z");
  }

  private void compare(ArrayNode documents, int[] verdicts) {
    World world =
        WorldReader.read(List.of(DocumentTrees.of("world", documents)), PodReader.Wiring.ONE_NODE);
    ArrayNode probes = probes(world);
    ArrayNode byRules = answers(world, Engine.Choice.rules, probes);
    ArrayNode byOracle = answers(world, Engine.Choice.oracle, probes);
    for (int i = 0; i < probes.size(); i++) {
      assertThat(byRules.get(i)).as("in %s", documents).isEqualTo(byOracle.get(i));
      hosts += byRules.get(i).path("ingress").has("hostEndpoint") ? 1 : 0;
      String verdict = byRules.get(i).path("verdict").asText();
      if (!verdict.isEmpty()) {
        verdicts[verdict.equals("allow") ? 1 : 0]++;
      }
    }
  }

  private static void assertBoth(int[] verdicts) {
    assertThat(verdicts[0]).as("denied").isPositive();
    assertThat(verdicts[1]).as("allowed").isPositive();
    System.out.println("verdicts: " + verdicts[1] + " allow, " + verdicts[0] + " deny");
  }

  private static ArrayNode answers(World world, Engine.Choice engine, ArrayNode probes) {
    return new Answers(new Evaluation(world, engine.of(world))).answer(probes);
  }

  private static ArrayNode probes(World world) {
    List<String> ends =
        Stream.of(
                world.pods().keySet().stream(),
                STRANGERS.stream(),
                Stream.of(NODE_ADDRESS),
                world.resources().values().stream()
                    .filter(HostEndpoint.class::isInstance)
                    .map(HostEndpoint.class::cast)
                    .flatMap(host -> host.spec().expectedIPs().stream())
                    .map(IpAddress::toString))
            .flatMap(it -> it)
            .distinct()
            .toList();
    ArrayNode probes = JSON.arrayNode();
    for (String from : ends) {
      for (String to : ends) {
        for (String what : List.of("80/TCP", "443/TCP", "53/UDP", "85/UDP", "80/SCTP")) {
          String[] words = what.split("/");
          probe(probes, from, to).put("port", Integer.parseInt(words[0])).put("protocol", words[1]);
        }
        probe(probes, from, to).put("protocol", "ICMP");
        probe(probes, from, to).put("protocol", "ICMP").putObject("icmp").put("type", 0);
      }
    }
    return probes;
  }

  /// The node of the world's host endpoints.
  private static ObjectNode node() {
    ObjectNode node = JSON.objectNode().put("apiVersion", "v1").put("kind", "Node");
    node.putObject("metadata").put("name", Things.NODE);
    node.putObject("status")
        .putArray("addresses")
        .addObject()
        .put("type", "InternalIP")
        .put("address", NODE_ADDRESS);
    return node;
  }

  private static ObjectNode closedToPods() {
    ObjectNode felix = JSON.objectNode().put("kind", "FelixConfiguration");
    felix.put("apiVersion", "projectcalico.org/v3").putObject("metadata").put("name", "default");
    ObjectNode spec = felix.putObject("spec").put("defaultEndpointToHostAction", "Drop");
    spec.putArray("failsafeInboundHostPorts").addObject().put("protocol", "UDP").put("port", 53);
    spec.putArray("failsafeOutboundHostPorts");
    return felix;
  }

  private static ObjectNode probe(ArrayNode probes, String from, String to) {
    return probes.addObject().put("from", from).put("to", to);
  }

  /// The Pod whose endpoint this is.
  private static JsonNode pod(WorkloadEndpoint endpoint, String node) {
    ObjectNode pod = JSON.objectNode().put("apiVersion", "v1").put("kind", "Pod");
    ObjectNode metadata = pod.putObject("metadata");
    metadata.put("namespace", endpoint.metadata().namespaceOrEmpty());
    metadata.put("name", endpoint.metadata().name());
    ObjectNode labels = metadata.putObject("labels");
    endpoint.metadata().labels().forEach(labels::put);
    ObjectNode spec = pod.putObject("spec");
    spec.put("serviceAccountName", endpoint.spec().serviceAccountName()).put("nodeName", node);
    ArrayNode ports = spec.putArray("containers").addObject().put("name", "c").putArray("ports");
    for (EndpointPort port : endpoint.spec().ports()) {
      ports
          .addObject()
          .put("name", port.name())
          .put("containerPort", port.port())
          .put("protocol", port.protocol().toString());
    }
    ArrayNode addresses = pod.putObject("status").putArray("podIPs");
    for (Prefix address : endpoint.spec().ipNetworks()) {
      addresses.addObject().put("ip", address.address().toString());
    }
    return pod;
  }
}
