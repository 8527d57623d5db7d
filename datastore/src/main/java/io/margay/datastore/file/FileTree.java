package io.margay.datastore.file;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.margay.datastore.Txn;
import io.margay.datastore.file.ResourceYaml.UnreadableException;
import io.margay.model.resource.Kind;
import io.margay.model.resource.ResourceRef;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// The files of all keys: reads those that changed since they were last read, writes and deletes
/// whole files, and knows which can't be read. Not safe for use by several threads.
final class FileTree {

  /// Our own files' names until they are whole.
  private static final String UNFINISHED = ".margay-unfinished-";

  private static final int SYNC_THREADS = 16;

  private final Path root;
  private final Map<String, Signature> seen = new HashMap<>();
  private final Map<Path, String> problems = new TreeMap<>();
  private final Set<Path> unsynced = new HashSet<>();

  /// Tells one content of a file from another without reading it: whoever edits a file changes its
  /// time or its length, or puts another in its place.
  private record Signature(FileTime changed, long octets, @Nullable Object identity) {}

  /// What looking at a file showed.
  sealed interface Look {
    /// As when last looked at.
    record Unchanged() implements Look {}

    record Gone() implements Look {}

    record Holds(String value) implements Look {}

    /// Can't be understood; `problems` says why.
    record Bad() implements Look {}
  }

  FileTree(Path root) {
    this.root = root;
  }

  /// Files that can't be read as a key's, with what is wrong.
  Map<Path, String> problems() {
    return problems;
  }

  /// Looks at one key's file.
  Look look(String key) throws IOException {
    Path file = root.resolve(FileLayout.fileOf(key));
    Optional<Signature> now = signature(file);
    if (now.isEmpty()) {
      problems.remove(file);
      seen.remove(key);
      return new Look.Gone();
    }
    if (now.get().equals(seen.get(key))) {
      return problems.containsKey(file) ? new Look.Bad() : new Look.Unchanged();
    }
    try {
      String value = read(key, file, now.get());
      seen.put(key, now.get());
      problems.remove(file);
      return new Look.Holds(value);
    } catch (NoSuchFileException goneMeanwhile) {
      seen.remove(key);
      problems.remove(file);
      return new Look.Gone();
    } catch (UnreadableException bad) {
      seen.put(key, now.get());
      problems.put(file, String.valueOf(bad.getMessage()));
      return new Look.Bad();
    }
  }

  /// The next look reads the file again.
  void forget(String key) {
    seen.remove(key);
  }

  private static Optional<Signature> signature(Path file) throws IOException {
    try {
      BasicFileAttributes attributes =
          Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
      return attributes.isRegularFile()
          ? Optional.of(
              new Signature(attributes.lastModifiedTime(), attributes.size(), attributes.fileKey()))
          : Optional.empty();
    } catch (NoSuchFileException | NotDirectoryException absent) {
      return Optional.empty();
    } catch (IOException perhapsAbsent) {
      // A file where a folder of the path should be is told as a plain failure.
      if (Files.notExists(file)) {
        return Optional.empty();
      }
      throw perhapsAbsent;
    }
  }

  private static String read(String key, Path file, Signature signature)
      throws IOException, UnreadableException {
    if (signature.octets > Txn.MAX_OCTETS) {
      throw new UnreadableException(
          signature.octets + " octets are beyond the limit of " + Txn.MAX_OCTETS);
    }
    String text;
    try {
      text =
          UTF_8
              .newDecoder()
              .onMalformedInput(CodingErrorAction.REPORT)
              .decode(ByteBuffer.wrap(Files.readAllBytes(file)))
              .toString();
    } catch (CharacterCodingException malformed) {
      throw new UnreadableException("not UTF-8");
    }
    Optional<ResourceRef> ref = FileLayout.resource(key);
    return ref.isPresent() ? ResourceYaml.toJson(text, ref.get()) : text;
  }

  /// Every key that has a file now. Files of nobody below our folders are problems.
  Set<String> keys() throws IOException {
    Set<String> keys = new HashSet<>();
    Set<Path> strange = new HashSet<>();
    Set<Path> present = new HashSet<>();
    for (Kind kind : Kind.values()) {
      collect(root.resolve(kind.plural()), keys, strange, present);
    }
    collect(root.resolve(FileLayout.KEYS), keys, strange, present);
    problems.keySet().removeIf(file -> !present.contains(file));
    strange.forEach(
        file ->
            problems.put(
                file,
                "not the place of any key; a resource is <plural>/[<namespace>/]<name>.yaml"));
    return keys;
  }

  private void collect(Path folder, Set<String> keys, Set<Path> strange, Set<Path> present)
      throws IOException {
    if (!Files.isDirectory(folder)) {
      return;
    }
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : (Iterable<Path>) files::iterator) {
        if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
          continue;
        }
        present.add(file);
        Optional<String> key = FileLayout.keyOf(root.relativize(file));
        if (key.isPresent()) {
          keys.add(key.get());
        } else if (looksLikeOurs(file)) {
          strange.add(file);
        }
      }
    } catch (UncheckedIOException walking) {
      // A file that went away between being named and being looked at; the next look sees it.
      if (!(walking.getCause() instanceof NoSuchFileException)) {
        throw walking.getCause();
      }
    }
  }

  /// A README or an editor's leftovers beside the resources are nobody's business.
  private static boolean looksLikeOurs(Path file) {
    String name = file.getFileName().toString();
    return !name.startsWith(".")
        && (name.endsWith(FileLayout.RESOURCE_SUFFIX)
            || name.endsWith(".yml")
            || name.endsWith(".json")
            || name.endsWith(FileLayout.VALUE_SUFFIX));
  }

  /// The text a file will hold for this value.
  static String textOf(String key, String value) throws UnreadableException {
    return FileLayout.resource(key).isPresent() ? ResourceYaml.toYaml(value) : value;
  }

  /// Puts a whole file in its place.
  void put(String key, String text) throws IOException {
    Path file = root.resolve(FileLayout.fileOf(key));
    Path folder = Objects.requireNonNull(file.getParent());
    Files.createDirectories(folder);
    Path unfinished = folder.resolve(UNFINISHED + Integer.toHexString(key.hashCode()));
    Files.writeString(
        unfinished,
        text,
        StandardOpenOption.CREATE,
        StandardOpenOption.TRUNCATE_EXISTING,
        StandardOpenOption.WRITE);
    Optional<Signature> written = signature(unfinished);
    Files.move(
        unfinished, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    written.ifPresent(signature -> seen.put(key, signature));
    problems.remove(file);
    unsynced.add(file);
    unsynced.add(folder);
  }

  void delete(String key) throws IOException {
    Path file = root.resolve(FileLayout.fileOf(key));
    Files.deleteIfExists(file);
    seen.remove(key);
    problems.remove(file);
    unsynced.add(Objects.requireNonNull(file.getParent()));
  }

  /// Makes the disk hold what was put and deleted. Several at a time, because disks gather what is
  /// asked for together.
  void sync() throws IOException {
    List<Path> paths = List.copyOf(unsynced);
    try (ExecutorService threads = Executors.newFixedThreadPool(SYNC_THREADS)) {
      for (Future<?> one : threads.invokeAll(paths.stream().map(FileTree::syncing).toList())) {
        one.get();
      }
    } catch (ExecutionException failed) {
      throw new IOException("can't be synced: " + failed.getMessage(), failed);
    } catch (InterruptedException stop) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while syncing");
    }
    unsynced.clear();
  }

  private static Callable<Void> syncing(Path path) {
    return () -> {
      if (Files.exists(path)) {
        try (FileChannel entry = FileChannel.open(path, StandardOpenOption.READ)) {
          entry.force(true);
        }
      }
      return null;
    };
  }
}
