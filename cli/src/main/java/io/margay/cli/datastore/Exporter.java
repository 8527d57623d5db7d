package io.margay.cli.datastore;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.margay.cli.Progress;
import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.KeyValue;
import io.margay.datastore.json.Decoded;
import io.margay.datastore.json.ResourceJson;
import io.margay.datastore.json.ResourceKeys;
import io.margay.ipam.IpamKeys;
import io.margay.model.resource.Kind;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.security.DigestOutputStream;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

/// Writes everything a cluster can be rebuilt from, as it was at one revision, holding no more than
/// a page of it at a time.
final class Exporter {

  /// What was written.
  ///
  /// @param revision the moment it is of
  /// @param resources documents of the first two parts
  /// @param ipam blocks, claims, handles and the configuration
  /// @param others keys copied as they are
  /// @param secrets keys left out because they may hold passwords
  /// @param unreadable resources that are copied as they are, because this version can't read them
  record Summary(
      long revision,
      long resources,
      long ipam,
      long others,
      List<String> secrets,
      List<String> unreadable) {}

  private final StoreSnapshot snapshot;
  private final DigestOutputStream out;
  private final boolean withSecrets;
  private final Progress progress;
  private final List<KeyValue> others = new ArrayList<>();
  private final List<String> secrets = new ArrayList<>();
  private final List<String> unreadable = new ArrayList<>();
  private long resources;
  private long ipam;
  private boolean isFirst;

  Exporter(Datastore datastore, OutputStream out, boolean withSecrets, Progress progress) {
    this.snapshot = new StoreSnapshot(datastore);
    this.out = new DigestOutputStream(out, Checksum.digest());
    this.withSecrets = withSecrets;
    this.progress = progress;
  }

  /// @throws IOException when the file does not take it
  Summary run() throws DatastoreException, IOException {
    line(ExportFormat.HEADER);
    for (Kind kind : ExportFormat.kinds()) {
      snapshot.each(ResourceKeys.prefix(kind), this::resource);
    }
    line(ExportFormat.PART);
    clusterInformation();
    line(ExportFormat.PART);
    write("{\n\"format\": " + ExportFormat.VERSION + ",\n");
    // Markers and what Margay does not know lie among the claims; they wait for their section.
    section(ExportFormat.Section.AFFINITIES, IpamKeys.HOSTS, ExportFormat.VIRTUAL);
    section(ExportFormat.Section.BLOCKS, IpamKeys.BLOCKS);
    section(ExportFormat.Section.HANDLES, IpamKeys.HANDLES);
    Optional<KeyValue> config = snapshot.get(IpamKeys.CONFIG);
    if (config.isPresent()) {
      ipam++;
      write("\"" + ExportFormat.Section.CONFIG.field() + "\": " + entry(config.get()) + ",\n");
    }
    others();
    out.flush();
    String digest = HexFormat.of().formatHex(out.getMessageDigest().digest());
    write(ExportFormat.TRAILER.formatted(digest));
    out.flush();
    return new Summary(
        snapshot.revision(), resources, ipam, others.size(), List.copyOf(secrets), unreadable);
  }

  private void resource(KeyValue item) throws IOException {
    Optional<ObjectNode> document = document(item);
    if (document.isEmpty()) {
      unreadable.add(item.key());
      others.add(item);
      return;
    }
    line(ExportFormat.DOCUMENT);
    write(Trees.yaml(document.get()));
    resources++;
    progress.at("exporting documents", resources);
  }

  /// The stored document, if it is a valid resource; with its own fields in their own order.
  private static Optional<ObjectNode> document(KeyValue item) {
    Optional<Decoded> decoded = ResourceJson.decode(item.key(), item.value(), item.modRevision());
    if (decoded.isEmpty() || decoded.get() instanceof Decoded.Invalid) {
      return Optional.empty();
    }
    try {
      if (!(Trees.parse(item.value()) instanceof ObjectNode stored)) {
        return Optional.empty();
      }
      ObjectNode document = Trees.JSON.createObjectNode();
      document.put("kind", decoded.get().ref().kind().kindName());
      document.put("apiVersion", Kind.API_VERSION);
      document.setAll(stored);
      if (document.path("metadata") instanceof ObjectNode metadata) {
        metadata.remove("resourceVersion");
      }
      return isWritable(document, item.value()) ? Optional.of(document) : Optional.empty();
    } catch (IOException beyondUs) {
      return Optional.empty();
    }
  }

  /// Whether YAML brings the document back. It does for printable ASCII; a line separator, say,
  /// does not survive in a field's name.
  private static boolean isWritable(ObjectNode document, String stored) throws IOException {
    return stored.chars().allMatch(c -> c >= ' ' && c <= '~') && !stored.contains("\\u")
        || Trees.parseYaml(Trees.yaml(document)).equals(List.of(document));
  }

  private void clusterInformation() throws DatastoreException, IOException {
    List<KeyValue> found = new ArrayList<>();
    snapshot.each(ResourceKeys.prefix(Kind.CLUSTER_INFORMATION), found::add);
    Optional<ObjectNode> document = Optional.empty();
    for (KeyValue item : found) {
      Optional<ObjectNode> readable =
          item.key().equals(DatastoreLock.KEY) ? document(item) : Optional.empty();
      if (readable.isPresent()) {
        document = readable;
      } else {
        unreadable.add(item.key());
        others.add(item);
      }
    }
    line(document.map(JsonNode::toPrettyString).orElse("null"));
    resources += document.isPresent() ? 1 : 0;
  }

  private void section(ExportFormat.Section section, String... folders)
      throws DatastoreException, IOException {
    write("\"" + section.field() + "\": [");
    isFirst = true;
    for (String folder : folders) {
      snapshot.each(
          folder,
          item -> {
            if (ExportFormat.Section.of(item.key()) == section) {
              element(item);
              ipam++;
              progress.at("exporting IPAM documents", ipam);
            } else {
              others.add(item);
            }
          });
    }
    write("\n],\n");
  }

  /// What no other section has: kinds unknown here, other keys of IPAM, Margay's own.
  private void others() throws DatastoreException, IOException {
    List<String> known = new ArrayList<>();
    known.add(ResourceKeys.prefix(Kind.CLUSTER_INFORMATION));
    ExportFormat.kinds().forEach(kind -> known.add(ResourceKeys.prefix(kind)));
    snapshot.eachOutside(
        ResourceKeys.ROOT,
        known,
        item -> {
          unreadable.add(item.key());
          others.add(item);
        });
    snapshot.eachOutside(
        IpamKeys.ROOT,
        List.of(
            IpamKeys.HOSTS,
            ExportFormat.VIRTUAL,
            IpamKeys.BLOCKS,
            IpamKeys.HANDLES,
            IpamKeys.CONFIG),
        others::add);
    snapshot.each(
        ExportFormat.MARGAY,
        item -> {
          if (item.key().startsWith(ExportFormat.SECRETS) && !withSecrets) {
            secrets.add(item.key());
          } else if (!ExportFormat.isOfProcess(item.key())) {
            others.add(item);
          }
        });
    write("\"" + ExportFormat.Section.OTHERS.field() + "\": [");
    isFirst = true;
    for (KeyValue item : others) {
      element(item);
    }
    write("\n],\n");
  }

  private void element(KeyValue item) throws IOException {
    write((isFirst ? "\n" : ",\n") + entry(item));
    isFirst = false;
  }

  /// As calicoctl writes it; with the stored text beside the value where the value alone would not
  /// bring it back octet for octet.
  private static String entry(KeyValue item) {
    String start = "{\"Key\":" + text(item.key()) + ",";
    try {
      String again = Trees.compact(Trees.parse(item.value()));
      if (again.equals(item.value())) {
        return start + "\"Value\":" + again + ",\"TTL\":0}";
      }
      return start + "\"Value\":" + again + ",\"TTL\":0,\"Raw\":" + text(item.value()) + "}";
    } catch (JsonProcessingException notJson) {
      return start + "\"TTL\":0,\"Raw\":" + text(item.value()) + "}";
    }
  }

  private static String text(String value) {
    return Trees.compact(Trees.JSON.getNodeFactory().textNode(value));
  }

  private void line(String text) throws IOException {
    write(text + "\n");
  }

  private void write(String text) throws IOException {
    out.write(text.getBytes(StandardCharsets.UTF_8));
  }
}
