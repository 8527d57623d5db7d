package io.margay.model.resource;

/// The identity of a resource.
///
/// @param kind what it is
/// @param namespace empty for kinds without one
/// @param name its name in the namespace, or in the cluster
public record ResourceRef(Kind kind, String namespace, String name)
    implements Comparable<ResourceRef> {

  public ResourceRef {
    if (kind.isNamespaced() == namespace.isEmpty()) {
      throw new IllegalArgumentException(
          kind.isNamespaced()
              ? kind + " \"" + name + "\" needs a namespace"
              : kind + " \"" + name + "\" can't be in namespace \"" + namespace + "\"");
    }
    if (name.isEmpty()) {
      throw new IllegalArgumentException(kind + " needs a name");
    }
  }

  /// A resource of a kind without namespaces.
  public static ResourceRef global(Kind kind, String name) {
    return new ResourceRef(kind, "", name);
  }

  @Override
  public int compareTo(ResourceRef other) {
    int byKind = kind.compareTo(other.kind);
    if (byKind != 0) {
      return byKind;
    }
    int byNamespace = namespace.compareTo(other.namespace);
    return byNamespace != 0 ? byNamespace : name.compareTo(other.name);
  }

  /// `NetworkPolicy(ns/name)`, as error messages have it.
  @Override
  public String toString() {
    return kind + "(" + (namespace.isEmpty() ? name : namespace + "/" + name) + ")";
  }
}
