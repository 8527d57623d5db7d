package io.margay.datastore.file;

import io.margay.datastore.CommitResult;
import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.DatastoreException.Kind;
import io.margay.datastore.InMemoryDatastore;
import io.margay.datastore.KeyValue;
import io.margay.datastore.Listing;
import io.margay.datastore.StoreId;
import io.margay.datastore.Txn;
import io.margay.datastore.Watch;
import io.margay.datastore.WatchListener;
import io.margay.datastore.file.ResourceYaml.UnreadableException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The port on a folder that people edit and keep in git: one YAML file a resource, as {@link
/// FileLayout} places it. One process at a time.
///
/// What is true is in memory; the log (`.margay/log`) makes a commit durable before its files are
/// touched, the files follow. An edit by somebody else is a commit of its own, found when a call
/// concerns the file and at the latest after {@link #POLL_INTERVAL}; a file that can't be read is
/// reported, what it held last stays in force. A resource comes back as the same JSON, not the same
/// spelling; its file loses its comments when Margay writes it.
public final class FileDatastore implements Datastore {

  /// How often files are looked at although nobody asks.
  public static final Duration POLL_INTERVAL = Duration.ofMillis(500);

  /// How many revisions of the past a watch may begin in.
  public static final int HISTORY_REVISIONS = 10_000;

  private static final Logger LOG = LoggerFactory.getLogger(FileDatastore.class);

  private static final String OWN_FOLDER = ".margay";

  /// Fair, so that nobody waits for ever beside a busy writer.
  private final ReentrantLock turn = new ReentrantLock(true);

  private final Path root;
  private final FileTree tree;
  private final FileLog log;
  private final FileChannel lock;
  private final InMemoryDatastore memory;
  private final ScheduledThreadPoolExecutor poller;
  private Map<Path, String> toldProblems = Map.of();
  private boolean closed;

  private FileDatastore(Path root, FileLog log, FileChannel lock) {
    this.root = root;
    this.log = log;
    this.lock = lock;
    tree = new FileTree(root);
    memory =
        new InMemoryDatastore(
            new StoreId(log.store(), 1), log.revision(), List.copyOf(log.items()));
    poller =
        new ScheduledThreadPoolExecutor(
            1, Thread.ofPlatform().daemon().name("file-datastore").factory());
  }

  /// Opens the folder, which is made if need be, and finishes what a crash interrupted.
  ///
  /// @throws DatastoreException of kind INVALID when another process uses it, or its log is damaged
  public static FileDatastore open(Path root) throws DatastoreException {
    return open(root, POLL_INTERVAL);
  }

  static FileDatastore open(Path root, Duration pollInterval) throws DatastoreException {
    Path own = root.resolve(OWN_FOLDER);
    FileChannel lock = null;
    try {
      Files.createDirectories(own);
      Files.writeString(own.resolve(".gitignore"), "*\n");
      lock =
          FileChannel.open(
              own.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      if (lock.tryLock() == null) {
        lock.close();
        throw usedByAnother(root);
      }
      FileDatastore store = new FileDatastore(root, FileLog.open(own.resolve("log")), lock);
      store.begin(pollInterval);
      return store;
    } catch (OverlappingFileLockException sameProcess) {
      closeQuietly(lock);
      throw usedByAnother(root);
    } catch (IOException unusable) {
      closeQuietly(lock);
      throw new DatastoreException(
          Kind.INVALID, root.toString(), "can't be used: " + unusable.getMessage(), unusable);
    }
  }

  private static DatastoreException usedByAnother(Path root) {
    return new DatastoreException(
        Kind.INVALID, root.toString(), "another process uses this folder; stop it first");
  }

  private static void closeQuietly(@Nullable FileChannel channel) {
    if (channel != null) {
      try {
        channel.close();
      } catch (IOException closed) {
        // It held nothing.
      }
    }
  }

  private void begin(Duration pollInterval) throws IOException, DatastoreException {
    rollForward();
    scan();
    poller.scheduleWithFixedDelay(
        this::poll, pollInterval.toMillis(), pollInterval.toMillis(), TimeUnit.MILLISECONDS);
  }

  /// Files that a crash left behind what was committed get it now; a file that holds neither that
  /// nor what it held before was edited since, and stays.
  private void rollForward() throws IOException {
    for (Map.Entry<String, String> entry : Map.copyOf(log.unapplied()).entrySet()) {
      String key = entry.getKey();
      String before = entry.getValue();
      boolean untouched =
          switch (tree.look(key)) {
            case FileTree.Look.Gone() -> before.equals(FileLog.ABSENT);
            case FileTree.Look.Holds(String value) -> before.equals("=" + value);
            case FileTree.Look.Unchanged(), FileTree.Look.Bad() -> false;
          };
      if (untouched) {
        applyCommitted(key);
      } else {
        // The scan that follows takes it as the edit it is.
        tree.forget(key);
      }
    }
  }

  /// Brings one file to what is committed.
  private void applyCommitted(String key) throws IOException {
    Optional<KeyValue> item = committed(key);
    if (item.isEmpty()) {
      tree.delete(key);
      return;
    }
    try {
      tree.put(key, FileTree.textOf(key, item.get().value()));
    } catch (UnreadableException impossible) {
      throw new IllegalStateException("committed, but not writable: " + key, impossible);
    }
  }

  private Optional<KeyValue> committed(String key) {
    try {
      return memory.get(key);
    } catch (DatastoreException closedMemory) {
      throw new IllegalStateException(closedMemory);
    }
  }

  private void poll() {
    turn.lock();
    try {
      if (closed) {
        return;
      }
      scan();
      if (!log.unapplied().isEmpty()) {
        tree.sync();
        log.applied();
      }
    } catch (IOException | DatastoreException failed) {
      LOG.atWarn()
          .addKeyValue("folder", root)
          .addKeyValue("reason", failed.getMessage())
          .log("the datastore's files can't be looked at; trying again");
    } finally {
      turn.unlock();
    }
  }

  /// Takes in every edit by somebody else.
  private void scan() throws IOException, DatastoreException {
    refresh(keys());
    tellProblems();
  }

  /// All that there are, in files and as committed.
  private Set<String> keys() throws DatastoreException {
    try {
      Set<String> keys = new HashSet<>(tree.keys());
      memory.list("/").items().forEach(item -> keys.add(item.key()));
      return keys;
    } catch (IOException unreadable) {
      throw unreachable("looking through the folder", unreadable);
    }
  }

  private void refresh(Set<String> keys) throws IOException, DatastoreException {
    requireFolder();
    List<Txn.Write> edits = new ArrayList<>();
    for (String key : keys) {
      Optional<KeyValue> known = committed(key);
      switch (tree.look(key)) {
        case FileTree.Look.Unchanged(), FileTree.Look.Bad() -> {}
        case FileTree.Look.Gone() -> {
          if (known.isPresent()) {
            edits.add(new Txn.Write.Delete(key));
          }
        }
        case FileTree.Look.Holds(String value) -> {
          if (known.isEmpty() || !known.get().value().equals(value)) {
            edits.add(new Txn.Write.Put(key, value));
          }
        }
      }
    }
    for (int at = 0; at < edits.size(); at += Txn.MAX_OPERATIONS) {
      List<Txn.Write> some = edits.subList(at, Math.min(at + Txn.MAX_OPERATIONS, edits.size()));
      log.commit(memory.revision() + 1, some);
      remember(some);
      LOG.atInfo()
          .addKeyValue("folder", root)
          .addKeyValue("revision", memory.revision())
          .addKeyValue("keys", some.stream().map(Txn.Write::key).toList())
          .log("files were edited");
    }
  }

  /// A folder that is gone (an unmounted disk) is no order to delete everything.
  private void requireFolder() throws DatastoreException {
    if (!Files.exists(root.resolve(OWN_FOLDER).resolve("log"))) {
      throw new DatastoreException(
          Kind.UNREACHABLE, root.toString(), "the folder or its .margay/log has gone away");
    }
  }

  private void tellProblems() {
    Map<Path, String> now = new TreeMap<>(tree.problems());
    now.forEach(
        (file, problem) -> {
          if (!problem.equals(toldProblems.get(file))) {
            LOG.atWarn()
                .addKeyValue("file", file)
                .addKeyValue("problem", problem)
                .log("a file of the datastore can't be read; what it held last stays in force");
          }
        });
    toldProblems = now;
  }

  /// Files that can't be read, with what is wrong with each.
  public Map<Path, String> problems() {
    turn.lock();
    try {
      return Map.copyOf(tree.problems());
    } finally {
      turn.unlock();
    }
  }

  @Override
  public Optional<KeyValue> get(String key) throws DatastoreException {
    turn.lock();
    try {
      lookAt(Set.of(key), "reading " + key);
      return memory.get(key);
    } finally {
      turn.unlock();
    }
  }

  @Override
  public Listing getAll(List<String> keys) throws DatastoreException {
    turn.lock();
    try {
      lookAt(new HashSet<>(keys), "reading " + keys.size() + " keys");
      return memory.getAll(keys);
    } finally {
      turn.unlock();
    }
  }

  @Override
  public Listing list(String prefix) throws DatastoreException {
    turn.lock();
    try {
      requireOpen();
      scan();
      return memory.list(prefix);
    } catch (IOException unreadable) {
      throw unreachable("listing " + prefix, unreadable);
    } finally {
      turn.unlock();
    }
  }

  @Override
  public CommitResult commit(Txn txn) throws DatastoreException {
    turn.lock();
    try {
      return commitNow(txn);
    } finally {
      turn.unlock();
    }
  }

  private CommitResult commitNow(Txn txn) throws DatastoreException {
    if (txn.octets() > Txn.MAX_OCTETS) {
      throw invalid(
          "a transaction of "
              + txn.octets()
              + " octets is beyond the limit of "
              + Txn.MAX_OCTETS
              + "; split it");
    }
    Set<String> concerned = new HashSet<>();
    for (Txn.Condition condition : txn.conditions()) {
      if (condition instanceof Txn.Condition.Unchanged) {
        // Files that nobody has named yet may lie below it.
        concerned.addAll(keys());
      } else {
        concerned.add(condition.key());
      }
    }
    txn.writes().forEach(write -> concerned.add(write.key()));
    lookAt(concerned, "committing " + txn.writes().size() + " writes");
    CommitResult conditions = memory.commit(new Txn(txn.conditions(), List.of()));
    if (conditions instanceof CommitResult.Conflict) {
      return conditions;
    }
    List<Txn.Write> effective = new ArrayList<>();
    Map<String, String> texts = new TreeMap<>();
    for (Txn.Write write : txn.writes()) {
      prepare(write, texts).ifPresent(effective::add);
    }
    if (effective.isEmpty()) {
      return conditions;
    }
    try {
      log.commit(memory.revision() + 1, effective);
    } catch (IOException full) {
      throw new DatastoreException(
          Kind.OVERLOADED,
          root.toString(),
          "the disk refuses the commit, nothing was done: " + full.getMessage(),
          full);
    }
    remember(effective);
    apply(effective, texts);
    return new CommitResult.Committed(memory.revision());
  }

  /// What a write comes to: nothing for a deletion of what is not there, the one spelling for a
  /// resource.
  private Optional<Txn.Write> prepare(Txn.Write write, Map<String, String> texts)
      throws DatastoreException {
    Path file = root.resolve(FileLayout.fileOf(write.key()));
    String problem = tree.problems().get(file);
    if (problem != null) {
      throw invalid(
          file
              + " has an edit that can't be read ("
              + problem
              + "); mend or delete the file first");
    }
    switch (write) {
      case Txn.Write.Put(String key, String value) -> {
        try {
          String kept =
              FileLayout.resource(key).isPresent() ? ResourceYaml.canonical(value) : value;
          texts.put(key, FileTree.textOf(key, kept));
          return Optional.of(new Txn.Write.Put(key, kept));
        } catch (UnreadableException bad) {
          throw invalid("the value of " + key + " can't be kept in a file: " + bad.getMessage());
        }
      }
      case Txn.Write.Delete(String key) -> {
        return committed(key).map(_ -> write);
      }
    }
  }

  private void remember(List<Txn.Write> writes) throws DatastoreException {
    memory.commit(new Txn(List.of(), writes));
    if (memory.revision() % (HISTORY_REVISIONS / 10) == 0) {
      memory.compact(Math.max(0, memory.revision() - HISTORY_REVISIONS));
    }
  }

  /// The commit has happened; a file that can't be written is behind until the next start.
  private void apply(List<Txn.Write> writes, Map<String, String> texts) throws DatastoreException {
    try {
      for (Txn.Write write : writes) {
        String text = texts.get(write.key());
        if (text == null) {
          tree.delete(write.key());
        } else {
          tree.put(write.key(), text);
        }
      }
    } catch (IOException refused) {
      closeNow();
      throw new DatastoreException(
          Kind.UNREACHABLE,
          root.toString(),
          "committed, but a file can't be written; the store stops, and mends its files when it is"
              + " opened again: "
              + refused.getMessage(),
          refused);
    }
  }

  @Override
  public Watch watch(String prefix, long fromRevision, WatchListener listener) {
    return memory.watch(prefix, fromRevision, listener);
  }

  private void lookAt(Set<String> keys, String doing) throws DatastoreException {
    requireOpen();
    try {
      refresh(keys);
    } catch (IOException unreadable) {
      throw unreachable(doing, unreadable);
    }
  }

  private void requireOpen() throws DatastoreException {
    if (closed) {
      throw new DatastoreException(Kind.UNREACHABLE, root.toString(), "the store is closed");
    }
  }

  private DatastoreException invalid(String message) {
    return new DatastoreException(Kind.INVALID, root.toString(), message);
  }

  private DatastoreException unreachable(String doing, IOException cause) {
    return new DatastoreException(
        Kind.UNREACHABLE, root.toString(), doing + " failed: " + cause.getMessage(), cause);
  }

  @Override
  public void close() {
    turn.lock();
    try {
      if (!closed) {
        tree.sync();
        log.applied();
      }
    } catch (IOException nextOpenMends) {
      LOG.atWarn()
          .addKeyValue("folder", root)
          .addKeyValue("reason", nextOpenMends.getMessage())
          .log("the files could not be synced; the next start compares them");
    } finally {
      closeNow();
      turn.unlock();
    }
  }

  private void closeNow() {
    closed = true;
    poller.shutdownNow();
    memory.close();
    try (lock) {
      log.close();
    } catch (IOException alreadyClosed) {
      // Every line was forced to disk when it was written.
    }
  }
}
