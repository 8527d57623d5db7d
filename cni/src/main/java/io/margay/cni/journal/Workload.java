package io.margay.cni.journal;

/// Whose attachment it is.
public sealed interface Workload {

  /// The namespace of its WorkloadEndpoint.
  String namespace();

  /// Calico's name for the orchestrator: `k8s` or `cni`.
  String orchestrator();

  /// The part of the WorkloadEndpoint's name that tells it from others of its node and
  /// orchestrator.
  String name();

  /// A pod, named by `K8S_POD_NAMESPACE` and `K8S_POD_NAME`. A restarted pod is the same workload
  /// in a new container.
  record Pod(String namespace, String name) implements Workload {
    @Override
    public String orchestrator() {
      return "k8s";
    }
  }

  /// A container of a runtime without pods.
  ///
  /// @param name the container id
  record Container(String name) implements Workload {
    @Override
    public String namespace() {
      return "default";
    }

    @Override
    public String orchestrator() {
      return "cni";
    }
  }
}
