package io.margay.policy;

/// The identity of a host endpoint: its v3 resource name.
public record HostEndpointKey(String name) implements Comparable<HostEndpointKey>, PolicedKey {

  @Override
  public int compareTo(HostEndpointKey other) {
    return name.compareTo(other.name);
  }

  @Override
  public String toString() {
    return name;
  }
}
