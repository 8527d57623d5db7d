package io.margay.model.k8s;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import io.margay.model.resource.Metadata;
import io.margay.model.resource.PolicyType;
import java.util.List;

/// A `networking.k8s.io/v1` NetworkPolicy. An unknown field in its spec is refused when it is read:
/// it might have narrowed a rule.
@JsonIgnoreProperties({"apiVersion", "kind", "status"})
public record KubernetesNetworkPolicy(Metadata metadata, Spec spec) implements ConvertedDocument {

  public KubernetesNetworkPolicy {
    metadata = Given.required(metadata, "metadata");
    spec = Given.required(spec, "spec");
  }

  /// @param podSelector pods of the policy's namespace; empty = all
  /// @param policyTypes empty = Ingress, and Egress if there are egress rules
  /// @param ingress ORed
  /// @param egress ORed
  public record Spec(
      LabelSelector podSelector,
      List<PolicyType> policyTypes,
      List<IngressRule> ingress,
      List<EgressRule> egress) {

    public Spec {
      podSelector = podSelector == null ? LabelSelector.EVERYTHING : podSelector;
      policyTypes = Given.list(policyTypes);
      ingress = Given.list(ingress);
      egress = Given.list(egress);
    }
  }

  /// @param from ORed; empty = every peer
  /// @param ports ORed; empty = every port of every protocol
  public record IngressRule(List<PolicyPeer> from, List<PolicyPort> ports) {

    public IngressRule {
      from = Given.list(from);
      ports = Given.list(ports);
    }
  }

  /// @param to ORed; empty = every peer
  /// @param ports ORed; empty = every port of every protocol
  public record EgressRule(List<PolicyPeer> to, List<PolicyPort> ports) {

    public EgressRule {
      to = Given.list(to);
      ports = Given.list(ports);
    }
  }
}
