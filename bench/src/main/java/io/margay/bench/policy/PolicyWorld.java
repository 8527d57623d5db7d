package io.margay.bench.policy;

import io.margay.datastore.json.Decoded;
import io.margay.datastore.json.ResourceJson;
import io.margay.datastore.json.ResourceKeys;
import io.margay.model.resource.Kind;
import io.margay.model.resource.Resource;
import java.util.Optional;
import java.util.stream.IntStream;

/// A cluster's documents as the store holds them, made one by one: 500 namespaces, half of them
/// `env=prod`; ten applications; policies that allow one application of the same namespace, every
/// fifth of all production.
///
/// @param endpoints in the whole cluster
/// @param policies in the whole cluster
/// @param local endpoints of [#NODE], in as many namespaces as can be
/// @param perNode endpoints that another node may have
record PolicyWorld(int endpoints, int policies, int local, int perNode) {

  static final String NODE = "node-0";
  static final int NAMESPACES = 500;
  private static final int APPLICATIONS = 10;
  static final int BLOCK_SIZE = 64;
  private static final int FIRST_BLOCK_HERE = 1 << 15;

  PolicyWorld(int endpoints, int policies, int local) {
    this(endpoints, policies, local, 100);
  }

  /// A document and its place.
  record Document(String key, String value) {
    Resource decode(long revision) {
      Optional<Decoded> decoded = ResourceJson.decode(key, value, revision);
      if (decoded.orElse(null) instanceof Decoded.Valid(Resource resource)) {
        return resource;
      }
      throw new IllegalStateException("the bench wrote what can't be read: " + value);
    }
  }

  Document namespace(int number) {
    return namespace(number, 0);
  }

  /// @param generation every second one is the other environment
  Document namespace(int number, int generation) {
    return new Document(
        ResourceKeys.prefix(Kind.PROFILE) + "kns.ns-" + number,
        """
        {"kind":"Profile","apiVersion":"projectcalico.org/v3","metadata":{"name":"kns.ns-%d"},"spec":{"ingress":[{"action":"Allow","source":{},"destination":{}}],"egress":[{"action":"Allow","source":{},"destination":{}}],"labelsToApply":{"pcns.env":"%s","pcns.projectcalico.org/name":"ns-%d"}}}\
        """
            .formatted(number, (number + generation) % 2 == 0 ? "prod" : "dev", number));
  }

  private int namespaceOf(int endpoint) {
    return isLocal(endpoint)
        ? endpoint / (endpoints / local) % NAMESPACES
        : endpoint * 7 % NAMESPACES;
  }

  boolean isLocal(int endpoint) {
    int step = endpoints / local;
    return endpoint % step == 0 && endpoint / step < local;
  }

  /// The number of the node that has an endpoint; 0 is [#NODE].
  int nodeOf(int endpoint) {
    return isLocal(endpoint) ? 0 : 1 + endpoint / perNode;
  }

  /// The other nodes' endpoints, by node, lie one behind the other, and so do this node's.
  int slotOf(int endpoint) {
    return isLocal(endpoint) ? endpoint / (endpoints / local) : endpoint % perNode;
  }

  /// Blocks of each node but [#NODE].
  int blocksPerNode() {
    return (perNode + BLOCK_SIZE - 1) / BLOCK_SIZE;
  }

  /// The first of a node's blocks; [#NODE] has those behind all others.
  int firstBlockOf(int node) {
    return node == 0 ? FIRST_BLOCK_HERE : (node - 1) * blocksPerNode();
  }

  String address(int endpoint) {
    return address(firstBlockOf(nodeOf(endpoint)), slotOf(endpoint));
  }

  /// The address at an offset from a block's first.
  static String address(int block, int offset) {
    int at = block * BLOCK_SIZE + offset;
    return "10.%d.%d.%d".formatted(64 + (at >> 16), at >> 8 & 255, at & 255);
  }

  static String containerOf(int endpoint) {
    return "%064x".formatted(endpoint);
  }

  String namespaceNameOf(int endpoint) {
    return "ns-" + namespaceOf(endpoint);
  }

  static String podOf(int endpoint) {
    return "pod-%06d".formatted(endpoint);
  }

  /// @param generation changes the endpoint's labels, and with them the sets it is in
  Document endpoint(int number, int generation) {
    int namespace = namespaceOf(number);
    String node = "node-" + nodeOf(number);
    String name = "%s-k8s-pod--%06d-eth0".formatted(node.replace("-", "--"), number);
    return new Document(
        ResourceKeys.prefix(Kind.WORKLOAD_ENDPOINT, "ns-" + namespace) + name,
        """
        {"kind":"WorkloadEndpoint","apiVersion":"projectcalico.org/v3","metadata":{"name":"%s","namespace":"ns-%d","uid":"7e6a5c7e-0000-4000-8000-%012d","creationTimestamp":"2026-11-28T12:00:00Z","labels":{"app":"app-%d","tier":"t%d","projectcalico.org/namespace":"ns-%d","projectcalico.org/orchestrator":"k8s","projectcalico.org/serviceaccount":"default"}},"spec":{"orchestrator":"k8s","node":"%s","containerID":"%s","pod":"%s","endpoint":"eth0","serviceAccountName":"default","ipNetworks":["%s/32"],"profiles":["kns.ns-%d","ksa.ns-%d.default"],"interfaceName":"cali%011x","mac":"ee:ee:ee:ee:ee:ee","ports":[{"name":"http","protocol":"TCP","port":8080}]}}\
        """
            .formatted(
                name,
                namespace,
                number,
                (number / 13 + generation) % APPLICATIONS,
                number % 5,
                namespace,
                node,
                containerOf(number),
                podOf(number),
                address(number),
                namespace,
                namespace,
                number));
  }

  /// Endpoints of other nodes in namespaces that [#NODE] has endpoints of, too.
  int[] remoteBesideLocal(int count) {
    return IntStream.range(0, endpoints)
        .filter(number -> !isLocal(number) && namespaceOf(number) < local)
        .skip(endpoints / 10)
        .limit(count)
        .toArray();
  }

  Document policy(int number) {
    return policy(number, 0);
  }

  /// @param generation changes whom the policy lets in
  Document policy(int number, int generation) {
    int namespace = number % NAMESPACES;
    int kind = number / NAMESPACES;
    String source =
        number % 5 == 0
            ? "\"selector\":\"app == 'app-%d'\",\"namespaceSelector\":\"env == 'prod'\""
            : "\"selector\":\"app == 'app-%d'\"";
    return new Document(
        ResourceKeys.prefix(Kind.NETWORK_POLICY, "ns-" + namespace)
            + "default.policy-%05d".formatted(number),
        """
        {"kind":"NetworkPolicy","apiVersion":"projectcalico.org/v3","metadata":{"name":"default.policy-%05d","namespace":"ns-%d","creationTimestamp":"2026-11-28T12:00:00Z"},"spec":{"tier":"default","order":%d,"selector":"app in {'app-%d','app-%d','app-%d'}","types":["Ingress","Egress"],"ingress":[{"action":"Allow","protocol":"TCP","source":{%s},"destination":{"ports":[8080,"9000:9100"]}},{"action":"Deny","source":{"nets":["10.1.0.0/16"]},"destination":{}}],"egress":[{"action":"Allow","source":{},"destination":{"selector":"has(tier)"}}]}}\
        """
            .formatted(
                number,
                namespace,
                number,
                kind % APPLICATIONS,
                (kind + 3) % APPLICATIONS,
                (kind + 6) % APPLICATIONS,
                source.formatted((kind + 1 + generation) % APPLICATIONS)));
  }
}
