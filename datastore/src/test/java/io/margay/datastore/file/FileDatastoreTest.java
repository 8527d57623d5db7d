package io.margay.datastore.file;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.margay.datastore.Change;
import io.margay.datastore.CommitResult;
import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreContract;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.DatastoreException.Kind;
import io.margay.datastore.KeyValue;
import io.margay.datastore.RecordingWatch;
import io.margay.datastore.Txn;
import io.margay.datastore.Watch;
import io.margay.datastore.WatchListener.WatchEnd;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The port's contract on a folder, and what people and crashes do to it.
class FileDatastoreTest extends DatastoreContract {

  private static final String POOL_KEY =
      "/calico/resources/v3/projectcalico.org/ippools/default-ipv4";
  private static final String POOL =
      """
      {"apiVersion":"projectcalico.org/v3","kind":"IPPool","metadata":{"name":"default-ipv4","annotations":{"a":"yes","n":"012","t":"2024-01-01"}},"spec":{"cidr":"10.0.0.0/16","natOutgoing":true,"f":1.50,"i":12345678901234567890}}\
      """;
  private static final Duration NEVER = Duration.ofHours(1);
  private static final Duration OFTEN = Duration.ofMillis(5);

  @TempDir private Path root;

  private FileDatastore store;

  @BeforeEach
  void open() throws DatastoreException {
    store = FileDatastore.open(root, NEVER);
  }

  @AfterEach
  void close() {
    store.close();
  }

  @Override
  protected Datastore store() {
    return store;
  }

  @Override
  protected void compact(long revision) throws Exception {
    // A folder's history is as long as the process lives.
    store.close();
    store = FileDatastore.open(root, NEVER);
  }

  /// A folder has no pages; each key is a file to write and sync.
  @Override
  protected int many() {
    return 300;
  }

  private Path poolFile() {
    return root.resolve("ippools/default-ipv4.yaml");
  }

  private long put(String key, String value) throws DatastoreException {
    return ((CommitResult.Committed) store.commit(Txn.builder().put(key, value).build()))
        .revision();
  }

  @Test
  void a_resource_is_a_yaml_file_and_comes_back_as_the_same_json() throws Exception {
    put(POOL_KEY, POOL);
    assertThat(Files.readString(poolFile()))
        .startsWith("apiVersion: projectcalico.org/v3\nkind: IPPool\n")
        .contains("\n    a: \"yes\"\n")
        .contains("\n    \"n\": \"012\"\n")
        .contains("\n  f: 1.50\n");
    assertThat(store.get(POOL_KEY)).map(KeyValue::value).contains(POOL);
    store.close();
    store = FileDatastore.open(root, NEVER);
    assertThat(store.get(POOL_KEY)).map(KeyValue::value).contains(POOL);
  }

  @Test
  void revisions_go_on_after_a_restart_and_an_untouched_file_keeps_its_own() throws Exception {
    long first = put(POOL_KEY, POOL);
    long second = put("/margay/v1/x", "1");
    store.close();
    store = FileDatastore.open(root, NEVER);
    assertThat(store.get(POOL_KEY).orElseThrow().modRevision()).isEqualTo(first);
    assertThat(store.list("/").revision()).isEqualTo(second);
    assertThat(put("/margay/v1/x", "2")).isEqualTo(second + 1);
  }

  @Test
  void an_edit_by_hand_is_a_commit_of_its_own_and_seen_by_whoever_compares() throws Exception {
    put(POOL_KEY, POOL);
    KeyValue read = store.get(POOL_KEY).orElseThrow();
    edit(poolFile(), Files.readString(poolFile()).replace("10.0.0.0/16", "10.1.0.0/16"));
    CommitResult result = store.commit(Txn.replace(read, POOL));
    assertThat(result).isInstanceOf(CommitResult.Conflict.class);
    KeyValue now = ((CommitResult.Conflict) result).current(POOL_KEY).orElseThrow();
    assertThat(now.value()).isEqualTo(POOL.replace("10.0.0.0/16", "10.1.0.0/16"));
    assertThat(now.modRevision()).isGreaterThan(read.modRevision());
  }

  @Test
  void a_folder_has_changed_when_somebody_has_put_a_file_into_it() throws Exception {
    put(POOL_KEY, POOL);
    String folder = POOL_KEY.substring(0, POOL_KEY.lastIndexOf('/') + 1);
    Txn unchanged = Txn.builder().ifUnchanged(folder, store.list(folder).revision()).build();
    assertThat(store.commit(unchanged)).isInstanceOf(CommitResult.Committed.class);
    edit(
        root.resolve("ippools/other.yaml"),
        Files.readString(poolFile()).replace("default-ipv4", "other"));
    assertThat(store.commit(unchanged)).isInstanceOf(CommitResult.Conflict.class);
  }

  @Test
  void a_watch_sees_files_made_edited_and_deleted_by_others() throws Exception {
    store.close();
    store = FileDatastore.open(root, OFTEN);
    RecordingWatch seen = new RecordingWatch();
    try (Watch watch = store.watch("/", store.list("/").revision() + 1, seen)) {
      assertThat(watch).isNotNull();
      edit(
          poolFile(),
          "kind: IPPool\nmetadata:\n  name: default-ipv4\n# ours\nspec: {cidr: 10.9.0.0/16}\n");
      seen.await(now -> now.changes().size() == 1);
      assertThat(((Change.Put) seen.changes().getFirst()).item().value())
          .isEqualTo(
              "{\"kind\":\"IPPool\",\"metadata\":{\"name\":\"default-ipv4\"},\"spec\":{\"cidr\":\"10.9.0.0/16\"}}");
      Files.delete(poolFile());
      seen.await(now -> now.changes().size() == 2);
      assertThat(seen.changes().getLast()).isInstanceOf(Change.Delete.class);
      put(POOL_KEY, POOL);
      seen.await(now -> now.changes().size() == 3);
    }
  }

  @Test
  void a_bad_file_is_reported_and_what_it_held_stays_in_force() throws Exception {
    put(POOL_KEY, POOL);
    edit(poolFile(), "kind: [unclosed\n");
    assertThat(store.list("/").items()).extracting(KeyValue::value).contains(POOL);
    assertThat(store.problems()).containsOnlyKeys(poolFile());
    assertThat(store.problems().get(poolFile())).contains("not YAML").contains("line");
    assertInvalid(() -> put(POOL_KEY, POOL), "mend or delete");
    // Also over a restart.
    store.close();
    store = FileDatastore.open(root, NEVER);
    assertThat(store.get(POOL_KEY)).map(KeyValue::value).contains(POOL);
    edit(poolFile(), "kind: IPPool\nmetadata: {name: default-ipv4}\n");
    assertThat(store.get(POOL_KEY))
        .map(KeyValue::value)
        .contains("{\"kind\":\"IPPool\",\"metadata\":{\"name\":\"default-ipv4\"}}");
    assertThat(store.problems()).isEmpty();
  }

  @Test
  void a_file_in_the_wrong_place_is_reported_with_what_its_place_says() throws Exception {
    edit(root.resolve("ippools/other.yaml"), "kind: IPPool\nmetadata: {name: default-ipv4}\n");
    edit(root.resolve("networkpolicies/no-namespace.yaml"), "kind: NetworkPolicy\n");
    edit(root.resolve("tiers/two.yaml"), "kind: Tier\nmetadata: {name: two}\n---\nkind: Tier\n");
    edit(root.resolve("tiers/twice.yaml"), "kind: Tier\nkind: Tier\nmetadata: {name: twice}\n");
    edit(root.resolve("tiers/short.yml"), "kind: Tier\n");
    edit(root.resolve("tiers/README.md"), "notes");
    assertThat(store.list("/").items()).isEmpty();
    assertThat(store.problems())
        .containsOnlyKeys(
            root.resolve("ippools/other.yaml"),
            root.resolve("networkpolicies/no-namespace.yaml"),
            root.resolve("tiers/two.yaml"),
            root.resolve("tiers/twice.yaml"),
            root.resolve("tiers/short.yml"));
    assertThat(store.problems().get(root.resolve("ippools/other.yaml")))
        .isEqualTo("metadata.name: is \"default-ipv4\", but the file's place says \"other\"");
  }

  @Test
  void a_resource_that_is_not_json_is_refused_and_nothing_is_written() {
    assertInvalid(() -> put(POOL_KEY, "{\"a\":"), "JSON");
    assertInvalid(() -> put(POOL_KEY, ""), "JSON");
    assertInvalid(() -> put(POOL_KEY, "{\"a\":1,\"a\":2}"), "JSON");
    assertThat(poolFile()).doesNotExist();
  }

  @Test
  void a_second_process_is_refused() {
    assertInvalid(() -> FileDatastore.open(root), "another process");
  }

  @Test
  void a_folder_that_goes_away_deletes_nothing() throws Exception {
    put(POOL_KEY, POOL);
    Path away = root.resolveSibling(root.getFileName() + "-away");
    Files.move(root, away);
    try {
      assertThatThrownBy(() -> store.list("/"))
          .isInstanceOfSatisfying(
              DatastoreException.class,
              failure -> assertThat(failure.kind()).isEqualTo(Kind.UNREACHABLE));
    } finally {
      Files.move(away, root);
    }
    assertThat(store.get(POOL_KEY)).isPresent();
  }

  /// The log is cut at every octet a crash could have left it at, and any number of the commit's
  /// files is written: afterwards all three keys are old, or all three are new.
  @Test
  void a_crash_in_the_middle_of_a_commit_leaves_all_of_it_or_nothing() throws Exception {
    List<String> keys = List.of("/a/1", "/a/2", POOL_KEY);
    for (String key : keys) {
      put(key, POOL);
    }
    store.close();
    Path log = root.resolve(".margay/log");
    byte[] before = Files.readAllBytes(log);
    String next = POOL.replace("10.0.0.0/16", "10.7.0.0/16");
    try (FileLog writing = FileLog.open(log)) {
      writing.commit(
          writing.revision() + 1,
          keys.stream().map(key -> (Txn.Write) new Txn.Write.Put(key, next)).toList());
    }
    byte[] after = Files.readAllBytes(log);
    int line = after.length - before.length;
    for (int octets = 0; octets <= line; octets += octets < line - 4 ? 7 : 1) {
      assertWholeAfterCrash(Arrays.copyOf(after, before.length + octets), 0, octets == line, next);
    }
    for (int files = 0; files <= keys.size(); files++) {
      assertWholeAfterCrash(after, files, true, next);
    }
    store = FileDatastore.open(root, NEVER);
  }

  private void assertWholeAfterCrash(byte[] log, int files, boolean committed, String next)
      throws Exception {
    List<String> keys = List.of("/a/1", "/a/2", POOL_KEY);
    FileTree tree = new FileTree(root);
    for (int i = 0; i < keys.size(); i++) {
      tree.put(keys.get(i), FileTree.textOf(keys.get(i), i < files ? next : POOL));
    }
    Files.write(root.resolve(".margay/log"), log);
    try (FileDatastore reopened = FileDatastore.open(root, NEVER)) {
      assertThat(reopened.list("/").items())
          .as("log of %d octets, %d files", log.length, files)
          .extracting(KeyValue::value)
          .containsOnly(committed ? next : POOL);
    }
    for (String key : keys) {
      assertThat(Files.readString(root.resolve(FileLayout.fileOf(key))))
          .isEqualTo(FileTree.textOf(key, committed ? next : POOL));
    }
  }

  @Test
  void an_edit_between_a_crash_and_the_restart_is_kept() throws Exception {
    put(POOL_KEY, POOL);
    store.close();
    try (FileLog writing = FileLog.open(root.resolve(".margay/log"))) {
      writing.commit(
          writing.revision() + 1,
          List.of(new Txn.Write.Put(POOL_KEY, POOL.replace("10.0.0.0/16", "10.7.0.0/16"))));
    }
    String byHand = "kind: IPPool\nmetadata: {name: default-ipv4}\nspec: {cidr: 10.8.0.0/16}\n";
    edit(poolFile(), byHand);
    store = FileDatastore.open(root, NEVER);
    assertThat(store.get(POOL_KEY).orElseThrow().value()).contains("10.8.0.0/16");
    assertThat(Files.readString(poolFile())).isEqualTo(byHand);
  }

  @Test
  void a_damaged_log_is_refused_with_the_way_out() throws Exception {
    put(POOL_KEY, POOL);
    put(POOL_KEY, POOL);
    store.close();
    Path log = root.resolve(".margay/log");
    byte[] octets = Files.readAllBytes(log);
    octets[20] ^= 1;
    Files.write(log, octets);
    assertInvalid(() -> FileDatastore.open(root), "move it away");
    Files.delete(log);
    store = FileDatastore.open(root, NEVER);
    assertThat(store.get(POOL_KEY)).map(KeyValue::value).contains(POOL);
  }

  @Test
  void a_watch_from_before_the_start_is_told_to_list() throws Exception {
    long old = put(POOL_KEY, POOL);
    store.close();
    store = FileDatastore.open(root, NEVER);
    RecordingWatch seen = new RecordingWatch();
    try (Watch watch = store.watch("/", old, seen)) {
      assertThat(watch).isNotNull();
      seen.await(now -> !now.ends().isEmpty());
      assertThat(seen.ends().getFirst()).isInstanceOf(WatchEnd.Compacted.class);
    }
  }

  @Test
  void nothing_of_ours_but_the_files_is_left_behind() throws Exception {
    put(POOL_KEY, POOL);
    put("/margay/v1/x", "1");
    try (Stream<Path> all = Files.walk(root)) {
      assertThat(all.filter(Files::isRegularFile).map(file -> root.relativize(file).toString()))
          .containsExactlyInAnyOrder(
              ".margay/.gitignore",
              ".margay/lock",
              ".margay/log",
              "_keys/margay/v1/x.value",
              "ippools/default-ipv4.yaml");
    }
  }

  private static void edit(Path file, String text) throws IOException {
    Files.createDirectories(file.getParent());
    // As editors do: another file in its place.
    Path fresh = file.resolveSibling("." + file.getFileName() + ".swp");
    Files.writeString(fresh, text);
    Files.move(fresh, file, StandardCopyOption.REPLACE_EXISTING);
  }

  private static void assertInvalid(
      org.assertj.core.api.ThrowableAssert.ThrowingCallable call, String words) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(
            DatastoreException.class,
            failure -> {
              assertThat(failure.kind()).isEqualTo(Kind.INVALID);
              assertThat(failure).hasMessageContaining(words);
            });
  }
}
