package io.margay.model.k8s;

import io.margay.model.net.Prefix;
import io.margay.model.resource.FieldError;
import io.margay.model.resource.Port;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// What the Kubernetes API server would refuse, so that nothing converts to less than its author
/// meant.
public final class KubernetesValidator {

  private static final Pattern KEY =
      Pattern.compile("([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?");
  private static final Pattern VALUE =
      Pattern.compile("([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?");

  private final List<FieldError> errors = new ArrayList<>();

  private KubernetesValidator() {}

  /// What is wrong with `document`; empty = it can be converted.
  public static List<FieldError> validate(KubernetesDocument document) {
    KubernetesValidator validator = new KubernetesValidator();
    switch (document) {
      case KubernetesNetworkPolicy policy -> validator.policy(policy);
      case KubernetesNamespace namespace ->
          validator.labels(namespace.metadata().labels().keySet(), "metadata.labels");
      case KubernetesServiceAccount account -> {
        validator.labels(account.metadata().labels().keySet(), "metadata.labels");
        validator.namespaced(account);
      }
    }
    return List.copyOf(validator.errors);
  }

  private void namespaced(KubernetesDocument document) {
    if (document.metadata().namespaceOrEmpty().isEmpty()) {
      add("metadata.namespace", "is required");
    }
  }

  private void labels(Iterable<String> keys, String path) {
    for (String key : keys) {
      if (!KEY.matcher(key).matches()) {
        add(path, "\"" + key + "\" is not a label key");
      }
    }
  }

  private void policy(KubernetesNetworkPolicy policy) {
    namespaced(policy);
    KubernetesNetworkPolicy.Spec spec = policy.spec();
    selector(spec.podSelector(), "spec.podSelector");
    if (spec.policyTypes().stream().distinct().count() < spec.policyTypes().size()) {
      add("spec.policyTypes", "names a direction twice");
    }
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
    selector(peer.podSelector(), path + ".podSelector");
    selector(peer.namespaceSelector(), path + ".namespaceSelector");
    boolean selects = peer.podSelector() != null || peer.namespaceSelector() != null;
    PolicyPeer.IpBlock block = peer.ipBlock();
    if (block == null) {
      if (!selects) {
        add(path, "needs podSelector, namespaceSelector or ipBlock");
      }
      return;
    }
    if (selects) {
      add(path + ".ipBlock", "can't be combined with podSelector or namespaceSelector");
    }
    for (int i = 0; i < block.except().size(); i++) {
      Prefix except = block.except().get(i);
      if (!block.cidr().contains(except) || block.cidr().equals(except)) {
        add(
            path + ".ipBlock.except[" + i + "]",
            except + " is not strictly within " + block.cidr());
      }
    }
  }

  private void ports(List<PolicyPort> ports, String path) {
    for (int i = 0; i < ports.size(); i++) {
      port(ports.get(i), path + "[" + i + "]");
    }
  }

  private void port(PolicyPort port, String path) {
    if (port.protocol() != null) {
      int number = port.protocol().number();
      if (number != 6 && number != 17 && number != 132) {
        add(path + ".protocol", port.protocol() + " is not TCP, UDP or SCTP");
      }
    }
    if (port.port() instanceof Port.Range) {
      add(path + ".port", "is a number or a name; write a range with endPort");
    }
    if (port.port() instanceof Port.Single(int number) && number == 0) {
      add(path + ".port", "0 is not in 1..65535");
    }
    Integer end = port.endPort();
    if (end == null) {
      return;
    }
    if (!(port.port() instanceof Port.Single(int first))) {
      add(path + ".endPort", "needs a port that is a number");
    } else if (end < first || end > Port.MAX) {
      add(path + ".endPort", end + " is not in " + first + ".." + Port.MAX);
    }
  }

  private void selector(@Nullable LabelSelector selector, String path) {
    if (selector == null) {
      return;
    }
    labels(selector.matchLabels().keySet(), path + ".matchLabels");
    values(selector.matchLabels().values(), path + ".matchLabels");
    for (int i = 0; i < selector.matchExpressions().size(); i++) {
      requirement(selector.matchExpressions().get(i), path + ".matchExpressions[" + i + "]");
    }
  }

  private void requirement(LabelSelector.Requirement requirement, String path) {
    labels(List.of(requirement.key()), path + ".key");
    values(requirement.values(), path + ".values");
    boolean takesValues =
        switch (requirement.operator()) {
          case IN, NOT_IN -> true;
          case EXISTS, DOES_NOT_EXIST -> false;
        };
    if (takesValues == requirement.values().isEmpty()) {
      add(path + ".values", takesValues ? "is required" : "must be empty");
    }
  }

  private void values(Iterable<String> values, String path) {
    for (String value : values) {
      if (!VALUE.matcher(value).matches()) {
        add(path, "\"" + value + "\" is not a label value");
      }
    }
  }

  private void add(String path, String message) {
    errors.add(new FieldError(path, message));
  }
}
