package io.margay.policy;

import io.margay.model.selector.Selector;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import org.jspecify.annotations.Nullable;

/// What a set is made of: the addresses of everything a selector matches, or of those endpoints
/// among them that have a port of this name.
///
/// @param id equal definitions have equal ids
/// @param selector picks endpoints and network sets
/// @param namedPort null for a set of addresses
record SetDefinition(SetId id, Selector selector, @Nullable NamedPortRef namedPort) {

  /// A port of an endpoint as rules name it.
  ///
  /// @param protocol IP protocol number
  record NamedPortRef(int protocol, String name) {}

  /// The addresses of what `selector` matches.
  static SetDefinition nets(Selector selector) {
    return new SetDefinition(new SetId(selector.id().value()), selector, null);
  }

  /// Port `name` of the endpoints that `selector` matches.
  static SetDefinition namedPort(Selector selector, int protocol, String name) {
    String text = selector.id().value() + "," + protocol + "," + name;
    return new SetDefinition(
        new SetId("n:" + digest(text)), selector, new NamedPortRef(protocol, name));
  }

  SetKind kind() {
    return namedPort == null ? SetKind.NETS : SetKind.NAMED_PORTS;
  }

  private static String digest(String text) {
    try {
      byte[] hash =
          MessageDigest.getInstance("SHA-224").digest(text.getBytes(StandardCharsets.UTF_8));
      return Base64.getUrlEncoder().withoutPadding().encodeToString(hash);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-224", e);
    }
  }
}
