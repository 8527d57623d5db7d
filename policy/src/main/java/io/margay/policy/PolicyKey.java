package io.margay.policy;

/// The identity of a policy as rules, counters and explanations show it.
///
/// @param kind `NetworkPolicy`, `GlobalNetworkPolicy`, …
/// @param namespace empty for global kinds
/// @param name the policy's name
public record PolicyKey(String kind, String namespace, String name)
    implements Comparable<PolicyKey> {

  /// Whether the policy is on trial: its matches are counted, it decides nothing.
  public boolean isStaged() {
    return kind.startsWith("Staged");
  }

  /// Calico breaks ties on the string `name/namespace/kind`, so `a-b` sorts before `a`.
  @Override
  public int compareTo(PolicyKey other) {
    return tieBreak().compareTo(other.tieBreak());
  }

  private String tieBreak() {
    return name + "/" + namespace + "/" + kind;
  }

  /// `namespace/name`, or the bare name of a global policy.
  @Override
  public String toString() {
    return namespace.isEmpty() ? name : namespace + "/" + name;
  }
}
