package io.margay.policy;

/// The identity of a workload endpoint: namespace and v3 resource name.
public record EndpointKey(String namespace, String name)
    implements Comparable<EndpointKey>, PolicedKey {

  @Override
  public int compareTo(EndpointKey other) {
    int byNamespace = namespace.compareTo(other.namespace);
    return byNamespace != 0 ? byNamespace : name.compareTo(other.name);
  }

  @Override
  public String toString() {
    return namespace + "/" + name;
  }
}
