package io.margay.datastore.json;

import io.margay.model.resource.Kind;
import io.margay.model.resource.Resource;
import io.margay.model.resource.ResourceRef;
import java.util.Optional;

/// Where a resource is in the store, as Calico lays it out:
/// `/calico/resources/v3/projectcalico.org/<plural>/[<namespace>/]<name>`.
public final class ResourceKeys {

  /// The folder of all resources.
  public static final String ROOT = "/calico/resources/v3/projectcalico.org/";

  private ResourceKeys() {}

  public static String key(Resource resource) {
    return key(resource.ref());
  }

  /// @throws IllegalArgumentException if the kind is not stored as a resource
  public static String key(ResourceRef ref) {
    return ref.kind().isNamespaced()
        ? prefix(ref.kind(), ref.namespace()) + escape(ref.name())
        : prefix(ref.kind()) + escape(ref.name());
  }

  /// The folder of all resources of a kind; ends in `/`.
  ///
  /// @throws IllegalArgumentException if the kind is not stored as a resource
  public static String prefix(Kind kind) {
    if (!kind.isStoredAsResource()) {
      throw new IllegalArgumentException(kind + " has no key among the resources");
    }
    return ROOT + kind.plural() + "/";
  }

  /// The folder of a kind's resources in one namespace; ends in `/`.
  public static String prefix(Kind kind, String namespace) {
    return prefix(kind) + escape(namespace) + "/";
  }

  /// What a key names; empty if it is not a resource's or of a kind unknown here.
  public static Optional<ResourceRef> parseKey(String key) {
    if (!key.startsWith(ROOT)) {
      return Optional.empty();
    }
    String[] parts = key.substring(ROOT.length()).split("/", -1);
    return Kind.ofPlural(parts[0])
        .filter(Kind::isStoredAsResource)
        .filter(kind -> parts.length == (kind.isNamespaced() ? 3 : 2))
        .filter(_ -> !parts[1].isEmpty() && !parts[parts.length - 1].isEmpty())
        .map(
            kind ->
                new ResourceRef(
                    kind,
                    kind.isNamespaced() ? unescape(parts[1]) : "",
                    unescape(parts[parts.length - 1])));
  }

  private static String escape(String part) {
    return part.replace("%", "%25").replace("/", "%2f");
  }

  private static String unescape(String part) {
    return part.replace("%2f", "/").replace("%25", "%");
  }
}
