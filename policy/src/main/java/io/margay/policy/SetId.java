package io.margay.policy;

/// The name of an address set. Equal selectors give equal ids, so policies share sets.
///
/// @param value canonical id: `s:` + hash for a selector, `n:` + hash for a named port of a
///   selector, `svc:` + hash for a service's endpoints at their ports, `svcnoport:` + hash for
///   their addresses
public record SetId(String value) implements Comparable<SetId> {

  @Override
  public int compareTo(SetId other) {
    return value.compareTo(other.value);
  }

  @Override
  public String toString() {
    return value;
  }
}
