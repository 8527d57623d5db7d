package io.margay.datastore.json;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.margay.model.resource.Kind;
import io.margay.model.resource.Resource;
import io.margay.model.resource.ResourceRef;
import java.util.List;
import java.util.Optional;

/// What can still be told of a policy whose document is broken: whom it selects, and where it
/// stands. Enough to deny for those, which is what a policy that can't be enforced as written has
/// to do.
final class UnreadablePolicy {

  /// What of `spec` says whom the policy is for; where one of these can't be read, nobody knows.
  private static final List<String> SELECTORS =
      List.of("selector", "namespaceSelector", "serviceAccountSelector");

  private static final String DEFAULT_TIER = "default";

  private UnreadablePolicy() {}

  /// The policy without rules, for both directions, or for ingress alone if it is one for packets
  /// before destination NAT; empty when its selectors can't be read either, or when the resource is
  /// no policy. A place that can't be read is the first one of the tier that the policy's name
  /// begins with.
  static Optional<Resource> withoutRules(ResourceRef ref, String value) {
    if (ref.kind() != Kind.NETWORK_POLICY && ref.kind() != Kind.GLOBAL_NETWORK_POLICY) {
      return Optional.empty();
    }
    if (!(UnreadableDocument.tree(value).path("spec") instanceof ObjectNode spec)) {
      return Optional.empty();
    }
    ObjectNode bare = UnreadableDocument.bare(ref);
    ObjectNode place = bare.putObject("spec");
    place(ref.kind(), spec, place);
    if (!spec.hasNonNull("tier")) {
      return UnreadableDocument.read(ref, bare);
    }
    place.set("tier", spec.get("tier"));
    return UnreadableDocument.read(ref, bare)
        .or(() -> UnreadableDocument.read(ref, inTierOfItsName(ref, bare, place)));
  }

  private static ObjectNode inTierOfItsName(ResourceRef ref, ObjectNode bare, ObjectNode place) {
    int dot = ref.name().indexOf('.');
    place.put("tier", dot < 0 ? DEFAULT_TIER : ref.name().substring(0, dot));
    return bare;
  }

  private static void place(Kind kind, ObjectNode spec, ObjectNode place) {
    for (String field : SELECTORS) {
      if (spec.hasNonNull(field)) {
        place.set(field, spec.get(field));
      }
    }
    JsonNode order = spec.path("order");
    if (order.isNumber()) {
      place.set("order", order);
    } else if (spec.hasNonNull("order")) {
      place.put("order", -Double.MAX_VALUE);
    }
    ArrayNode types = place.putArray("types").add("Ingress");
    boolean isPreDnat = kind == Kind.GLOBAL_NETWORK_POLICY && spec.path("preDNAT").asBoolean();
    if (!isPreDnat) {
      types.add("Egress");
    }
    if (kind == Kind.GLOBAL_NETWORK_POLICY) {
      boolean isUntracked = !isPreDnat && spec.path("doNotTrack").asBoolean();
      place.put("preDNAT", isPreDnat);
      place.put("doNotTrack", isUntracked);
      // Both ask for it, and who wrote it askew meant it.
      place.put("applyOnForward", isPreDnat || isUntracked || isMeant(spec.path("applyOnForward")));
    }
  }

  private static boolean isMeant(JsonNode flag) {
    return flag.isBoolean() ? flag.booleanValue() : !flag.isMissingNode() && !flag.isNull();
  }
}
