package io.margay.model.k8s;

import io.margay.model.net.Prefix;
import io.margay.model.resource.FieldError;
import io.margay.model.resource.PolicyType;
import io.margay.model.resource.Port;
import java.util.List;

/// What the Kubernetes API server would refuse, so that nothing converts to less than its author
/// meant.
public final class KubernetesValidator {

  private final Findings findings;

  private KubernetesValidator(Findings findings) {
    this.findings = findings;
  }

  /// What is wrong with `document`; empty = it can be converted.
  public static List<FieldError> validate(KubernetesDocument document) {
    Findings findings = new Findings();
    switch (document) {
      case KubernetesNetworkPolicy policy -> new KubernetesValidator(findings).policy(policy);
      case AdminPolicy policy -> AdminPolicyValidator.validate(policy, findings);
      case KubernetesNamespace namespace -> {
        findings.clusterWide(namespace.metadata(), "Namespace");
        findings.namespace(namespace.metadata().name(), "metadata.name");
      }
      case KubernetesServiceAccount account -> findings.namespaced(account.metadata());
      case KubernetesEndpointSlice slice -> EndpointSliceValidator.validate(slice, findings);
      case KubernetesPod pod -> PodValidator.validate(pod, findings);
    }
    return findings.found();
  }

  private void policy(KubernetesNetworkPolicy policy) {
    findings.namespaced(policy.metadata());
    KubernetesNetworkPolicy.Spec spec = policy.spec();
    findings.selector(spec.podSelector(), "spec.podSelector");
    findings.unless(
        spec.policyTypes().size() <= PolicyType.values().length,
        "spec.policyTypes",
        "names more than two directions");
    for (int i = 0; i < spec.ingress().size(); i++) {
      peers(spec.ingress().get(i).from(), "spec.ingress[" + i + "].from");
      ports(spec.ingress().get(i).ports(), "spec.ingress[" + i + "].ports");
    }
    for (int i = 0; i < spec.egress().size(); i++) {
      peers(spec.egress().get(i).to(), "spec.egress[" + i + "].to");
      ports(spec.egress().get(i).ports(), "spec.egress[" + i + "].ports");
    }
  }

  private void peers(List<PolicyPeer> peers, String path) {
    for (int i = 0; i < peers.size(); i++) {
      peer(peers.get(i), path + "[" + i + "]");
    }
  }

  private void peer(PolicyPeer peer, String path) {
    findings.selector(peer.podSelector(), path + ".podSelector");
    findings.selector(peer.namespaceSelector(), path + ".namespaceSelector");
    boolean selects = peer.podSelector() != null || peer.namespaceSelector() != null;
    PolicyPeer.IpBlock block = peer.ipBlock();
    if (block == null) {
      findings.unless(selects, path, "needs podSelector, namespaceSelector or ipBlock");
      return;
    }
    findings.unless(
        !selects, path + ".ipBlock", "can't be combined with podSelector or namespaceSelector");
    for (int i = 0; i < block.except().size(); i++) {
      Prefix except = block.except().get(i);
      findings.unless(
          block.cidr().contains(except) && !block.cidr().equals(except),
          path + ".ipBlock.except[" + i + "]",
          except + " is not strictly within " + block.cidr());
    }
  }

  private void ports(List<PolicyPort> ports, String path) {
    for (int i = 0; i < ports.size(); i++) {
      port(ports.get(i), path + "[" + i + "]");
    }
  }

  private void port(PolicyPort port, String path) {
    findings.unless(
        port.protocol() == null || Transports.isOne(port.protocol()),
        path + ".protocol",
        port.protocol() + " is not TCP, UDP or SCTP");
    switch (port.port()) {
      case null -> {}
      case Port.Range _ -> findings.add(path + ".port", "is a number or a name; see endPort");
      case Port.Single(int number) -> findings.range(number, 1, Port.MAX, path + ".port");
      case Port.Named(String name) -> findings.portName(name, path + ".port");
    }
    Integer end = port.endPort();
    if (end == null) {
      return;
    }
    if (!(port.port() instanceof Port.Single(int first))) {
      findings.add(path + ".endPort", "needs a port that is a number");
    } else {
      findings.range(end, first, Port.MAX, path + ".endPort");
    }
  }
}
