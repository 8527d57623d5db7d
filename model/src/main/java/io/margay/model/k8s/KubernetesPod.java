package io.margay.model.k8s;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import io.margay.model.resource.EndpointPort;
import io.margay.model.resource.Metadata;
import io.margay.model.resource.Protocol;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// A `v1` Pod: what its user says of it before or while it runs. Only what its endpoint takes from
/// it is read: labels, what it runs as, and its ports. It is stored as it is, reduced to that, for
/// as long as its user leaves it there; nodes and containers come and go.
@JsonIgnoreProperties(ignoreUnknown = true)
public record KubernetesPod(Metadata metadata, Spec spec) implements KubernetesDocument {

  /// What kubectl keeps for itself: a copy of the whole document.
  private static final String KUBECTL_COPY = "kubectl.kubernetes.io/last-applied-configuration";

  public KubernetesPod {
    metadata = Given.required(metadata, "metadata");
    spec = spec == null ? Spec.EMPTY : spec;
  }

  /// @param serviceAccountName what it runs as; null = as the node says
  /// @param serviceAccount the old name of the same field
  /// @param hostNetwork whether it has no network of its own
  /// @param containers their ports are the pod's
  /// @param initContainers their ports are too
  @JsonIgnoreProperties(ignoreUnknown = true)
  public record Spec(
      @Nullable String serviceAccountName,
      @Nullable String serviceAccount,
      @Nullable Boolean hostNetwork,
      List<Container> containers,
      List<Container> initContainers) {

    /// Nothing said.
    public static final Spec EMPTY = new Spec(null, null, null, List.of(), List.of());

    public Spec {
      containers = Given.list(containers);
      initContainers = Given.list(initContainers);
    }
  }

  @JsonIgnoreProperties(ignoreUnknown = true)
  public record Container(@Nullable String name, List<ContainerPort> ports) {

    public Container {
      ports = Given.list(ports);
    }
  }

  /// @param name what rules may call it
  /// @param containerPort where the container listens
  /// @param protocol TCP, UDP or SCTP; null = TCP
  /// @param hostPort port of the node that leads here; null or 0 = none
  /// @param hostIP address of the node that leads here; null = all
  public record ContainerPort(
      @Nullable String name,
      Integer containerPort,
      @Nullable Protocol protocol,
      @Nullable Integer hostPort,
      @Nullable String hostIP) {

    public ContainerPort {
      containerPort = Given.required(containerPort, "containerPort");
    }
  }

  public KubernetesPod withNamespace(String namespace) {
    return new KubernetesPod(metadata.withNamespace(namespace), spec);
  }

  /// The document to store: without what another server says of its own copy.
  public KubernetesPod reduced() {
    Map<String, String> annotations = new TreeMap<>(metadata.annotations());
    annotations.remove(KUBECTL_COPY);
    return new KubernetesPod(
        Metadata.named(metadata.namespaceOrEmpty(), metadata.name())
            .withLabels(metadata.labels())
            .withAnnotations(annotations),
        new Spec(
            runsAs(), null, null, withPorts(spec.containers()), withPorts(spec.initContainers())));
  }

  private static List<Container> withPorts(List<Container> containers) {
    return containers.stream().filter(container -> !container.ports().isEmpty()).toList();
  }

  /// The service account it names; null if it names none.
  public @Nullable String runsAs() {
    return spec.serviceAccountName() == null || spec.serviceAccountName().isEmpty()
        ? spec.serviceAccount()
        : spec.serviceAccountName();
  }

  /// The ports its endpoint has: those with a name or a host port, as Calico keeps them; each once.
  public List<EndpointPort> endpointPorts() {
    List<EndpointPort> ports = new ArrayList<>();
    Stream.concat(spec.containers().stream(), spec.initContainers().stream())
        .flatMap(container -> container.ports().stream())
        .filter(KubernetesPod::matters)
        .map(KubernetesPod::endpointPort)
        .filter(port -> !ports.contains(port))
        .forEach(ports::add);
    return List.copyOf(ports);
  }

  private static boolean matters(ContainerPort port) {
    return port.name() != null && !port.name().isEmpty()
        || port.hostPort() != null && port.hostPort() != 0;
  }

  static EndpointPort endpointPort(ContainerPort port) {
    return new EndpointPort(
        port.name() == null ? "" : port.name(),
        port.protocol() == null ? Protocol.Named.TCP : port.protocol(),
        port.containerPort(),
        port.hostPort() == null || port.hostPort() == 0 ? null : port.hostPort(),
        port.hostIP() == null || port.hostIP().isEmpty() ? null : port.hostIP(),
        Map.of());
  }
}
