package io.margay.cli.datastore;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.cli.datastore.DatastoreCommandsFixture.Result;
import io.margay.datastore.CommitResult;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.InMemoryDatastore;
import io.margay.datastore.KeyValue;
import io.margay.datastore.Listing;
import io.margay.datastore.Txn;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ExportImportTest {

  private static final String RESOURCES = "/calico/resources/v3/projectcalico.org/";
  private static final String IPAM = "/calico/ipam/v2/";
  private static final String BLOCK =
      "{\"cidr\":\"10.65.0.0/30\",\"affinity\":\"host:n1\",\"allocations\":[0,null,null,null],"
          + "\"unallocated\":[1,2,3],\"attributes\":[{\"handle_id\":\"k8s-pod-network.c1\","
          + "\"secondary\":{\"namespace\":\"ns\",\"node\":\"n1\",\"pod\":\"a\\u003cb\"}}],"
          + "\"sequenceNumber\":1700000000000000001,"
          + "\"sequenceNumberForAllocation\":{\"0\":1700000000000000000},\"deleted\":false}";

  @TempDir private Path directory;

  private final InMemoryDatastore store = new InMemoryDatastore();
  private final InMemoryDatastore other = new InMemoryDatastore();
  private final DatastoreCommandsFixture margay =
      new DatastoreCommandsFixture(_ -> new KeptOpen(store));
  private final DatastoreCommandsFixture elsewhere =
      new DatastoreCommandsFixture(_ -> new KeptOpen(other));
  private Path file;

  @BeforeEach
  void fill() throws Exception {
    file = directory.resolve("cluster.export");
    putRaw(
        DatastoreLock.KEY,
        resource(
            "ClusterInformation",
            "default",
            "",
            "{\"clusterGUID\":\"5f2b8a0c9e7d4c1b8a6f3e2d1c0b9a88\",\"datastoreReady\":false}"));
    // As Go writes it: null birthdays, escaped angle brackets.
    putRaw(
        RESOURCES + "ippools/p",
        "{\"kind\":\"IPPool\",\"apiVersion\":\"projectcalico.org/v3\",\"metadata\":{\"name\":\"p\","
            + "\"uid\":\"u-p\",\"creationTimestamp\":\"2025-01-01T00:00:00Z\","
            + "\"annotations\":{\"note\":\"a\\u003cb \\u0026 yes\"}},"
            + "\"spec\":{\"cidr\":\"10.65.0.0/24\",\"blockSize\":30,\"ipipMode\":\"Never\","
            + "\"vxlanMode\":\"Never\",\"natOutgoing\":true,\"nodeSelector\":\"all()\"}}");
    putRaw(RESOURCES + "tiers/t", resource("Tier", "t", "", "{\"order\":10}"));
    putRaw(
        RESOURCES + "networkpolicies/ns/np",
        resource(
            "NetworkPolicy",
            "np",
            ",\"namespace\":\"ns\"",
            "{\"tier\":\"t\",\"order\":1.5,\"future\":{\"x\":[1,null]},\"selector\":\"a == 'yes'\","
                + "\"ingress\":[{\"action\":\"Allow\"}],\"types\":[\"Ingress\"]}"));
    putRaw(RESOURCES + "globalnetworkpolicies/broken", "{\"spec\":{\"order\":\"first\"}}");
    putRaw(RESOURCES + "futurekinds/x", "{\"kind\":\"FutureKind\"}");
    putRaw(IPAM + "assignment/ipv4/block/10.65.0.0-30", BLOCK);
    putRaw(IPAM + "host/n1/ipv4/block/10.65.0.0-30", "{\"state\":\"confirmed\"}");
    putRaw(IPAM + "host/n2/ipv4/block/10.65.0.4-30", "");
    putRaw(IPAM + "host/n1", "marker");
    putRaw(
        IPAM + "handle/k8s-pod-network.c1", "{\"block\":{\"10.65.0.0/30\":1},\"deleted\":false}");
    putRaw(IPAM + "config", "{\"strict_affinity\":false,\"auto_allocate_blocks\":true}");
    putRaw("/margay/v1/pods/ns/web", "{\"labels\":{}}");
    putRaw("/margay/v1/agents/n1", "{\"at\":1}");
    putRaw("/calico/felix/v2/no-region/host/n1/status", "{}");
  }

  private static String resource(String kind, String name, String metadata, String spec) {
    return "{\"kind\":\"%s\",\"apiVersion\":\"projectcalico.org/v3\",\"metadata\":{\"name\":\"%s\"%s,\"uid\":\"u-%s\",\"creationTimestamp\":\"2025-01-01T00:00:00Z\"},\"spec\":%s}"
        .formatted(kind, name, metadata, name, spec);
  }

  private void putRaw(String key, String value) throws Exception {
    store.commit(Txn.builder().put(key, value).build());
  }

  private Result export() {
    Result exported = margay.run("datastore", "export", "-o", file.toString());
    assertThat(exported.code()).as(exported.err()).isZero();
    return exported;
  }

  private Result importInto(DatastoreCommandsFixture target, String... more) {
    List<String> arguments = new ArrayList<>(List.of("datastore", "import", "-f", file.toString()));
    arguments.addAll(List.of(more));
    return target.run(arguments.toArray(String[]::new));
  }

  @Test
  void a_copy_of_a_copy_is_the_copy_octet_for_octet() throws Exception {
    export();
    Result imported = importInto(elsewhere);
    assertThat(imported.err()).isEmpty();
    assertThat(imported.code()).isZero();
    assertThat(imported.out())
        .isEqualTo(
            """
            The datastore was empty; it is locked now.
            imported FILE: 13 documents written, 0 unchanged
            verified: all 13 documents are there as in the file
            The datastore is locked. To let agents assign addresses: margay datastore unlock
            """
                .replace("FILE", file.toString()));

    Path again = directory.resolve("again.export");
    elsewhere.run("datastore", "export", "-o", again.toString());
    assertThat(again).hasSameTextualContentAs(file);
    for (KeyValue item : store.list(IPAM).items()) {
      assertThat(other.get(item.key()).orElseThrow().value()).isEqualTo(item.value());
    }
    assertThat(other.get("/margay/v1/pods/ns/web")).isPresent();
    assertThat(other.get(RESOURCES + "futurekinds/x")).isPresent();
    assertThat(other.get(RESOURCES + "globalnetworkpolicies/broken")).isPresent();
    assertThat(other.get("/margay/v1/agents/n1")).isEmpty();
    assertThat(other.get("/calico/felix/v2/no-region/host/n1/status")).isEmpty();
  }

  @Test
  void a_document_that_yaml_would_change_is_copied_as_it_is() throws Exception {
    String marked =
        resource("Node", "n9", ",\"annotations\":{\"\u0085\":\"v\",\"\u2028\":\"v\"}", "{}");
    putRaw(RESOURCES + "nodes/n9", marked);
    assertThat(export().err()).contains(RESOURCES + "nodes/n9");
    assertThat(importInto(elsewhere).code()).isZero();
    assertThat(other.get(RESOURCES + "nodes/n9").orElseThrow().value()).isEqualTo(marked);
  }

  @Test
  void identity_and_unknown_fields_come_along() throws Exception {
    export();
    importInto(elsewhere);
    assertThat(other.get(RESOURCES + "networkpolicies/ns/np").orElseThrow().value())
        .isEqualTo(store.get(RESOURCES + "networkpolicies/ns/np").orElseThrow().value());
    assertThat(other.get(RESOURCES + "ippools/p").orElseThrow().value())
        .contains("\"uid\":\"u-p\"", "\"creationTimestamp\":\"2025-01-01T00:00:00Z\"", "a<b & yes");
  }

  @Test
  void the_file_has_calicoctls_three_parts_and_referents_first() throws Exception {
    Result exported = export();
    String[] parts = Files.readString(file).split("===\n", -1);
    assertThat(parts).hasSize(3);
    assertThat(parts[0]).startsWith("# Margay datastore export, format 1\n---\nkind: \"Tier\"\n");
    assertThat(parts[0].indexOf("kind: \"IPPool\"")).isLessThan(parts[0].indexOf("NetworkPolicy"));
    assertThat(Trees.parse(parts[1]).path("spec").path("clusterGUID").asText()).hasSize(32);
    assertThat(Trees.parse(parts[2]).path("blocks").get(0).path("Key").asText())
        .isEqualTo(IPAM + "assignment/ipv4/block/10.65.0.0-30");
    assertThat(Trees.parse(parts[2]).path("handles")).hasSize(1);
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
        .isEqualTo("rw-------");
    assertThat(exported.err())
        .startsWith("exported 4 resources, 5 IPAM documents and 4 other keys, as of revision ")
        .contains(
            "2 copied as they are, because this version can't read them:\n  "
                + RESOURCES
                + "globalnetworkpolicies/broken\n  "
                + RESOURCES
                + "futurekinds/x\n");
  }

  @Test
  void an_unlocked_datastore_is_copied_only_if_that_is_accepted() {
    margay.run("datastore", "unlock");
    Result refused = margay.run("datastore", "export");
    assertThat(refused.code()).isEqualTo(1);
    assertThat(refused.out()).isEmpty();
    assertThat(refused.err()).contains("margay datastore lock", "--allow-unlocked");

    Result accepted = margay.run("datastore", "export", "--allow-unlocked");
    assertThat(accepted.code()).isZero();
    assertThat(accepted.err()).startsWith("warning: the datastore is not locked");
    assertThat(accepted.out()).startsWith(ExportFormat.HEADER).endsWith("\"\n}\n");
  }

  @Test
  void secrets_are_copied_only_when_asked_for() throws Exception {
    putRaw("/margay/v1/secrets/tor", "hunter2");
    Result without = margay.run("datastore", "export");
    assertThat(without.out()).doesNotContain("hunter2");
    assertThat(without.err()).contains("/margay/v1/secrets/tor", "--include-secrets");
    Result with = margay.run("datastore", "export", "--include-secrets");
    assertThat(with.out()).contains("hunter2");
    assertThat(with.err()).doesNotContain("hunter2", "left out");
  }

  @Test
  void what_changes_while_it_is_copied_is_not_in_the_copy() throws Exception {
    String still = margay.run("datastore", "export").out();
    DatastoreCommandsFixture restless =
        new DatastoreCommandsFixture(
            _ ->
                new KeptOpen(store) {
                  @Override
                  public Listing page(String prefix, String after, int limit, long revision)
                      throws DatastoreException {
                    Listing page = super.page(prefix, after, limit, revision);
                    store.commit(
                        Txn.builder()
                            .put(RESOURCES + "nodes/late", resource("Node", "late", "", "{}"))
                            .delete(RESOURCES + "networkpolicies/ns/np")
                            .delete(IPAM + "handle/k8s-pod-network.c1")
                            .build());
                    return page;
                  }
                });
    assertThat(restless.run("datastore", "export").out()).isEqualTo(still);
  }

  @Test
  void a_failed_export_leaves_no_file_behind() throws Exception {
    Files.writeString(file, "of yesterday");
    DatastoreCommandsFixture failing =
        new DatastoreCommandsFixture(
            _ ->
                new KeptOpen(store) {
                  @Override
                  public Listing page(String prefix, String after, int limit, long revision)
                      throws DatastoreException {
                    if (prefix.startsWith(IPAM)) {
                      throw new DatastoreException(
                          DatastoreException.Kind.UNREACHABLE, "http://x:1", "listing failed");
                    }
                    return super.page(prefix, after, limit, revision);
                  }
                });
    Result failed = failing.run("datastore", "export", "-o", file.toString());
    assertThat(failed.code()).isEqualTo(3);
    assertThat(file).hasContent("of yesterday");
    assertThat(directory).isDirectoryNotContaining("glob:**.part");
  }

  @Test
  void three_bad_documents_of_a_thousand_are_named_and_nothing_is_written() throws Exception {
    String documents =
        IntStream.rangeClosed(1, 1_000)
            .mapToObj(
                i ->
                    """
                    ---
                    apiVersion: projectcalico.org/v3
                    kind: %s
                    metadata: {name: set-%d}
                    spec: {nets: [%s]}
                    """
                        .formatted(
                            i == 700 ? "GlobalNetworkSett" : "GlobalNetworkSet",
                            i,
                            i == 17 ? "10.0.0.0/33" : "10.0.0.0/24"))
            .collect(Collectors.joining())
            .replace("metadata: {name: set-999}", "metadata: {name: [}");
    Files.writeString(file, documents + "===\nnull\n===\n{}\n");
    long revision = other.revision();

    Result refused = importInto(elsewhere);
    assertThat(refused.code()).isEqualTo(1);
    assertThat(refused.err())
        .contains(
            file + ": document 17: spec.nets[0]: ",
            file + ": document 700: kind: \"GlobalNetworkSett\"",
            file + ": document 999: ",
            "3 problems in " + file + "; nothing was written");
    assertThat(other.revision()).isEqualTo(revision);
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = '|',
      value = {
        "a block's free list | \"unallocated\":[1,2,3] | \"unallocated\":[1,2] | blocks[0]: unreadable",
        "a claim's state | confirmed | perhaps | block_affinities[0]: unreadable",
        "a key elsewhere | /calico/ipam/v2/handle/k8s | /calico/ipam/v2/hande/k8s | handles[0]: ",
        "somebody else's key | \"/margay/v1/pods/ns/web\" | \"/registry/pods/x\" | neither Calico's nor Margay's",
        "another format | \"format\": 1 | \"format\": 2 | format 2 is not 1",
      })
  void bad_ipam_documents_are_named(String name, String good, String bad, String problem)
      throws Exception {
    export();
    String text = Files.readString(file);
    assertThat(text).as(name).contains(good);
    Files.writeString(file, text.replace(good, bad).replace("\\\"unallocated", "\\\"unall"));
    Result refused = importInto(elsewhere, "--no-checksum");
    assertThat(refused.code()).isEqualTo(1);
    assertThat(refused.err()).contains(problem, "nothing was written");
    assertThat(other.list("/").items()).isEmpty();
  }

  @Test
  void a_changed_file_is_refused_unless_the_change_is_wanted() throws Exception {
    export();
    Files.writeString(file, Files.readString(file).replace("order: 10\n", "order: 20\n"));
    Result refused = importInto(elsewhere);
    assertThat(refused.code()).isEqualTo(2);
    assertThat(refused.err()).contains("checksum does not match", "--no-checksum");
    assertThat(other.list("/").items()).isEmpty();
    assertThat(importInto(elsewhere, "--no-checksum").code()).isZero();
    assertThat(other.get(RESOURCES + "tiers/t").orElseThrow().value()).contains("\"order\":20");
  }

  @ParameterizedTest(name = "at {0} %")
  @CsvSource({"10", "40", "60", "80", "99"})
  void a_truncated_file_writes_nothing(int percent) throws Exception {
    export();
    String text = Files.readString(file);
    Files.writeString(file, text.substring(0, text.length() * percent / 100));
    Result refused = importInto(elsewhere, "--no-checksum");
    assertThat(refused.code()).isEqualTo(1);
    assertThat(refused.err()).contains("end is missing");
    assertThat(other.list("/").items()).isEmpty();
  }

  @Test
  void a_datastore_with_other_things_is_refused_and_they_are_named() throws Exception {
    export();
    other.commit(
        Txn.builder()
            .put(RESOURCES + "tiers/t", resource("Tier", "t", "", "{\"order\":11}"))
            .put(RESOURCES + "nodes/mine", resource("Node", "mine", "", "{}"))
            .build());
    elsewhere.run("datastore", "lock");
    long revision = other.revision();
    Result refused = importInto(elsewhere);
    assertThat(refused.code()).isEqualTo(1);
    assertThat(refused.err())
        .contains(
            "1 keys differ from the file:\n  " + RESOURCES + "tiers/t\n",
            "1 keys are not in the file:\n  " + RESOURCES + "nodes/mine\n",
            "--force");
    assertThat(other.revision()).isEqualTo(revision);

    Result forced = importInto(elsewhere, "--force");
    assertThat(forced.code()).as(forced.err()).isZero();
    assertThat(forced.out())
        .contains("13 documents written", "1 keys that are not in the file stay");
    assertThat(other.get(RESOURCES + "tiers/t").orElseThrow().value()).contains("\"order\":10");
  }

  @Test
  void an_unlocked_target_is_refused() throws Exception {
    export();
    elsewhere.run("datastore", "unlock");
    Result refused = importInto(elsewhere);
    assertThat(refused.code()).isEqualTo(1);
    assertThat(refused.err()).contains("not locked", "Nothing was written");
    assertThat(other.list("/").items()).hasSize(1);
  }

  @Test
  void a_dry_run_compares_and_writes_nothing() throws Exception {
    export();
    Result dry = importInto(elsewhere, "--dry-run");
    assertThat(dry.code()).isZero();
    assertThat(dry.out()).contains("13 documents, all good; 0 of them are there already");
    assertThat(other.list("/").items()).isEmpty();
  }

  private void addSets(int count) throws Exception {
    for (int i = 0; i < count; i++) {
      String name = "set-%04d".formatted(i);
      putRaw(
          RESOURCES + "globalnetworksets/" + name,
          resource("GlobalNetworkSet", name, "", "{\"nets\":[\"10.0.0.0/24\"]}"));
    }
  }

  @Test
  void an_interrupted_import_says_how_far_it_came_and_a_second_run_completes_it() throws Exception {
    addSets(350);
    export();
    AtomicInteger batches = new AtomicInteger();
    elsewhere.stopWhen(() -> batches.incrementAndGet() > 2);
    Result stopped = importInto(elsewhere);
    assertThat(stopped.code()).isEqualTo(1);
    assertThat(stopped.err())
        .contains(
            "interrupted\n",
            "stopped: 200 of 363 documents written, 0 were there before;",
            "everything in the file up to " + RESOURCES + "globalnetworksets/set-",
            "and nothing behind it",
            "Run the same command again");

    elsewhere.stopWhen(() -> false);
    Result completed = importInto(elsewhere);
    assertThat(completed.code()).as(completed.err()).isZero();
    assertThat(completed.out())
        .contains("163 documents written, 200 unchanged", "verified: all 363");
    long revision = other.revision();
    assertThat(importInto(elsewhere).out()).contains("0 documents written, 363 unchanged");
    assertThat(other.revision()).isEqualTo(revision);
  }

  @Test
  void a_lost_answer_is_neither_a_failure_nor_written_twice() throws Exception {
    addSets(150);
    export();
    AtomicInteger calls = new AtomicInteger();
    DatastoreCommandsFixture lossy =
        new DatastoreCommandsFixture(
            _ ->
                new KeptOpen(other) {
                  @Override
                  public CommitResult commit(Txn txn) throws DatastoreException {
                    boolean isLost = txn.writes().size() > 1 && calls.incrementAndGet() % 2 == 1;
                    CommitResult result = super.commit(txn);
                    if (isLost) {
                      throw new DatastoreException(
                          DatastoreException.Kind.DEADLINE, "http://x:1", "no answer");
                    }
                    return result;
                  }
                });
    Result imported = importInto(lossy);
    assertThat(imported.code()).as(imported.err()).isZero();
    assertThat(imported.out()).contains("163 documents written", "verified: all 163");
  }

  @Test
  void somebody_elses_write_ends_the_import_and_is_not_written_over() throws Exception {
    addSets(150);
    export();
    DatastoreCommandsFixture raced =
        new DatastoreCommandsFixture(
            _ ->
                new KeptOpen(other) {
                  @Override
                  public CommitResult commit(Txn txn) throws DatastoreException {
                    if (txn.writes().size() > 1) {
                      other.commit(Txn.builder().put(RESOURCES + "tiers/t", "theirs").build());
                    }
                    return super.commit(txn);
                  }
                });
    Result stopped = importInto(raced);
    assertThat(stopped.code()).isEqualTo(1);
    assertThat(stopped.err())
        .contains("somebody else writes", RESOURCES + "tiers/t", "nothing was written");
    assertThat(other.get(RESOURCES + "tiers/t").orElseThrow().value()).isEqualTo("theirs");
  }

  @Test
  void what_calicoctl_exports_is_imported_and_gets_identities() throws Exception {
    Files.writeString(
        file,
        """
        apiVersion: projectcalico.org/v3
        items:
        - apiVersion: projectcalico.org/v3
          kind: IPPool
          metadata:
            creationTimestamp: null
            name: default-ipv4-ippool
          spec:
            allowedUses:
            - Workload
            - Tunnel
            blockSize: 26
            cidr: 10.244.0.0/16
            ipipMode: Never
            natOutgoing: true
            nodeSelector: all()
            vxlanMode: Never
        kind: IPPoolList
        metadata:
          resourceVersion: "1234"
        ---
        apiVersion: projectcalico.org/v3
        items: []
        kind: BGPPeerList
        metadata:
          resourceVersion: "1234"
        ---
        ===
        {
          "kind": "ClusterInformation",
          "apiVersion": "projectcalico.org/v3",
          "metadata": {"name": "default", "uid": "u-1", "resourceVersion": "77",
            "creationTimestamp": "2024-05-05T05:05:05Z"},
          "spec": {"clusterGUID": "0123456789abcdef0123456789abcdef", "clusterType": "k8s,bgp",
            "calicoVersion": "v3.31.2", "datastoreReady": false}
        }
        ===
        {
          "block_affinities": [
            {"Key": "/calico/ipam/v2/host/n1/ipv4/block/10.244.0.0-30",
             "Value": {"state": "confirmed", "deleted": false}, "TTL": 0}
          ]
        }
        """);
    Result imported = importInto(elsewhere);
    assertThat(imported.code()).as(imported.err()).isZero();
    assertThat(imported.err()).contains("it has no checksum");
    String pool = other.get(RESOURCES + "ippools/default-ipv4-ippool").orElseThrow().value();
    assertThat(pool).contains("\"uid\":\"", "\"creationTimestamp\":\"2026-01-31T12:00:00Z\"");
    assertThat(pool).doesNotContain("null", "resourceVersion");
    assertThat(other.get(IPAM + "host/n1/ipv4/block/10.244.0.0-30").orElseThrow().value())
        .isEqualTo("{\"state\":\"confirmed\",\"deleted\":false}");

    assertThat(importInto(elsewhere).out()).contains("0 documents written, 3 unchanged");
    assertThat(other.get(RESOURCES + "ippools/default-ipv4-ippool").orElseThrow().value())
        .isEqualTo(pool);
  }

  @Test
  void standard_input_is_a_file_too() throws Exception {
    export();
    elsewhere.standardInput(Files.readString(file).getBytes(StandardCharsets.UTF_8));
    Result imported = elsewhere.run("datastore", "migrate", "import", "-f", "-");
    assertThat(imported.code()).as(imported.err()).isZero();
    assertThat(imported.out()).contains("imported -: 13 documents written");
  }

  @Test
  void a_missing_file_is_one_line() {
    Result missing = importInto(elsewhere);
    assertThat(missing.code()).isEqualTo(2);
    assertThat(missing.err()).isEqualTo(file + ": no such file\n");
  }
}
