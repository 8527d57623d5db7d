package io.margay.datastore;

/// What a key may look like.
final class Keys {

  /// etcd has no limit of its own; the longest key Calico can make (two 253-byte names and a
  /// prefix) is far below this.
  static final int MAX_LENGTH = 2048;

  private Keys() {}

  static void requireValid(String key) {
    if (key.isEmpty() || key.charAt(0) != '/' || key.length() > MAX_LENGTH) {
      throw new IllegalArgumentException(
          "\""
              + key
              + "\" is not a datastore key: it must start with / and have at most "
              + MAX_LENGTH
              + " characters");
    }
  }
}
