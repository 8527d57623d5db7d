package io.margay.cli.datastore;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.KeyValue;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// What a file holds, by key, and how the datastore compares with it. Keeps a digest of each
/// document, not the document: about 250 octets of memory a key.
final class ImportPlan {

  /// One key of the file.
  private static final class Expected {
    private final long digest;
    private final boolean isResource;
    private final boolean hasIdentity;

    /// What the last comparison found; 0 = not there.
    private long revision;

    private boolean isSame;

    Expected(long digest, boolean isResource, boolean hasIdentity) {
      this.digest = digest;
      this.isResource = isResource;
      this.hasIdentity = hasIdentity;
    }
  }

  /// How the datastore compares with the file.
  ///
  /// @param same keys that hold what the file has
  /// @param different keys that hold something else
  /// @param missing keys of the file that are not there
  /// @param foreign keys that are there and not in the file
  record Comparison(long same, List<String> different, List<String> missing, List<String> foreign) {

    boolean isWhole() {
      return different.isEmpty() && missing.isEmpty();
    }
  }

  private final Map<String, Expected> expected = new HashMap<>();
  private final List<String> problems = new ArrayList<>();
  private boolean hasClusterInformation;

  /// Reads and checks the whole file.
  static ImportPlan of(Path file, String source) throws DatastoreException, IOException {
    ImportPlan plan = new ImportPlan();
    ExportReader.read(
        file,
        source,
        new ExportReader.Visitor() {
          @Override
          public void entry(ExportReader.Entry entry) {
            plan.expect(entry);
          }

          @Override
          public void problem(String problem) {
            plan.problems.add(problem);
          }
        });
    return plan;
  }

  private void expect(ExportReader.Entry entry) {
    hasClusterInformation |= entry.key().equals(DatastoreLock.KEY);
    Expected before =
        expected.putIfAbsent(
            entry.key(),
            new Expected(
                digest(entry.value(), entry.isResource(), entry.hasIdentity()),
                entry.isResource(),
                entry.hasIdentity()));
    if (before != null) {
      problems.add(entry.where() + ": " + entry.key() + " comes twice");
    }
  }

  /// What is wrong with the file, one line each; empty = it can be imported.
  List<String> problems() {
    return problems;
  }

  int size() {
    return expected.size();
  }

  /// Whether the key holds what the file has, as of the last comparison.
  boolean isSame(String key) {
    Expected found = expected.get(key);
    return found != null && found.isSame;
  }

  /// What the key held at the last comparison; empty = it was not there.
  Optional<Long> revisionOf(String key) {
    Expected found = expected.get(key);
    return found == null || found.revision == 0 ? Optional.empty() : Optional.of(found.revision);
  }

  Comparison compare(Datastore datastore) throws DatastoreException, IOException {
    expected
        .values()
        .forEach(
            one -> {
              one.revision = 0;
              one.isSame = false;
            });
    List<String> different = new ArrayList<>();
    List<String> foreign = new ArrayList<>();
    StoreSnapshot snapshot = new StoreSnapshot(datastore);
    for (String root : ExportFormat.ROOTS) {
      snapshot.each(
          root,
          item -> {
            Expected one = expected.get(item.key());
            if (one != null) {
              one.revision = item.modRevision();
              one.isSame = isSame(item, one);
              if (!one.isSame) {
                different.add(item.key());
              }
            } else if (!ExportFormat.isOfProcess(item.key())
                && (hasClusterInformation || !item.key().equals(DatastoreLock.KEY))) {
              foreign.add(item.key());
            }
          });
    }
    List<String> missing = new ArrayList<>();
    long same = 0;
    for (Map.Entry<String, Expected> one : expected.entrySet()) {
      if (one.getValue().isSame) {
        same++;
      } else if (one.getValue().revision == 0) {
        missing.add(one.getKey());
      }
    }
    missing.sort(null);
    return new Comparison(same, different, missing, foreign);
  }

  private static boolean isSame(KeyValue item, Expected one) {
    return digest(item.value(), one.isResource, one.hasIdentity) == one.digest;
  }

  /// Equal for equal content: of resources the content counts, without the order of its fields and
  /// the revision; without its identity too, where the file brings none.
  private static long digest(String value, boolean isResource, boolean hasIdentity) {
    String text = value;
    if (isResource) {
      ObjectNode tree = tree(value);
      if (tree != null) {
        if (tree.path("metadata") instanceof ObjectNode metadata) {
          metadata.remove("resourceVersion");
          if (!hasIdentity) {
            metadata.remove(List.of("uid", "creationTimestamp"));
          }
        }
        text = Trees.sorted(tree);
      }
    }
    byte[] whole = Checksum.digest().digest(text.getBytes(StandardCharsets.UTF_8));
    return ByteBuffer.wrap(Arrays.copyOf(whole, Long.BYTES)).getLong();
  }

  private static @Nullable ObjectNode tree(String value) {
    try {
      return Trees.parse(value) instanceof ObjectNode object ? object : null;
    } catch (JsonProcessingException notJson) {
      return null;
    }
  }
}
