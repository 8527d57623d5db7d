package io.margay.cli.resource;

import io.margay.model.resource.Metadata;
import java.time.Instant;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// The metadata that is written, as calicoctl writes it: a user says name, namespace, labels and
/// annotations, everything else is the store's.
final class StoredMetadata {

  private StoredMetadata() {}

  /// Of an object that was not there.
  static Metadata created(Metadata given, Instant now) {
    return new Metadata(
        given.name(),
        given.namespace(),
        given.labels(),
        given.annotations(),
        UUID.randomUUID().toString(),
        null,
        now,
        null,
        given.finalizers(),
        given.unknown());
  }

  /// Of an object that was there: labels and annotations are added to those it has, and none goes.
  static Metadata merged(Metadata given, Metadata stored) {
    return replaced(given, stored)
        .withLabels(both(stored.labels(), given.labels()))
        .withAnnotations(both(stored.annotations(), given.annotations()));
  }

  /// Of an object that was there: it has the labels and annotations given and no others.
  static Metadata replaced(Metadata given, Metadata stored) {
    return new Metadata(
        given.name(),
        given.namespace(),
        given.labels(),
        given.annotations(),
        stored.uid() == null ? UUID.randomUUID().toString() : stored.uid(),
        null,
        stored.creationTimestamp(),
        stored.generation(),
        given.finalizers().isEmpty() ? stored.finalizers() : given.finalizers(),
        both(stored.unknown(), given.unknown()));
  }

  private static <T extends @Nullable Object> Map<String, T> both(
      Map<String, T> stored, Map<String, T> given) {
    Map<String, T> both = new TreeMap<>(stored);
    both.putAll(given);
    return both;
  }
}
