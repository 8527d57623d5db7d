package io.margay.datastore;

/// One stored key.
///
/// @param key the full key, for instance `/calico/ipam/v2/config`
/// @param value the stored text, always UTF-8 (every value of Calico's and ours is JSON)
/// @param modRevision the store's revision of the last write to this key, at least 1; what a
///   compare-and-swap names, and what Calico shows as `resourceVersion`
public record KeyValue(String key, String value, long modRevision) {

  public KeyValue {
    Keys.requireValid(key);
    if (modRevision < 1) {
      throw new IllegalArgumentException(
          "modRevision " + modRevision + " of " + key + " is below 1");
    }
  }
}
