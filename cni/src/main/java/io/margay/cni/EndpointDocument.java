package io.margay.cni;

import io.margay.cni.journal.Attachment;
import io.margay.cni.journal.Workload;
import io.margay.cni.spec.PortMapping;
import io.margay.model.k8s.KubernetesPod;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import io.margay.model.resource.EndpointPort;
import io.margay.model.resource.Metadata;
import io.margay.model.resource.WorkloadEndpoint;
import io.margay.model.resource.WorkloadEndpointSpec;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The WorkloadEndpoint of an attachment, named and labelled as Calico's plugin does it.
final class EndpointDocument {

  private static final String NAMESPACE_LABEL = "projectcalico.org/namespace";
  private static final String ORCHESTRATOR_LABEL = "projectcalico.org/orchestrator";
  private static final String SERVICE_ACCOUNT_LABEL = "projectcalico.org/serviceaccount";

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
          case Workload.Container _ -> List.of(attachment.network());
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
            List.<Prefix>of(),
            Map.of(),
            Map.of());
    return new WorkloadEndpoint(
        Metadata.named(workload.namespace(), spec.resourceName().orElseThrow())
            .withLabels(labels)
            .withAnnotations(attachment.annotations()),
        spec);
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
