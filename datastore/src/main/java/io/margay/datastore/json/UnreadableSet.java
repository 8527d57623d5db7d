package io.margay.datastore.json;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.margay.model.net.Prefix;
import io.margay.model.resource.Kind;
import io.margay.model.resource.Resource;
import io.margay.model.resource.ResourceRef;
import java.util.Optional;

/// What can still be told of a network set whose document is broken: its labels, by which rules
/// find it, and those of its prefixes that are some. One prefix mistyped does not lift the Deny
/// rules that the others are for.
final class UnreadableSet {

  private UnreadableSet() {}

  /// The set with the prefixes that are well; empty when its labels can't be read, when it has no
  /// list of prefixes, or when the resource is no network set.
  static Optional<Resource> withReadableNets(ResourceRef ref, String value) {
    if (ref.kind() != Kind.NETWORK_SET && ref.kind() != Kind.GLOBAL_NETWORK_SET) {
      return Optional.empty();
    }
    JsonNode document = UnreadableDocument.tree(value);
    if (!(document.path("spec").path("nets") instanceof ArrayNode nets)) {
      return Optional.empty();
    }
    ObjectNode part = UnreadableDocument.bare(ref);
    JsonNode labels = document.path("metadata").path("labels");
    if (!labels.isMissingNode()) {
      part.withObject("/metadata").set("labels", labels);
    }
    ArrayNode readable = part.putObject("spec").putArray("nets");
    for (JsonNode net : nets) {
      if (isPrefix(net)) {
        readable.add(net);
      }
    }
    return UnreadableDocument.read(ref, part);
  }

  private static boolean isPrefix(JsonNode net) {
    return net.isTextual() && ResourceJson.read(net, Prefix.class, new ErrorSink()) != null;
  }
}
