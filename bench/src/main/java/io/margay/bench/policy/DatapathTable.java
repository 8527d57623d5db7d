package io.margay.bench.policy;

import io.margay.agent.firewall.FirewallManager;
import io.margay.agent.firewall.FirewallSettings;
import io.margay.bench.policy.PolicyWorld.Document;
import io.margay.datastore.json.ResourceKeys;
import io.margay.linux.nft.KernelNftables;
import io.margay.linux.nft.NftTable;
import io.margay.model.resource.Kind;
import io.margay.model.resource.Resource;
import io.margay.policy.CalcGraph;
import java.util.ArrayList;
import java.util.List;

/// Writes, into the network namespace it runs in, the tables of a node with two endpoints, of which
/// one is under many policies; of these the last lets the other endpoint in.
public final class DatapathTable {

  private static final int PORT = 5001;

  /// How the policies differ.
  private enum Shape {
    /// Each has its own clients and its own port.
    PORTS,
    /// Each has its own clients; the port is the same.
    CLIENTS,
    /// Each has its own range of client addresses; the port is the same.
    NETS,
    /// They select another endpoint, which is not on the path.
    ELSEWHERE,
    /// By turns as [#PORTS], as [#CLIENTS] with a range of ports, and as [#NETS].
    MIXED,
    /// As [#CLIENTS], each with a denial of its own before, so that their order matters.
    DENIALS,
    /// There are none.
    NONE
  }

  private DatapathTable() {}

  /// @param arguments shape and number of policies; `caliclient` has 10.65.0.2, `caliserver`
  ///   10.65.0.3
  public static void main(String[] arguments) throws Exception {
    Shape shape = Shape.valueOf(arguments[0]);
    int policies = Integer.parseInt(arguments[1]);
    CalcGraph graph = new CalcGraph(PolicyWorld.NODE);
    long revision = 0;
    for (Document document : documents(shape, policies)) {
      Resource resource = document.decode(++revision);
      graph.onUpdate(resource.ref(), resource);
    }
    graph.onInSync();
    try (NftTable table = new NftTable(KernelNftables.open(), "margay", NftTable.Ownership.NEVER)) {
      FirewallManager firewall = new FirewallManager(table, FirewallSettings.DEFAULT);
      graph.flush(firewall::onUpdate);
      firewall.apply();
    }
  }

  private static List<Document> documents(Shape shape, int policies) {
    List<Document> documents = new ArrayList<>();
    documents.add(new PolicyWorld(0, 0, 0).namespace(0));
    documents.add(endpoint("client", "10.65.0.2", "client-" + policies));
    documents.add(endpoint("server", "10.65.0.3", "server"));
    documents.add(endpoint("other", "10.65.0.4", "other"));
    for (int i = 1; i <= policies; i++) {
      documents.add(policy(shape, i, i == policies));
    }
    return documents;
  }

  private static Document endpoint(String name, String address, String app) {
    String id = "node--0-k8s-%s-eth0".formatted(name);
    return new Document(
        ResourceKeys.prefix(Kind.WORKLOAD_ENDPOINT, "ns-0") + id,
        """
        {"kind":"WorkloadEndpoint","apiVersion":"projectcalico.org/v3","metadata":{"name":"%s","namespace":"ns-0","labels":{"app":"%s","projectcalico.org/namespace":"ns-0","projectcalico.org/orchestrator":"k8s"}},"spec":{"orchestrator":"k8s","node":"node-0","containerID":"%s","pod":"%s","endpoint":"eth0","ipNetworks":["%s/32"],"profiles":["kns.ns-0"],"interfaceName":"cali%s"}}\
        """
            .formatted(id, app, name, name, address, name));
  }

  private static Document policy(Shape shape, int number, boolean last) {
    Shape own =
        shape == Shape.MIXED
            ? List.of(Shape.CLIENTS, Shape.PORTS, Shape.NETS).get(last ? 0 : number % 3)
            : shape;
    String source =
        own == Shape.NETS
            ? "\"nets\":[\"%s\"]".formatted(last ? "10.65.0.0/30" : net(number))
            : "\"selector\":\"app == 'client-%d'\"".formatted(number);
    String port = Integer.toString(own == Shape.PORTS && !last ? 10_000 + number : PORT);
    if (shape == Shape.MIXED && own == Shape.CLIENTS) {
      port = "\"5000:5010\"";
    }
    String denial =
        own == Shape.DENIALS
            ? "{\"action\":\"Deny\",\"source\":{\"nets\":[\"%s\"]},\"destination\":{}},"
                .formatted(net(number))
            : "";
    return new Document(
        ResourceKeys.prefix(Kind.NETWORK_POLICY, "ns-0") + "default.p-%05d".formatted(number),
        """
        {"kind":"NetworkPolicy","apiVersion":"projectcalico.org/v3","metadata":{"name":"default.p-%05d","namespace":"ns-0"},"spec":{"tier":"default","order":%d,"selector":"app == '%s'","types":["Ingress"],"ingress":[%s{"action":"Allow","protocol":"TCP","source":{%s},"destination":{"ports":[%s]}}]}}\
        """
            .formatted(
                number, number, own == Shape.ELSEWHERE ? "other" : "server", denial, source, port));
  }

  private static String net(int number) {
    return "10.%d.%d.0/24".formatted(70 + number / 250, number % 250);
  }
}
