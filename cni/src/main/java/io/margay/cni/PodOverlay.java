package io.margay.cni;

import io.margay.datastore.json.Decoded;
import io.margay.datastore.json.ResourceJson;
import io.margay.datastore.json.ResourceKeys;
import io.margay.model.k8s.KubernetesConversion;
import io.margay.model.k8s.KubernetesPod;
import io.margay.model.resource.EndpointPort;
import io.margay.model.resource.Metadata;
import io.margay.model.resource.ResourceDefaults;
import io.margay.model.resource.WorkloadEndpoint;
import io.margay.model.resource.WorkloadEndpointSpec;
import io.margay.model.selector.Selector;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// A pod's endpoint as it has to be, given what its user says of the pod. Pure.
///
/// What the document says goes over what the endpoint would be without: labels one by one, ports
/// and service account as wholes, but for the host ports that the runtime asked for, which stay.
/// The latter is kept in an annotation of the endpoint, so that a document that changes or goes
/// leaves nothing of its former self behind, whoever does the calculation.
public final class PodOverlay {

  /// The annotation that holds what the endpoint was without the pod's document.
  public static final String BEFORE = "margay.io/before-pod-document";

  private static final String KUBERNETES = "k8s";

  private PodOverlay() {}

  /// @param endpoint as it is, with or without an earlier document in it
  /// @param pod what is said of its pod now
  public static WorkloadEndpoint fit(WorkloadEndpoint endpoint, Optional<KubernetesPod> pod) {
    boolean covered = endpoint.metadata().annotations().containsKey(BEFORE);
    if (!isPod(endpoint) || pod.isEmpty() && !covered) {
      return endpoint;
    }
    WorkloadEndpoint before = covered ? uncovered(endpoint) : endpoint;
    return pod.isEmpty() ? before : covered(before, pod.get());
  }

  private static boolean isPod(WorkloadEndpoint endpoint) {
    return KUBERNETES.equals(endpoint.spec().orchestrator()) && endpoint.spec().pod() != null;
  }

  private static WorkloadEndpoint covered(WorkloadEndpoint before, KubernetesPod pod) {
    Metadata metadata = before.metadata();
    WorkloadEndpointSpec spec = before.spec();
    String namespace = metadata.namespaceOrEmpty();
    @Nullable String account = pod.runsAs() == null ? spec.serviceAccountName() : pod.runsAs();
    Map<String, String> labels = new TreeMap<>(metadata.labels());
    labels.putAll(pod.metadata().labels());
    labels.keySet().removeIf(Selector::isHandedDown);
    labels.put(Selector.NAMESPACE_LABEL, namespace);
    labels.put(ResourceDefaults.ORCHESTRATOR_LABEL, KUBERNETES);
    if (account != null) {
      labels.put(Selector.SERVICE_ACCOUNT_LABEL, account);
    }
    List<EndpointPort> said = pod.endpointPorts();
    Map<String, String> annotations = new TreeMap<>(metadata.annotations());
    annotations.put(BEFORE, memory(before));
    return before
        .withMetadata(metadata.withLabels(labels).withAnnotations(annotations))
        .withSpec(
            spec.runningAs(
                account,
                account == null ? spec.profiles() : profiles(namespace, account),
                said.isEmpty() ? spec.ports() : withHostPorts(said, spec.ports())));
  }

  /// What is said, and what leads from the node to the pod without being said again.
  private static List<EndpointPort> withHostPorts(
      List<EndpointPort> said, List<EndpointPort> before) {
    List<EndpointPort> ports = new ArrayList<>(said);
    for (EndpointPort port : before) {
      if (isMapped(port) && said.stream().noneMatch(other -> leadsAlike(port, other))) {
        ports.add(port);
      }
    }
    return ports;
  }

  private static boolean isMapped(EndpointPort port) {
    return port.hostPort() != null && port.hostPort() != 0;
  }

  private static boolean leadsAlike(EndpointPort a, EndpointPort b) {
    return a.protocol().number() == b.protocol().number()
        && a.port().equals(b.port())
        && Objects.equals(a.hostPort(), b.hostPort())
        && Objects.equals(a.hostIP(), b.hostIP());
  }

  /// The profiles of a pod, as Calico's plugin gives them.
  static List<String> profiles(String namespace, String account) {
    return List.of(
        KubernetesConversion.NAMESPACE_PROFILE_PREFIX + namespace,
        KubernetesConversion.SERVICE_ACCOUNT_PROFILE_PREFIX + namespace + "." + account);
  }

  /// What a document may cover of an endpoint, as a document of its own.
  private static String memory(WorkloadEndpoint before) {
    WorkloadEndpointSpec spec = before.spec();
    return ResourceJson.encode(
        new WorkloadEndpoint(
            Metadata.named(before.metadata().namespaceOrEmpty(), before.metadata().name())
                .withLabels(before.metadata().labels()),
            WorkloadEndpointSpec.EMPTY
                .attachedTo(spec.orchestrator(), spec.node(), spec.pod(), spec.endpoint())
                .runningAs(spec.serviceAccountName(), spec.profiles(), spec.ports())));
  }

  /// The endpoint without the document that covers it. A memory that somebody has garbled is as
  /// good as none: then the endpoint stays as it is.
  private static WorkloadEndpoint uncovered(WorkloadEndpoint endpoint) {
    Metadata metadata = endpoint.metadata();
    Map<String, String> annotations = new TreeMap<>(metadata.annotations());
    String memory = String.valueOf(annotations.remove(BEFORE));
    WorkloadEndpoint bare = endpoint.withMetadata(metadata.withAnnotations(annotations));
    Optional<Decoded> decoded = ResourceJson.decode(ResourceKeys.key(endpoint), memory, 1);
    if (decoded.isEmpty() || !(decoded.get() instanceof Decoded.Valid(WorkloadEndpoint before))) {
      return bare;
    }
    return bare.withMetadata(bare.metadata().withLabels(before.metadata().labels()))
        .withSpec(
            bare.spec()
                .runningAs(
                    before.spec().serviceAccountName(),
                    before.spec().profiles(),
                    before.spec().ports()));
  }
}
