package io.margay.cli.resource;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.margay.cli.output.DocumentGroup;
import io.margay.datastore.KeyValue;
import io.margay.datastore.Listing;
import io.margay.datastore.json.Decoded;
import io.margay.datastore.json.ResourceJson;
import io.margay.datastore.json.ResourceKeys;
import io.margay.model.resource.Kind;
import io.margay.model.resource.Resource;
import io.margay.model.resource.ResourceRef;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/// What the store holds of one kind, decoded only as it is handed over.
///
/// @param resourceVersion of the list; empty for objects by name
/// @param documents made anew for each walk through them
/// @param dress last touch for each document: strips what `--export` strips
record FoundDocuments(
    String kindName,
    String plural,
    boolean isNamespaced,
    String resourceVersion,
    Iterable<ObjectNode> documents,
    UnaryOperator<ObjectNode> dress)
    implements DocumentGroup {

  private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

  @Override
  public boolean isList() {
    return !resourceVersion.isEmpty();
  }

  @Override
  public void forEach(Consumer<ObjectNode> each) {
    documents.forEach(document -> each.accept(dress.apply(document)));
  }

  /// Everything of a kind. Each thing stored, valid or not, goes to `met` each time it is met.
  static FoundDocuments list(
      Kind kind, Listing listing, Consumer<Decoded> met, UnaryOperator<ObjectNode> dress) {
    Iterable<ObjectNode> documents =
        () -> {
          Stream<ObjectNode> stored =
              listing.items().stream().flatMap(item -> valid(item, met).stream());
          return switch (kind) {
            case TIER ->
                stored.sorted(Comparator.comparingDouble(FoundDocuments::order)).iterator();
            case PROFILE -> withDefaultAllow(stored, listing).iterator();
            default -> stored.iterator();
          };
        };
    return new FoundDocuments(
        kind.kindName(),
        kind.plural(),
        kind.isNamespaced(),
        Long.toString(listing.revision()),
        documents,
        dress);
  }

  /// Everything a view shows. Each thing stored goes to `met` each time it is met.
  static FoundDocuments list(
      View view, Listing listing, Consumer<KeyValue> met, UnaryOperator<ObjectNode> dress) {
    return new FoundDocuments(
        view.kindName(),
        view.plural(),
        view.isNamespaced(),
        Long.toString(listing.revision()),
        () ->
            listing.items().stream()
                .peek(met)
                .flatMap(item -> view.document(item).stream())
                .iterator(),
        dress);
  }

  /// Objects that were asked for by name.
  static FoundDocuments named(
      String kindName,
      String plural,
      boolean namespaced,
      List<ObjectNode> documents,
      UnaryOperator<ObjectNode> dress) {
    return new FoundDocuments(
        kindName,
        plural,
        namespaced,
        "",
        documents.stream().map(ObjectNode::deepCopy).toList(),
        dress);
  }

  private static Optional<ObjectNode> valid(KeyValue item, Consumer<Decoded> met) {
    Optional<Decoded> decoded = ResourceJson.decode(item.key(), item.value(), item.modRevision());
    decoded.ifPresent(met);
    return decoded.flatMap(
        found ->
            found instanceof Decoded.Valid(Resource resource)
                ? Optional.of(ResourceJson.toTree(resource))
                : Optional.empty());
  }

  /// By order as calicoctl lists tiers; one without comes last.
  private static double order(JsonNode tier) {
    return tier.path("spec").path("order").asDouble(Double.MAX_VALUE);
  }

  private static Stream<ObjectNode> withDefaultAllow(Stream<ObjectNode> stored, Listing listing) {
    String key = ResourceKeys.key(ResourceRef.global(Kind.PROFILE, StoreRules.DEFAULT_ALLOW));
    boolean there = listing.items().stream().anyMatch(item -> item.key().equals(key));
    return there ? stored : Stream.concat(Stream.of(defaultAllow()), stored);
  }

  /// The profile that every cluster has without storing it.
  static ObjectNode defaultAllow() {
    ObjectNode profile = NODES.objectNode();
    profile.put("kind", Kind.PROFILE.kindName()).put("apiVersion", Kind.API_VERSION);
    profile.putObject("metadata").put("name", StoreRules.DEFAULT_ALLOW);
    ObjectNode spec = profile.putObject("spec");
    spec.putArray("ingress").addObject().put("action", "Allow");
    spec.putArray("egress").addObject().put("action", "Allow");
    return profile;
  }
}
