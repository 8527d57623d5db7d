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
record PolicyWorld(int endpoints, int policies, int local) {

  static final String NODE = "node-0";
  static final int NAMESPACES = 500;
  private static final int APPLICATIONS = 10;

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

  private boolean isLocal(int endpoint) {
    int step = endpoints / local;
    return endpoint % step == 0 && endpoint / step < local;
  }

  /// @param generation changes the endpoint's labels, and with them the sets it is in
  Document endpoint(int number, int generation) {
    int namespace = namespaceOf(number);
    String node = isLocal(number) ? NODE : "node-" + (1 + number / 100);
    String name = "%s-k8s-pod--%06d-eth0".formatted(node.replace("-", "--"), number);
    return new Document(
        ResourceKeys.prefix(Kind.WORKLOAD_ENDPOINT, "ns-" + namespace) + name,
        """
        {"kind":"WorkloadEndpoint","apiVersion":"projectcalico.org/v3","metadata":{"name":"%s","namespace":"ns-%d","uid":"7e6a5c7e-0000-4000-8000-%012d","creationTimestamp":"2026-11-28T12:00:00Z","labels":{"app":"app-%d","tier":"t%d","projectcalico.org/namespace":"ns-%d","projectcalico.org/orchestrator":"k8s","projectcalico.org/serviceaccount":"default"}},"spec":{"orchestrator":"k8s","node":"%s","containerID":"%064x","pod":"pod-%06d","endpoint":"eth0","serviceAccountName":"default","ipNetworks":["%s/32"],"profiles":["kns.ns-%d","ksa.ns-%d.default"],"interfaceName":"cali%011x","mac":"ee:ee:ee:ee:ee:ee","ports":[{"name":"http","protocol":"TCP","port":8080}]}}\
        """
            .formatted(
                name,
                namespace,
                number,
                (number / 13 + generation) % APPLICATIONS,
                number % 5,
                namespace,
                node,
                number,
                number,
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

  static String address(int endpoint) {
    return "10.%d.%d.%d".formatted(64 + (endpoint >> 16), endpoint >> 8 & 255, endpoint & 255);
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
