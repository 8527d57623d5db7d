package io.margay.cli.policy;

import com.fasterxml.jackson.databind.JsonNode;
import io.margay.datastore.json.DocumentTrees;
import io.margay.model.k8s.KubernetesConversion;
import io.margay.model.k8s.KubernetesPod;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import io.margay.model.resource.EndpointPort;
import io.margay.model.resource.FieldError;
import io.margay.model.resource.Metadata;
import io.margay.model.resource.Port;
import io.margay.model.resource.ResourceDefaults;
import io.margay.model.resource.WorkloadEndpoint;
import io.margay.model.resource.WorkloadEndpointSpec;
import io.margay.model.selector.Selector;
import io.margay.policy.EndpointKey;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// Pods of a world and their endpoints, as the CNI plugin would have made them.
final class PodReader {

  private static final String ORCHESTRATOR = "k8s";
  private static final String FIRST_INTERFACE = "eth0";
  private static final String DEFAULT_SERVICE_ACCOUNT = "default";

  /// FelixConfiguration's default interfacePrefix, and the digits Calico's rule puts behind it.
  static final String INTERFACE_PREFIX = "cali";

  private static final int INTERFACE_DIGITS = 11;

  /// Where pods' endpoints are.
  enum Wiring {
    /// All on the node [#EVERYWHERE], wherever their pods are.
    ONE_NODE,
    /// On the nodes their pods are on.
    AS_WRITTEN
  }

  static final String EVERYWHERE = "everywhere";

  /// @param addresses as written; empty = none yet
  private record Written(
      KubernetesPod pod, List<IpAddress> addresses, @Nullable String node, boolean hostNetwork) {}

  private final Nodes nodes;
  private final Wiring wiring;
  private final Map<String, Written> written = new LinkedHashMap<>();
  private final Map<String, WorkloadEndpoint> given = new LinkedHashMap<>();
  private final Map<String, String> lost = new HashMap<>();
  private final Map<String, Pod> pods = new LinkedHashMap<>();
  private final List<WorkloadEndpoint> endpoints = new ArrayList<>();
  private final List<String> warnings = new ArrayList<>();

  PodReader(Nodes nodes, Wiring wiring) {
    this.nodes = nodes;
    this.wiring = wiring;
  }

  /// Takes a Pod document.
  ///
  /// @param errors what the door would say of it
  void pod(DocumentTrees.Tree tree, KubernetesPod pod, List<FieldError> errors) {
    String name = name(pod.metadata());
    written.remove(name);
    lost.remove(name);
    JsonNode status = tree.node().path("status");
    String phase = status.path("phase").asText("");
    if (phase.equals("Succeeded") || phase.equals("Failed")) {
      lost.put(name, "pod " + name + " has ended (phase " + phase + ")");
      return;
    }
    boolean hostNetwork = Boolean.TRUE.equals(pod.spec().hostNetwork());
    for (FieldError error : errors) {
      if (!error.path().equals("spec.hostNetwork")) {
        warnings.add(tree.origin().place() + ": " + error.path() + " " + error.message());
      }
    }
    List<String> texts = new ArrayList<>();
    if (status.hasNonNull("podIP")) {
      texts.add(status.path("podIP").asText());
    }
    status.path("podIPs").forEach(entry -> texts.add(entry.path("ip").asText()));
    texts.removeIf(String::isEmpty);
    try {
      written.put(
          name, new Written(pod, WorldReader.addresses(texts), nodeOf(tree.node()), hostNetwork));
    } catch (IllegalArgumentException notAnAddress) {
      lose(tree, name, "status.podIP: " + notAnAddress.getMessage());
    }
  }

  /// By name, or by the address it is known to be at; that is then known to be the node's.
  private @Nullable String nodeOf(JsonNode pod) {
    String name = pod.path("spec").path("nodeName").asText("");
    String text = pod.path("status").path("hostIP").asText("");
    IpAddress address;
    try {
      address = text.isEmpty() ? null : IpAddress.parse(text);
    } catch (IllegalArgumentException notAnAddress) {
      address = null;
    }
    if (address == null) {
      return name.isEmpty() ? null : name;
    }
    String known = nodes.at(address);
    String node = !name.isEmpty() ? name : known != null ? known : text;
    if (known == null) {
      nodes.add(node, address);
    }
    return node;
  }

  /// A Pod document that can't be read.
  ///
  /// @return warnings
  List<String> unreadable(DocumentTrees.Tree tree, String problem) {
    JsonNode metadata = tree.node().path("metadata");
    String namespace = metadata.path("namespace").asText(WorldReader.DEFAULT_NAMESPACE);
    String name = namespace + "/" + metadata.path("name").asText("");
    written.remove(name);
    lose(tree, name, problem);
    return List.of();
  }

  private void lose(DocumentTrees.Tree tree, String name, String problem) {
    lost.put(name, "the document of pod " + name + " is not valid: " + problem);
    warnings.add(tree.origin().place() + ": pod " + name + " is not valid: " + problem);
  }

  /// Takes an endpoint of a v3 document.
  void endpoint(WorkloadEndpoint endpoint) {
    given.put(endpoint.metadata().namespaceOrEmpty() + "/" + unit(endpoint), endpoint);
  }

  private static String unit(WorkloadEndpoint endpoint) {
    String pod = endpoint.spec().pod();
    String workload = endpoint.spec().workload();
    return pod != null ? pod : workload != null ? workload : endpoint.metadata().name();
  }

  private static String name(Metadata metadata) {
    return metadata.namespaceOrEmpty() + "/" + metadata.name();
  }

  /// Gives every pod its address and its endpoint. Once, when all documents are read.
  ///
  /// @return warnings
  List<String> finish() {
    Set<IpAddress> taken = new HashSet<>(nodes.byAddress().keySet());
    written.values().forEach(pod -> taken.addAll(pod.addresses));
    given.values().forEach(e -> e.spec().ipNetworks().forEach(net -> taken.add(net.address())));
    SpareAddresses spare = new SpareAddresses(taken);
    given.forEach(
        (name, endpoint) -> {
          if (!written.containsKey(name)) {
            put(name, endpoint.spec().node(), wired(name, endpoint));
          }
        });
    written.forEach(
        (name, pod) -> {
          if (pod.hostNetwork) {
            List<IpAddress> its = new ArrayList<>(pod.addresses);
            if (pod.node != null) {
              nodes.addresses(pod.node).stream().filter(a -> !its.contains(a)).forEach(its::add);
            }
            pods.put(name, new Pod(name, its.isEmpty() ? spare.next() : its, nodeOf(pod), null));
          } else {
            put(
                name,
                pod.node,
                endpointOf(pod, pod.addresses.isEmpty() ? spare.next() : pod.addresses));
          }
        });
    return warnings;
  }

  private @Nullable String nodeOf(Written hostPod) {
    return hostPod.node != null || hostPod.addresses.isEmpty()
        ? hostPod.node
        : nodes.at(hostPod.addresses.getFirst());
  }

  private void put(String name, @Nullable String node, WorkloadEndpoint endpoint) {
    endpoints.add(endpoint);
    InterfaceName interfaceName = endpoint.spec().interfaceName();
    pods.put(
        name,
        new Pod(
            name,
            endpoint.spec().ipNetworks().stream().map(Prefix::address).toList(),
            node,
            interfaceName == null
                ? null
                : new Pod.Endpoint(
                    new EndpointKey(
                        endpoint.metadata().namespaceOrEmpty(), endpoint.metadata().name()),
                    interfaceName)));
  }

  /// A given endpoint where this world has it.
  private WorkloadEndpoint wired(String name, WorkloadEndpoint endpoint) {
    return switch (wiring) {
      case AS_WRITTEN -> endpoint;
      case ONE_NODE -> {
        WorkloadEndpointSpec spec = endpoint.spec();
        yield endpoint.withSpec(
            new WorkloadEndpointSpec(
                spec.orchestrator(),
                spec.workload(),
                EVERYWHERE,
                spec.containerID(),
                spec.pod(),
                spec.endpoint(),
                spec.serviceAccountName(),
                spec.ipNetworks(),
                spec.ipNATs(),
                spec.ipv4Gateway(),
                spec.ipv6Gateway(),
                spec.profiles(),
                interfaceOf(name),
                spec.mac(),
                ports(spec.ports()),
                spec.allowSpoofedSourcePrefixes(),
                spec.qosControls(),
                spec.unknown()));
      }
    };
  }

  /// Host ports lead from a node, and there are many behind the one.
  private List<EndpointPort> ports(List<EndpointPort> ports) {
    return switch (wiring) {
      case AS_WRITTEN -> ports;
      case ONE_NODE ->
          ports.stream()
              .filter(port -> !port.name().isEmpty())
              .map(
                  port ->
                      new EndpointPort(
                          port.name(), port.protocol(), port.port(), null, null, port.unknown()))
              .toList();
    };
  }

  private WorkloadEndpoint endpointOf(Written written, List<IpAddress> addresses) {
    Metadata metadata = written.pod.metadata();
    String namespace = metadata.namespaceOrEmpty();
    String account = written.pod.runsAs() == null ? DEFAULT_SERVICE_ACCOUNT : written.pod.runsAs();
    Map<String, String> labels = new TreeMap<>(metadata.labels());
    labels.keySet().removeIf(Selector::isHandedDown);
    labels.put(Selector.NAMESPACE_LABEL, namespace);
    labels.put(ResourceDefaults.ORCHESTRATOR_LABEL, ORCHESTRATOR);
    labels.put(Selector.SERVICE_ACCOUNT_LABEL, account);
    WorkloadEndpointSpec spec =
        new WorkloadEndpointSpec(
            ORCHESTRATOR,
            null,
            switch (wiring) {
              case ONE_NODE -> EVERYWHERE;
              case AS_WRITTEN -> written.node;
            },
            null,
            metadata.name(),
            FIRST_INTERFACE,
            account,
            addresses.stream().map(IpAddress::toHostPrefix).toList(),
            List.of(),
            null,
            null,
            List.of(
                KubernetesConversion.NAMESPACE_PROFILE_PREFIX + namespace,
                KubernetesConversion.SERVICE_ACCOUNT_PROFILE_PREFIX + namespace + "." + account),
            interfaceOf(name(metadata)),
            null,
            ports(written.pod.endpointPorts().stream().filter(PodReader::isPort).toList()),
            List.of(),
            Map.of(),
            Map.of());
    return new WorkloadEndpoint(
        Metadata.named(namespace, spec.resourceName().orElse(metadata.name())).withLabels(labels),
        spec);
  }

  /// Whether packets can go there; warned of when the document was read.
  private static boolean isPort(EndpointPort port) {
    return port.port() >= 1 && port.port() <= Port.MAX;
  }

  /// The host end's name by Calico's rule.
  private static InterfaceName interfaceOf(String pod) {
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-1")
              .digest(pod.replace('/', '.').getBytes(StandardCharsets.UTF_8));
      return new InterfaceName(
          INTERFACE_PREFIX + HexFormat.of().formatHex(digest).substring(0, INTERFACE_DIGITS));
    } catch (NoSuchAlgorithmException everyJdkHasIt) {
      throw new IllegalStateException(everyJdkHasIt);
    }
  }

  Map<String, Pod> pods() {
    return pods;
  }

  Map<String, String> lost() {
    return lost;
  }

  List<WorkloadEndpoint> endpoints() {
    return endpoints;
  }
}
