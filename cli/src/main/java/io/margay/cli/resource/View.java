package io.margay.cli.resource;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.margay.datastore.KeyValue;
import io.margay.ipam.IpamKeys;
import io.margay.model.resource.Kind;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;

/// What IPAM keeps, shown as the objects Calico's API has for it; nobody writes these by hand.
enum View {
  BLOCK_AFFINITIES("BlockAffinity", "blockaffinities", IpamKeys.HOSTS, View::affinity),
  IPAM_BLOCKS("IPAMBlock", "ipamblocks", IpamKeys.BLOCKS, View::block),
  IPAM_HANDLES("IPAMHandle", "ipamhandles", IpamKeys.HANDLES, View::handle);

  private static final JsonMapper JSON = new JsonMapper();

  private final String kindName;
  private final String plural;
  private final String prefix;
  private final Function<KeyValue, Optional<ObjectNode>> document;

  View(
      String kindName,
      String plural,
      String prefix,
      Function<KeyValue, Optional<ObjectNode>> document) {
    this.kindName = kindName;
    this.plural = plural;
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

  /// The folder its keys are in.
  String prefix() {
    return prefix;
  }

  /// The object a key holds; empty if the key is another's or its value no document.
  Optional<ObjectNode> document(KeyValue item) {
    return document.apply(item);
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

  private static String dashed(String cidr) {
    return cidr.replace('.', '-').replace(':', '-').replace('/', '-');
  }
}
