package io.margay.cni.journal;

/// Whose attachment it is.
public sealed interface Workload {

  /// The namespace of its WorkloadEndpoint.
  String namespace();

  /// Calico's name for the orchestrator: `k8s`, `cni` or `libnetwork`.
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

  /// An endpoint of Docker's libnetwork, which names no container.
  ///
  /// @param id Docker's, 64 hexadecimal digits
  /// @param profile that the endpoint has
  record Endpoint(String id, String profile) implements Workload {

    public static final String ORCHESTRATOR = "libnetwork";

    @Override
    public String namespace() {
      return "default";
    }

    @Override
    public String orchestrator() {
      return ORCHESTRATOR;
    }

    /// All are of one workload in Calico's model, and differ by their endpoint.
    @Override
    public String name() {
      return ORCHESTRATOR;
    }
  }
}
