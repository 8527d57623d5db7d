package io.margay.cni;

import io.margay.cni.journal.Attachment;
import io.margay.cni.journal.Workload;
import io.margay.cni.spec.CniError;
import io.margay.cni.spec.CniException;
import io.margay.cni.spec.PortMapping;
import io.margay.model.k8s.KubernetesPod;
import io.margay.model.net.IpAddress;
import io.margay.model.resource.EndpointPort;
import io.margay.model.resource.FieldError;
import io.margay.model.resource.Metadata;
import io.margay.model.resource.ResourceValidator;
import io.margay.model.resource.WorkloadEndpoint;
import io.margay.model.resource.WorkloadEndpointSpec;
import io.margay.model.selector.Selector;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/// The WorkloadEndpoint of an attachment, named and labelled as Calico's plugin does it.
final class EndpointDocument {

  private static final String NAMESPACE_LABEL = "projectcalico.org/namespace";
  private static final String ORCHESTRATOR_LABEL = "projectcalico.org/orchestrator";
  private static final String SERVICE_ACCOUNT_LABEL = "projectcalico.org/serviceaccount";

  /// Where a document has its labels, in errors about it.
  private static final String LABELS_PATH = "metadata.labels";

  /// What a pod runs as when nobody says otherwise (Kubernetes).
  private static final String DEFAULT_SERVICE_ACCOUNT = "default";

  private EndpointDocument() {}

  /// @param said what its user says of the pod
  static WorkloadEndpoint of(
      Attachment attachment, String node, List<IpAddress> addresses, Optional<KubernetesPod> said) {
    return PodOverlay.fit(of(attachment, node, addresses), said);
  }

  static WorkloadEndpoint of(Attachment attachment, String node, List<IpAddress> addresses) {
    Workload workload = attachment.workload();
    Map<String, String> labels = new HashMap<>(attachment.labels());
    labels.keySet().removeIf(Selector::isHandedDown);
    labels.put(NAMESPACE_LABEL, workload.namespace());
    labels.put(ORCHESTRATOR_LABEL, workload.orchestrator());
    boolean pod = workload instanceof Workload.Pod;
    String serviceAccount = labels.getOrDefault(SERVICE_ACCOUNT_LABEL, DEFAULT_SERVICE_ACCOUNT);
    if (pod) {
      labels.put(SERVICE_ACCOUNT_LABEL, serviceAccount);
    }
    List<String> profiles =
        switch (workload) {
          case Workload.Pod _ -> PodOverlay.profiles(workload.namespace(), serviceAccount);
          case Workload.Container _ -> List.of(WorkloadEndpointSpec.nameOf(attachment.network()));
          case Workload.Endpoint endpoint -> List.of(endpoint.profile());
        };
    WorkloadEndpointSpec spec =
        new WorkloadEndpointSpec(
            workload.orchestrator(),
            workload instanceof Workload.Endpoint ? workload.name() : null,
            node,
            attachment.id().containerId(),
            pod ? workload.name() : null,
            workload instanceof Workload.Endpoint endpoint
                ? endpoint.id()
                : attachment.id().ifName().value(),
            pod ? serviceAccount : null,
            addresses.stream().map(IpAddress::toHostPrefix).toList(),
            List.of(),
            null,
            null,
            profiles,
            attachment.hostEnd(),
            attachment.podMac(),
            attachment.hostPorts().stream().map(EndpointDocument::port).toList(),
            attachment.routes().sources(),
            Map.of(),
            Map.of());
    return new WorkloadEndpoint(
        Metadata.named(workload.namespace(), spec.resourceName().orElseThrow())
            .withLabels(labels)
            .withAnnotations(attachment.annotations()),
        spec);
  }

  /// Refuses what would be stored and could not be read again: other nodes would not see such an
  /// endpoint, and the next agent of this node would close the pod.
  ///
  /// @throws CniException 7 naming what of the request is at fault, and what is allowed
  static void requireValid(WorkloadEndpoint document) throws CniException {
    List<FieldError> errors = ResourceValidator.validate(document);
    if (!errors.isEmpty()) {
      FieldError first = errors.getFirst();
      throw new CniException(
          new CniError(
              CniError.BAD_CONFIG,
              "key " + source(first.path(), document) + ": " + first.message(),
              errors.stream().map(FieldError::toString).collect(Collectors.joining("; "))));
    }
  }

  /// Where the request says what a field of the document is made of.
  private static String source(String path, WorkloadEndpoint document) {
    boolean pod = document.spec().pod() != null;
    if (path.startsWith(LABELS_PATH)) {
      return "args.cni.labels" + path.substring(LABELS_PATH.length());
    }
    if (path.startsWith("metadata.annotations")) {
      return "runtimeConfig.aliases";
    }
    if (path.startsWith("spec.ports")) {
      return "runtimeConfig.portMappings";
    }
    if (path.startsWith("spec.profiles")) {
      return pod ? "args.cni.labels." + SERVICE_ACCOUNT_LABEL : "name";
    }
    return switch (path) {
      case "metadata.namespace" -> "CNI_ARGS.K8S_POD_NAMESPACE";
      case "metadata.name" -> pod ? "CNI_ARGS.K8S_POD_NAME" : "CNI_CONTAINERID";
      default -> path + " of the endpoint";
    };
  }

  /// Without a name, for no rule can mean it by one.
  private static EndpointPort port(PortMapping mapping) {
    return new EndpointPort(
        "",
        mapping.protocol(),
        mapping.containerPort(),
        mapping.hostPort(),
        mapping.hostIp().map(IpAddress::toString).orElse(null),
        Map.of());
  }
}
