package io.margay.model.selector;

/// The stable name of a selector: equal canonical texts give equal ids, in every process.
///
/// @param value `s:` followed by base64url (no padding) of SHA-224 over `s:` and the canonical text
public record SelectorId(String value) implements Comparable<SelectorId> {

  @Override
  public int compareTo(SelectorId other) {
    return value.compareTo(other.value);
  }

  @Override
  public String toString() {
    return value;
  }
}
