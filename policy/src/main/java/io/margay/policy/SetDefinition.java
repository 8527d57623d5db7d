package io.margay.policy;

import io.margay.model.selector.Selector;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import org.jspecify.annotations.Nullable;

/// What a set is made of. Equal definitions have equal ids.
sealed interface SetDefinition {

  SetId id();

  SetKind kind();

  /// The addresses of everything a selector matches, or of those endpoints among them that have a
  /// port of this name.
  ///
  /// @param selector picks endpoints and network sets
  /// @param namedPort null for a set of addresses
  record Selected(SetId id, Selector selector, @Nullable NamedPortRef namedPort)
      implements SetDefinition {

    @Override
    public SetKind kind() {
      return namedPort == null ? SetKind.NETS : SetKind.NAMED_PORTS;
    }
  }

  /// The endpoints of a service.
  ///
  /// @param withPorts whether a member is an address at a port, or an address
  record OfService(SetId id, ServiceKey service, boolean withPorts) implements SetDefinition {

    @Override
    public SetKind kind() {
      return withPorts ? SetKind.NAMED_PORTS : SetKind.NETS;
    }
  }

  /// A port of an endpoint as rules name it.
  ///
  /// @param protocol IP protocol number
  record NamedPortRef(int protocol, String name) {}

  /// The addresses of what `selector` matches.
  static SetDefinition nets(Selector selector) {
    return new Selected(new SetId(selector.id().value()), selector, null);
  }

  /// Port `name` of the endpoints that `selector` matches.
  static SetDefinition namedPort(Selector selector, int protocol, String name) {
    String text = selector.id().value() + "," + protocol + "," + name;
    return new Selected(new SetId("n:" + digest(text)), selector, new NamedPortRef(protocol, name));
  }

  /// A service's endpoints.
  static SetDefinition service(ServiceKey service, boolean withPorts) {
    String text = service.namespace() + "/" + service.name();
    return new OfService(
        new SetId((withPorts ? "svc:" : "svcnoport:") + digest(text)), service, withPorts);
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
