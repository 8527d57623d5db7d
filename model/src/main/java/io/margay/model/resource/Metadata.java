package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonAnySetter;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What every resource says about itself (Kubernetes ObjectMeta).
///
/// @param name unique for kind and namespace
/// @param namespace null for kinds without one
/// @param labels what selectors match
/// @param annotations what they don't
/// @param uid given at creation; another uid under the same name is another object
/// @param resourceVersion the store's revision in decimal, as read; an update names it to be
///   refused when stale. Never stored inside the document
/// @param creationTimestamp whole seconds
/// @param generation counts changes of the spec, where a server keeps it
/// @param finalizers kept for others
/// @param unknown fields this version has no name for, kept for the round trip
// As Calico writes them.
@JsonPropertyOrder({
  "name",
  "namespace",
  "uid",
  "resourceVersion",
  "generation",
  "creationTimestamp",
  "labels",
  "annotations",
  "finalizers"
})
public record Metadata(
    String name,
    @Nullable String namespace,
    Map<String, String> labels,
    Map<String, String> annotations,
    @Nullable String uid,
    @Nullable String resourceVersion,
    @Nullable Instant creationTimestamp,
    @Nullable Long generation,
    List<String> finalizers,
    @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown) {

  public Metadata {
    name = Copies.required(name, "name");
    labels = Copies.labels(labels);
    annotations = Copies.labels(annotations);
    finalizers = Copies.list(finalizers);
    unknown = Copies.sorted(unknown);
  }

  /// Metadata with a name alone.
  public static Metadata named(String name) {
    return new Metadata(
        name, null, Map.of(), Map.of(), null, null, null, null, List.of(), Map.of());
  }

  /// Metadata with a namespace and a name.
  public static Metadata named(String namespace, String name) {
    return named(name).withNamespace(namespace);
  }

  /// The namespace, or the empty string as keys have it.
  public String namespaceOrEmpty() {
    return namespace == null ? "" : namespace;
  }

  public Metadata withNamespace(@Nullable String newNamespace) {
    return new Metadata(
        name,
        newNamespace,
        labels,
        annotations,
        uid,
        resourceVersion,
        creationTimestamp,
        generation,
        finalizers,
        unknown);
  }

  public Metadata withLabels(Map<String, String> newLabels) {
    return new Metadata(
        name,
        namespace,
        newLabels,
        annotations,
        uid,
        resourceVersion,
        creationTimestamp,
        generation,
        finalizers,
        unknown);
  }

  public Metadata withAnnotations(Map<String, String> newAnnotations) {
    return new Metadata(
        name,
        namespace,
        labels,
        newAnnotations,
        uid,
        resourceVersion,
        creationTimestamp,
        generation,
        finalizers,
        unknown);
  }

  public Metadata withResourceVersion(@Nullable String newVersion) {
    return new Metadata(
        name,
        namespace,
        labels,
        annotations,
        uid,
        newVersion,
        creationTimestamp,
        generation,
        finalizers,
        unknown);
  }

  /// The identity an object is given when it is created.
  public Metadata withIdentity(@Nullable String newUid, @Nullable Instant created) {
    return new Metadata(
        name,
        namespace,
        labels,
        annotations,
        newUid,
        resourceVersion,
        created,
        generation,
        finalizers,
        unknown);
  }
}
