package io.margay.cli.policy;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.margay.cli.ExitCodes;
import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.DatastoreException.Kind;
import io.margay.datastore.InMemoryDatastore;
import io.margay.datastore.Txn;
import io.margay.datastore.json.EndpointSliceDocuments;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

final class WhyDropCommandTest {

  @CommandLine.Command(name = "margay")
  private static final class Margay {}

  private record Result(int code, String out, String err) {}

  private final List<Txn.Write> stored = new ArrayList<>();
  private boolean isCalicosUser;

  private void put(String kind, String key, String document) {
    String text =
        "{\"kind\":\"%s\",\"apiVersion\":\"projectcalico.org/v3\",%s".formatted(kind, document);
    stored.add(new Txn.Write.Put("/calico/resources/v3/projectcalico.org/" + key, text));
  }

  private void pod(String namespace, String name, String node, String app, String address) {
    put(
        "WorkloadEndpoint",
        "workloadendpoints/%s/%s-k8s-%s-eth0".formatted(namespace, node, name),
        """
        "metadata":{"name":"%2$s-k8s-%3$s-eth0","namespace":"%1$s","labels":{"app":"%4$s","projectcalico.org/orchestrator":"k8s"}},\
        "spec":{"orchestrator":"k8s","node":"%2$s","containerID":"c","pod":"%3$s","endpoint":"eth0",\
        "ipNetworks":["%5$s/32"],"profiles":["kns.%1$s"],"interfaceName":"cali%3$s"}}\
        """
            .formatted(namespace, node, name, app, address));
  }

  @BeforeEach
  void fill() {
    pod("web", "front", "node1", "front", "10.65.0.1");
    pod("web", "back", "node2", "back", "10.65.0.2");
    put(
        "NetworkPolicy",
        "networkpolicies/web/default.back",
        """
        "metadata":{"name":"default.back","namespace":"web"},"spec":{"tier":"default","selector":"app == 'back'",\
        "types":["Ingress"],"ingress":[{"action":"Deny","protocol":"UDP","source":{},"destination":{}},\
        {"action":"Allow","protocol":"TCP","source":{"selector":"app == 'front'"},"destination":{"ports":[80]}}]}}\
        """);
  }

  /// The store as a role made for Calico may read it.
  private static Datastore withoutSlices(InMemoryDatastore store) {
    return (Datastore)
        Proxy.newProxyInstance(
            Datastore.class.getClassLoader(),
            new Class<?>[] {Datastore.class},
            (_, method, arguments) -> {
              if (method.getName().equals("list")
                  && arguments[0].equals(EndpointSliceDocuments.PREFIX)) {
                throw new DatastoreException(Kind.UNAUTHORISED, "memory", "permission denied");
              }
              return method.invoke(store, arguments);
            });
  }

  private Result run(String... arguments) {
    CommandLine line = new CommandLine(new Margay());
    WhyCommands.register(
        line,
        _ -> {
          InMemoryDatastore store = new InMemoryDatastore();
          store.commit(new Txn(List.of(), stored));
          return isCalicosUser ? withoutSlices(store) : store;
        });
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    line.setOut(new PrintWriter(out));
    line.setErr(new PrintWriter(err));
    int code = line.execute(arguments);
    return new Result(code, out.toString(), err.toString());
  }

  @Test
  void an_allowed_packet_names_the_rule_that_lets_it_in() {
    Result result = run("why", "drop", "web/front", "web/back", "80/tcp");
    assertThat(result.code()).as(result.err()).isEqualTo(ExitCodes.OK);
    assertThat(result.out().lines())
        .contains(
            "web/front (10.65.0.1) to web/back (10.65.0.2), 80/tcp: policy allows it",
            "  egress on node1: allowed by profile kns.web",
            "  ingress on node2: allowed by NetworkPolicy web/default.back, rule 1, in tier"
                + " default")
        .allSatisfy(text -> assertThat(text.length()).isLessThanOrEqualTo(100));
  }

  @Test
  void a_user_who_may_not_read_services_is_told_so_and_answered() {
    isCalicosUser = true;
    Result result = run("why", "drop", "web/front", "web/back", "80/tcp");
    assertThat(result.code()).as(result.err()).isEqualTo(ExitCodes.OK);
    assertThat(result.err()).contains("may not read /margay/v1/endpointslices/");
    assertThat(result.out()).contains("policy allows it");
  }

  @Test
  void a_denied_one_names_the_rule_or_the_tier_whose_end_denies() {
    assertThat(run("why", "drop", "10.65.0.1", "10.65.0.2", "53/udp").out())
        .contains(
            "10.65.0.1 to 10.65.0.2, 53/udp: policy DENIES it",
            "  ingress on node2: DENIED by NetworkPolicy web/default.back, rule 0, in tier"
                + " default");
    Result end = run("why", "drop", "8.8.8.8", "web/back", "80/tcp");
    assertThat(end.out())
        .contains(
            "  egress: nobody's policy",
            "  ingress on node2: DENIED by the end of tier default: policies select the pod, no"
                + " rule matched",
            "    ingress: tier default, no rule matched: DENY");
    assertThat(end.out().lines())
        .allSatisfy(text -> assertThat(text.length()).isLessThanOrEqualTo(100));
  }

  @Test
  void json_has_what_policy_eval_answers_and_the_steps() throws Exception {
    JsonNode json =
        new JsonMapper()
            .readTree(run("why", "drop", "web/front", "web/back", "icmp", "-o", "json").out());
    assertThat(json.path("verdict").asText()).isEqualTo("deny");
    assertThat(json.path("ingress").path("rule").asText()).isEqualTo("end-of-tier");
    assertThat(json.path("steps")).hasSize(2);
  }

  @Test
  void a_node_s_address_is_judged_by_its_host_endpoint_and_its_failsafes() {
    put(
        "Node",
        "nodes/node2",
        "\"metadata\":{\"name\":\"node2\"},\"spec\":{\"bgp\":{\"ipv4Address\":\"10.0.0.2/24\"}}}");
    put(
        "HostEndpoint",
        "hostendpoints/node2-eth0",
        """
        "metadata":{"name":"node2-eth0","labels":{"role":"node"}},\
        "spec":{"node":"node2","interfaceName":"eth0"}}\
        """);
    put(
        "GlobalNetworkPolicy",
        "globalnetworkpolicies/default.metrics",
        """
        "metadata":{"name":"default.metrics"},"spec":{"tier":"default","selector":"role == 'node'","types":["Ingress"],\
        "ingress":[{"action":"Allow","protocol":"TCP","source":{"nets":["10.65.0.1/32"]},"destination":{"ports":[9100]}}]}}\
        """);
    assertThat(run("why", "drop", "web/front", "10.0.0.2", "9100/tcp").out())
        .contains(
            "  ingress on node2, host endpoint node2-eth0: allowed by GlobalNetworkPolicy"
                + " default.metrics, rule 0, in tier default");
    assertThat(run("why", "drop", "8.8.8.8", "10.0.0.2", "9100/tcp").out())
        .contains(
            "policy DENIES it",
            "  ingress on node2, host endpoint node2-eth0: DENIED by the end of tier default:"
                + " policies select it, no rule matched");
    assertThat(run("why", "drop", "8.8.8.8", "10.0.0.2", "22/tcp").out())
        .contains("policy allows it", "node2-eth0: allowed by a failsafe port of the node");
    assertThat(run("why", "drop", "10.0.0.2", "8.8.8.8", "443/tcp").out())
        .contains(
            "egress on node2, host endpoint node2-eth0: DENIED by the profiles: none matched");
    put(
        "GlobalNetworkPolicy",
        "globalnetworkpolicies/default.transit",
        """
        "metadata":{"name":"default.transit"},"spec":{"tier":"default","selector":"role == 'node'","types":["Ingress"],\
        "applyOnForward":true,"ingress":[{"action":"Deny","protocol":"TCP","source":{},"destination":{"ports":[8080]}},\
        {"action":"Allow","source":{},"destination":{}}]}}\
        """);
    assertThat(run("why", "drop", "web/front", "web/back", "8080/tcp").out())
        .as("between nodes")
        .contains(
            "ingress on node2, host endpoint node2-eth0: DENIED by GlobalNetworkPolicy"
                + " default.transit, rule 0, in tier default");
    assertThat(run("why", "drop", "web/front", "web/back", "80/tcp").out())
        .contains("ingress on node2: allowed by NetworkPolicy web/default.back, rule 1");
    assertThat(run("why", "drop", "web/back", "10.0.0.2", "9100/tcp").out())
        .as("from its own pod")
        .contains("policy allows it", "  ingress on node2: nobody's policy");
  }

  @Test
  void what_makes_no_sense_is_one_line_and_a_usage_error() {
    for (List<String> wrong :
        List.of(
            List.of("web/front", "web/back", "80"),
            List.of("web/front", "web/back", "http/tcp"),
            List.of("web/front", "web/nobody", "80/tcp"),
            List.of("web/front", "nonsense", "80/tcp"),
            List.of("web/front", "web/back", "80/tcp", "--live", "0"))) {
      List<String> line = new ArrayList<>(List.of("why", "drop"));
      line.addAll(wrong);
      Result result = run(line.toArray(String[]::new));
      assertThat(result.code()).as("%s", wrong).isEqualTo(ExitCodes.USAGE);
      assertThat(result.err().lines()).as("%s", wrong).hasSize(1);
      assertThat(result.out()).as("%s", wrong).isEmpty();
    }
  }
}
