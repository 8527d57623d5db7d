package io.margay.model.k8s;

import io.margay.model.net.IpAddress;
import io.margay.model.resource.EndpointPort;
import io.margay.model.resource.Port;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// What a [KubernetesPod] must be so that its endpoint can be what it says.
final class PodValidator {

  private final Findings findings;

  /// Named ports seen so far, by name and protocol.
  private final Map<String, EndpointPort> named = new HashMap<>();

  private PodValidator(Findings findings) {
    this.findings = findings;
  }

  static void validate(KubernetesPod pod, Findings findings) {
    findings.namespaced(pod.metadata());
    KubernetesPod.Spec spec = pod.spec();
    findings.unless(
        !Boolean.TRUE.equals(spec.hostNetwork()),
        "spec.hostNetwork",
        "a pod in its node's network has no endpoint; write a HostEndpoint for the node, or leave"
            + " this document out");
    String account = pod.runsAs();
    findings.unless(
        account == null || KubernetesNames.isName(account),
        "spec.serviceAccountName",
        "\"" + account + "\" is not a name");
    String old = spec.serviceAccount();
    findings.unless(
        old == null || old.isEmpty() || old.equals(account),
        "spec.serviceAccount",
        "\"" + old + "\" is not serviceAccountName, which is \"" + account + "\"");
    PodValidator validator = new PodValidator(findings);
    validator.containers(spec.containers(), "spec.containers");
    validator.containers(spec.initContainers(), "spec.initContainers");
  }

  private void containers(List<KubernetesPod.Container> containers, String path) {
    for (int i = 0; i < containers.size(); i++) {
      List<KubernetesPod.ContainerPort> ports = containers.get(i).ports();
      for (int j = 0; j < ports.size(); j++) {
        port(ports.get(j), path + "[" + i + "].ports[" + j + "]");
      }
    }
  }

  private void port(KubernetesPod.ContainerPort port, String path) {
    findings.range(port.containerPort(), 1, Port.MAX, path + ".containerPort");
    if (port.hostPort() != null) {
      findings.range(port.hostPort(), 0, Port.MAX, path + ".hostPort");
    }
    if (port.protocol() != null) {
      findings.unless(
          Transports.isOne(port.protocol()),
          path + ".protocol",
          port.protocol() + " is not TCP, UDP or SCTP");
    }
    if (port.hostIP() != null && !port.hostIP().isEmpty()) {
      address(port.hostIP(), path + ".hostIP");
    }
    if (port.name() != null && !port.name().isEmpty()) {
      findings.portName(port.name(), path + ".name");
      unambiguous(port, path);
    }
  }

  /// A rule that names a port means one number on each pod.
  private void unambiguous(KubernetesPod.ContainerPort port, String path) {
    EndpointPort mine = KubernetesPod.endpointPort(port);
    EndpointPort other = named.putIfAbsent(mine.name() + "/" + mine.protocol(), mine);
    findings.unless(
        other == null || other.equals(mine),
        path + ".name",
        "\""
            + mine.name()
            + "\" is another "
            + mine.protocol()
            + " port already; name one of them");
  }

  private void address(String text, String path) {
    try {
      IpAddress.parse(text);
    } catch (IllegalArgumentException wrong) {
      findings.add(path, String.valueOf(wrong.getMessage()));
    }
  }
}
