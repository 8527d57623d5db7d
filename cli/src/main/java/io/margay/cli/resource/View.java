package io.margay.cli.resource;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.margay.datastore.KeyValue;
import io.margay.datastore.json.EndpointSliceDocuments;
import io.margay.datastore.json.PodDocuments;
import io.margay.ipam.IpamKeys;
import io.margay.model.resource.Kind;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// What is kept under keys of another form than resources: what IPAM keeps, shown as the objects
/// Calico's API has for it, which nobody writes by hand; and Kubernetes' documents that are stored
/// as they are.
enum View {
  BLOCK_AFFINITIES("BlockAffinity", "blockaffinities", false, IpamKeys.HOSTS, View::affinity),
  ENDPOINT_SLICES(
      "EndpointSlice", "endpointslices", true, EndpointSliceDocuments.PREFIX, View::whole),
  IPAM_BLOCKS("IPAMBlock", "ipamblocks", false, IpamKeys.BLOCKS, View::block),
  IPAM_HANDLES("IPAMHandle", "ipamhandles", false, IpamKeys.HANDLES, View::handle),
  PODS("Pod", "pods", true, PodDocuments.PREFIX, View::whole);

  private static final JsonMapper JSON = new JsonMapper();

  private final String kindName;
  private final String plural;
  private final boolean namespaced;
  private final String prefix;
  private final Function<KeyValue, Optional<ObjectNode>> document;

  View(
      String kindName,
      String plural,
      boolean namespaced,
      String prefix,
      Function<KeyValue, Optional<ObjectNode>> document) {
    this.kindName = kindName;
    this.plural = plural;
    this.namespaced = namespaced;
    this.prefix = prefix;
    this.document = document;
  }

  static List<String> words() {
    return Arrays.stream(values()).map(view -> view.kindName.toLowerCase(Locale.ROOT)).toList();
  }

  /// The view a person means: singular or plural, in any case.
  static Optional<View> ofWord(String word) {
    return Arrays.stream(values())
        .filter(view -> word.equalsIgnoreCase(view.plural) || word.equalsIgnoreCase(view.kindName))
        .findFirst();
  }

  String kindName() {
    return kindName;
  }

  String plural() {
    return plural;
  }

  boolean isNamespaced() {
    return namespaced;
  }

  /// The folder its keys are in.
  ///
  /// @param namespace null = all; without meaning for what has none
  String prefix(@Nullable String namespace) {
    return namespaced && namespace != null ? prefix + namespace + "/" : prefix;
  }

  /// The object a key holds; empty if the key is another's or its value no document.
  Optional<ObjectNode> document(KeyValue item) {
    return document.apply(item);
  }

  /// The document itself.
  private static Optional<ObjectNode> whole(KeyValue item) {
    Optional<ObjectNode> document = spec(item);
    document.ifPresent(
        whole -> {
          if (whole.get("metadata") instanceof ObjectNode metadata) {
            metadata.put("resourceVersion", Long.toString(item.modRevision()));
          }
        });
    return document;
  }

  private static Optional<ObjectNode> affinity(KeyValue item) {
    return IpamKeys.affinityOf(item.key())
        .flatMap(
            key ->
                spec(item)
                    .map(
                        stored -> {
                          String cidr = key.block().toString();
                          ObjectNode spec = JSON.createObjectNode();
                          spec.put("cidr", cidr)
                              .put("node", key.node())
                              .put("state", stored.path("state").asText("confirmed"))
                              .put("type", "host")
                              .put("deleted", stored.path("deleted").asBoolean());
                          return object(
                              BLOCK_AFFINITIES, key.node() + "-" + dashed(cidr), item, spec);
                        }));
  }

  private static Optional<ObjectNode> block(KeyValue item) {
    return IpamKeys.blockOf(item.key())
        .flatMap(
            block ->
                spec(item).map(spec -> object(IPAM_BLOCKS, dashed(block.toString()), item, spec)));
  }

  private static Optional<ObjectNode> handle(KeyValue item) {
    return IpamKeys.handleOf(item.key())
        .flatMap(
            id ->
                spec(item)
                    .map(
                        stored -> {
                          ObjectNode spec = JSON.createObjectNode().put("handleID", id);
                          spec.setAll(stored);
                          return object(IPAM_HANDLES, id.toLowerCase(Locale.ROOT), item, spec);
                        }));
  }

  private static Optional<ObjectNode> spec(KeyValue item) {
    try {
      JsonNode value = JSON.readTree(item.value());
      return value instanceof ObjectNode object ? Optional.of(object) : Optional.empty();
    } catch (JsonProcessingException garbage) {
      return Optional.empty();
    }
  }

  private static ObjectNode object(View view, String name, KeyValue item, ObjectNode spec) {
    ObjectNode object = JSON.createObjectNode();
    object.put("kind", view.kindName).put("apiVersion", Kind.API_VERSION);
    object
        .putObject("metadata")
        .put("name", name)
        .put("resourceVersion", Long.toString(item.modRevision()));
    object.set("spec", spec);
    return object;
  }

  static String dashed(String cidr) {
    return cidr.replace('.', '-').replace(':', '-').replace('/', '-');
  }
}
