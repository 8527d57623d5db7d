package io.margay.cli.ipam;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.cli.resource.DatastoreOptions;
import io.margay.datastore.CommitResult;
import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.InMemoryDatastore;
import io.margay.datastore.KeyValue;
import io.margay.datastore.Listing;
import io.margay.datastore.Txn;
import io.margay.datastore.Watch;
import io.margay.datastore.WatchListener;
import io.margay.ipam.AssignRequest;
import io.margay.ipam.AssignResult;
import io.margay.ipam.Ipam;
import io.margay.ipam.IpamKeys;
import io.margay.ipam.Pool;
import io.margay.ipam.Pools;
import io.margay.ipam.SameTxn;
import io.margay.model.net.Prefix;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class IpamCommandsTest {

  @CommandLine.Command(name = "margay")
  private static final class Margay {}

  private static final String RESOURCES = "/calico/resources/v3/projectcalico.org/";
  private static final String ENDPOINT = RESOURCES + "workloadendpoints/shop/";

  private final InMemoryDatastore store = new InMemoryDatastore();
  private final List<Duration> pauses = new ArrayList<>();
  private DatastoreOptions.Opener opener = _ -> new Forwarding(store);
  private Instant now = Instant.parse("2026-01-31T12:00:00Z");
  private String out = "";
  private String err = "";

  @BeforeEach
  void build() throws Exception {
    put(
        RESOURCES + "ippools/v4",
        "{\"kind\":\"IPPool\",\"apiVersion\":\"projectcalico.org/v3\",\"metadata\":{\"name\":\"v4\"},"
            + "\"spec\":{\"cidr\":\"10.8.0.0/20\",\"blockSize\":28}}");
    for (String node : List.of("n0", "n1")) {
      put(
          RESOURCES + "nodes/" + node,
          "{\"kind\":\"Node\",\"apiVersion\":\"projectcalico.org/v3\",\"metadata\":{\"name\":\""
              + node
              + "\"},\"spec\":{}}");
    }
    try (Ipam ipam =
        new Ipam(store, () -> now, Pools.of(Pool.of("v4", Prefix.parse("10.8.0.0/20"), 28)))) {
      pod(ipam, "n0", "a");
      pod(ipam, "n0", "b");
      pod(ipam, "n1", "c");
    }
  }

  @AfterEach
  void close() {
    store.close();
  }

  private void pod(Ipam ipam, String node, String pod) throws DatastoreException {
    AssignResult result =
        ipam.assign(
            new AssignRequest(
                "k8s-pod-network.c" + pod,
                node,
                1,
                0,
                Map.of("node", node, "namespace", "shop", "pod", pod),
                List.of(),
                held ->
                    new SameTxn.Extras(
                        List.of(),
                        List.of(
                            new Txn.Write.Put(
                                ENDPOINT + node + "-k8s-" + pod + "-eth0",
                                "{\"spec\":{\"node\":\""
                                    + node
                                    + "\",\"pod\":\""
                                    + pod
                                    + "\",\"containerID\":\"c"
                                    + pod
                                    + "\",\"ipNetworks\":[\""
                                    + held.getFirst().address().toHostPrefix()
                                    + "\"]}}")))));
    assertThat(result).isInstanceOf(AssignResult.Assigned.class);
  }

  private void put(String key, String value) throws DatastoreException {
    store.commit(Txn.builder().put(key, value).build());
  }

  private void delete(String key) throws DatastoreException {
    store.commit(Txn.builder().delete(key).build());
  }

  private void lock(boolean ready) throws DatastoreException {
    put(
        RESOURCES + "clusterinformations/default",
        "{\"kind\":\"ClusterInformation\",\"apiVersion\":\"projectcalico.org/v3\",\"metadata\":"
            + "{\"name\":\"default\"},\"spec\":{\"clusterGUID\":\"g\",\"datastoreReady\":"
            + ready
            + "}}");
  }

  private int margay(String... arguments) {
    CommandLine line = new CommandLine(new Margay());
    StringWriter outText = new StringWriter();
    StringWriter errText = new StringWriter();
    IpamCommands.register(
        line,
        new IpamCommands.Surroundings(
            settings -> opener.open(settings),
            () -> now,
            duration -> {
              pauses.add(duration);
              now = now.plus(duration);
            },
            "1.0"));
    line.setOut(new PrintWriter(outText));
    line.setErr(new PrintWriter(errText));
    int code = line.execute(arguments);
    out = outText.toString();
    err = errText.toString();
    assertThat(out.lines()).allMatch(text -> text.length() <= IpamCommand.WIDTH);
    return code;
  }

  private String address(String pod) throws DatastoreException {
    for (KeyValue item : store.list(ENDPOINT).items()) {
      if (item.value().contains("\"pod\":\"" + pod + "\"")) {
        return item.value().replaceAll(".*\\[\"([^/]*)/32.*", "$1");
      }
    }
    throw new AssertionError(pod);
  }

  @Test
  void a_sound_cluster_adds_up() {
    assertThat(margay("ipam", "check")).isZero();
    assertThat(out).isEqualTo("all adds up: 2 blocks, 3 handles, 3 addresses\n");
    assertThat(margay("ipam", "check", "-o", "json")).isZero();
    assertThat(out.replaceAll("\\s+", ""))
        .isEqualTo("{\"blocks\":2,\"handles\":3,\"addresses\":3,\"problems\":0,\"findings\":[]}");
    assertThat(margay("ipam", "check", "--show-all-ips")).isZero();
    assertThat(out).contains("held by k8s-pod-network.ca, used by Workload(shop/n0-k8s-a-eth0)");
    assertThat(margay("ipam", "repair", "--apply")).isZero();
    assertThat(out).isEqualTo("0 repaired, 0 left\n");
  }

  @Test
  void check_explains_and_fails() throws Exception {
    String leaked = address("a");
    delete(ENDPOINT + "n0-k8s-a-eth0");
    delete(IpamKeys.handle("k8s-pod-network.cc"));

    assertThat(margay("ipam", "check", "-o", "json")).isEqualTo(1);
    assertThat(out).contains("\"findings\"", "\"kind\"", "\"repair\"");
    assertThat(margay("ipam", "check")).isEqualTo(1);
    assertThat(out)
        .contains(
            "HANDLE_MISSING: 1\n",
            "  addresses are held under a handle that has no document: DEL frees nothing\n",
            "LEAKED_ADDRESS: 1\n",
            "  - " + leaked + ": held by k8s-pod-network.ca, but no workload endpoint has it\n",
            "    repair: none: `margay ipam gc` frees it when two witnesses agree\n",
            "2 problems in 2 blocks, 2 handles, 3 addresses; see margay ipam repair\n");
  }

  @Test
  void repair_tells_first_then_does_then_has_nothing_to_do() throws Exception {
    delete(IpamKeys.handle("k8s-pod-network.cc"));
    long revision = store.revision();

    assertThat(margay("ipam", "repair")).isEqualTo(1);
    assertThat(out).contains("1 findings, 1 repairable; --apply repairs them\n");
    assertThat(store.revision()).isEqualTo(revision);
    assertThat(margay("ipam", "repair", "-o", "json")).isEqualTo(1);
    assertThat(out).contains("\"kind\" : \"HANDLE_MISSING\"", "\"repairable\" : true");

    assertThat(margay("ipam", "repair", "--apply")).isZero();
    assertThat(out).startsWith("repaired HANDLE_MISSING k8s-pod-network.cc: ");
    assertThat(out).endsWith("1 repaired, 0 left\n");
    assertThat(pauses).hasSize(1);
    assertThat(store.get(IpamKeys.handle("k8s-pod-network.cc"))).isPresent();

    revision = store.revision();
    assertThat(margay("ipam", "repair", "--apply")).isZero();
    assertThat(store.revision()).isEqualTo(revision);
  }

  @Test
  void show_counts_pools_and_blocks() {
    assertThat(margay("ipam", "show")).isZero();
    assertThat(out)
        .isEqualTo(
            """
            GROUPING  CIDR         IPS TOTAL  IPS IN USE  IPS RESERVED  IPS FREE     COOLING
            IP Pool   10.8.0.0/20  4096       3 (0%)      0 (0%)        4093 (100%)  0
            """);
    assertThat(margay("ipam", "show", "--show-blocks")).isZero();
    assertThat(out.lines().filter(line -> line.startsWith("Block "))).hasSize(2);
    assertThat(margay("ipam", "show", "-o", "json")).isZero();
    assertThat(out).contains("\"inUse\" : 3", "\"affinity\" : \"host:n0\"");
    assertThat(ShowCommand.number(BigInteger.TWO.pow(64))).isEqualTo("1.8447e+19");
  }

  @Test
  void show_one_address_borrowed_ones_and_the_settings() throws Exception {
    assertThat(margay("ipam", "show", "--ip=" + address("a"))).isZero();
    assertThat(out)
        .isEqualTo(
            "IP "
                + address("a")
                + " is in use\nHandle ID: k8s-pod-network.ca\nAttributes:\n  namespace: shop\n"
                + "  node: n0\n  pod: a\nUsed by endpoint shop/n0-k8s-a-eth0\n");
    assertThat(margay("ipam", "show", "--ip=10.8.15.1")).isZero();
    assertThat(out).isEqualTo("10.8.15.1 is not assigned\n");
    assertThat(margay("ipam", "show", "--show-borrowed")).isZero();
    assertThat(out).isEqualTo("IP  BORROWING-NODE  TYPE  ALLOCATED-TO\n");
    assertThat(margay("ipam", "show", "--show-configuration")).isZero();
    assertThat(out).contains("StrictAffinity      false", "AutoAllocateBlocks  true");
    assertThat(margay("ipam", "show", "--show-borrowed", "--ip=10.8.0.1")).isEqualTo(2);
  }

  @Test
  void configure_is_one_truth() throws Exception {
    assertThat(
            margay(
                "ipam",
                "configure",
                "--strictaffinity=true",
                "--max-blocks-per-host=4",
                "--cooldown-seconds=60"))
        .isZero();
    assertThat(store.get(IpamKeys.CONFIG).orElseThrow().value())
        .isEqualTo(
            "{\"strict_affinity\":true,\"auto_allocate_blocks\":true,\"maxBlocksPerHost\":4,\"ipCooldownSeconds\":60}");
    assertThat(margay("ipam", "configure")).isZero();
    assertThat(out).contains("MaxBlocksPerHost    4", "IPCooldownSeconds   60");
    assertThat(margay("ipam", "configure", "--strictaffinity=true")).isZero();
    assertThat(out).isEqualTo("it is so already\n");
    assertThat(margay("ipam", "configure", "--cooldown-seconds=1201")).isEqualTo(1);
    assertThat(err).startsWith("nothing was changed: spec.ipCooldownSeconds");
    assertThat(margay("ipam", "configure", "--strictaffinity=perhaps")).isEqualTo(2);
  }

  @Test
  void release_of_one_address_asks_who_uses_it() throws Exception {
    String address = address("a");
    assertThat(margay("ipam", "release", "--ip=" + address)).isEqualTo(1);
    assertThat(err).contains("is used by endpoint shop/n0-k8s-a-eth0; it stays assigned");
    delete(ENDPOINT + "n0-k8s-a-eth0");
    assertThat(margay("ipam", "release", "--ip=" + address)).isZero();
    assertThat(out).isEqualTo("Successfully released IP address " + address + "\n");
    assertThat(margay("ipam", "release", "--ip=" + address)).isEqualTo(1);
    assertThat(err).isEqualTo("IP address " + address + " is not assigned\n");
    assertThat(margay("ipam", "release")).isEqualTo(2);
    assertThat(margay("ipam", "release", "--ip=10.8.0.300")).isEqualTo(2);
  }

  @Test
  void an_address_in_an_unreadable_block_is_not_called_unassigned(@TempDir Path folder)
      throws Exception {
    lock(false);
    String address = address("a");
    delete(ENDPOINT + "n0-k8s-a-eth0");
    String report = folder.resolve("r.json").toString();
    margay("ipam", "check", "-o", report);
    for (KeyValue item : store.list(IpamKeys.BLOCKS).items()) {
      put(item.key(), "{broken");
    }
    assertThat(margay("ipam", "release", "--ip=" + address)).isEqualTo(1);
    assertThat(err)
        .startsWith(address + " was not freed: " + IpamKeys.BLOCKS)
        .contains("margay ipam repair --apply");
    assertThat(margay("ipam", "show", "--ip=" + address)).isEqualTo(1);
    assertThat(err).startsWith(address + " is in a block that can't be read: " + IpamKeys.BLOCKS);
    assertThat(margay("ipam", "release", "--from-report=" + report)).isEqualTo(1);
    assertThat(out).startsWith("0 addresses freed, 0 were free or in use again");
    assertThat(err).contains(address + " was not freed: " + IpamKeys.BLOCKS);
  }

  @Test
  void release_from_reports_wants_the_lock_and_frees_what_all_call_unused(@TempDir Path folder)
      throws Exception {
    lock(true);
    delete(ENDPOINT + "n0-k8s-a-eth0");
    delete(ENDPOINT + "n1-k8s-c-eth0");
    put(IpamKeys.handle("k8s-pod-network.left"), "{\"block\":{\"10.8.9.0/28\":1}}");
    String first = folder.resolve("first.json").toString();
    String second = folder.resolve("second.json").toString();
    assertThat(margay("ipam", "check", "-o", first)).isEqualTo(1);
    assertThat(Files.readString(Path.of(first)))
        .contains(
            "\"clusterGUID\" : \"g\"", "\"inUse\" : false", "\"ID\" : \"k8s-pod-network.left\"");

    assertThat(margay("ipam", "release", "--from-report=" + first)).isEqualTo(1);
    assertThat(err).contains("the datastore is not locked");
    lock(false);
    assertThat(margay("ipam", "release", "--from-report=" + first)).isEqualTo(1);
    assertThat(err).contains("older than the last change of ClusterInformation");
    put(ENDPOINT + "n1-k8s-c-eth0", "{\"spec\":{\"ipNetworks\":[\"" + held("cc") + "/32\"]}}");
    assertThat(margay("ipam", "check", "-o", second)).isEqualTo(1);

    assertThat(margay("ipam", "release", "--from-report=" + first, "--from-report=" + second))
        .isZero();
    assertThat(out)
        .startsWith("1 addresses freed, 0 were free or in use again, 1 empty handles deleted\n");
    assertThat(margay("ipam", "release", "--from-report=" + second)).isZero();
    assertThat(out).startsWith("0 addresses freed, 1 were free or in use again, 0 empty");
    assertThat(margay("ipam", "check")).isZero();
  }

  private String held(String container) throws DatastoreException {
    for (KeyValue item : store.list(IpamKeys.BLOCKS).items()) {
      for (var one : io.margay.ipam.Block.parse(item.key(), item.value()).allocated()) {
        if (one.holder().handleId().orElse("").endsWith("." + container)) {
          return one.address().toString();
        }
      }
    }
    throw new AssertionError(container);
  }

  @Test
  void an_address_assigned_anew_since_the_report_is_left_alone(@TempDir Path folder)
      throws Exception {
    lock(false);
    delete(ENDPOINT + "n0-k8s-a-eth0");
    String report = folder.resolve("r.json").toString();
    margay("ipam", "check", "-o", report);
    for (KeyValue item : store.list(IpamKeys.BLOCKS).items()) {
      put(item.key(), item.value().replaceAll("(\"\\d+\":\\d{18})\\d", "$17"));
    }
    assertThat(margay("ipam", "release", "--from-report=" + report)).isZero();
    assertThat(out).startsWith("0 addresses freed, 1 were free or in use again");
    assertThat(held("ca")).isNotEmpty();
  }

  @Test
  void a_report_of_another_cluster_is_refused_even_by_force(@TempDir Path folder) throws Exception {
    lock(false);
    Path report = folder.resolve("r.json");
    margay("ipam", "check", "-o", report.toString());
    Files.writeString(report, Files.readString(report).replace("\"g\"", "\"other\""));
    assertThat(margay("ipam", "release", "--force", "--from-report=" + report)).isEqualTo(1);
    assertThat(err).contains("not even --force helps");
    Files.writeString(report, "[]");
    assertThat(margay("ipam", "release", "--from-report=" + report)).isEqualTo(2);
    assertThat(err).isEqualTo(report + ": is not a report: it is not a JSON object\n");
  }

  @Test
  void split_wants_the_lock() throws Exception {
    assertThat(margay("ipam", "split", "2", "--name=v4")).isEqualTo(1);
    assertThat(err).contains("the datastore is not locked");
    lock(false);
    assertThat(margay("ipam", "split", "2", "--cidr=10.8.0.0/20")).isZero();
    assertThat(out)
        .isEqualTo(
            """
            IPPool v4 is gone; in its place:
              split-v4-0 10.8.0.0/21
              split-v4-1 10.8.8.0/21
            You may unlock the datastore now: margay datastore unlock
            """);
    assertThat(margay("ipam", "check")).isZero();
    assertThat(margay("ipam", "split", "2")).isEqualTo(2);
    assertThat(margay("ipam", "split", "two", "--name=v4")).isEqualTo(2);
    assertThat(margay("ipam", "split", "2", "--name=none")).isEqualTo(1);
    assertThat(err).contains("there is no IPPool none");
    store.commit(
        Txn.create(
            "/calico/resources/v3/projectcalico.org/ippools/tiny",
            "{\"metadata\":{\"name\":\"tiny\"},"
                + "\"spec\":{\"cidr\":\"10.99.0.0/30\",\"disabled\":true}}"));
    assertThat(margay("ipam", "split", "2", "--name=tiny")).isEqualTo(1);
    assertThat(err).contains("a part would be smaller than a block; at most 1 parts");
  }

  @Test
  void gc_tells_who_could_judge_and_frees_a_vanished_node_after_the_grace_period()
      throws Exception {
    delete(ENDPOINT + "n0-k8s-a-eth0");
    delete(RESOURCES + "nodes/n1");
    assertThat(margay("ipam", "gc")).isZero();
    assertThat(out)
        .contains(
            "suspected " + held("cc") + " of k8s-pod-network.cc\n",
            "node n0 has no agent to witness that",
            "nothing was freed: --apply looks again after 15m and frees\n");

    assertThat(margay("ipam", "gc", "--apply", "--grace=20m")).isZero();
    assertThat(pauses).containsExactly(Duration.ofMinutes(20));
    assertThat(out).contains("1 addresses freed, 1 blocks given back\n");
    assertThat(store.list(IpamKeys.affinities("n1")).items()).isEmpty();
    assertThat(held("ca")).isNotEmpty();
    assertThat(margay("ipam", "gc", "-o", "json")).isZero();
    assertThat(out).contains("\"outcome\" : \"KEEP\"");
    assertThat(margay("ipam", "gc", "--grace=soon")).isEqualTo(2);
  }

  @Test
  void gc_leaves_a_locked_datastore_alone() throws Exception {
    lock(false);
    assertThat(margay("ipam", "gc", "--apply")).isEqualTo(1);
    assertThat(err).contains("locked for a migration");
  }

  @Test
  void long_lines_go_on_under_their_own_start() {
    assertThat(IpamCommand.wrapped("  - ", "ab ".repeat(40).strip()))
        .isEqualTo("  - " + "ab ".repeat(32).strip() + "\n    " + "ab ".repeat(8).strip() + "\n");
  }

  @Test
  void an_unreachable_datastore_exits_3() {
    opener =
        settings -> {
          throw new DatastoreException(
              DatastoreException.Kind.UNREACHABLE, settings.endpointText(), "no connection");
        };
    for (String command : List.of("show", "check", "repair", "gc", "configure")) {
      assertThat(margay("ipam", command, "--etcd-endpoints", "http://192.0.2.1:2379")).isEqualTo(3);
      assertThat(err).isEqualTo("no connection (datastore http://192.0.2.1:2379)\n");
    }
    assertThat(margay("ipam")).isEqualTo(2);
  }

  /// Commands close what they opened; the test goes on reading.
  private record Forwarding(InMemoryDatastore store) implements Datastore {
    @Override
    public Optional<KeyValue> get(String key) throws DatastoreException {
      return store.get(key);
    }

    @Override
    public Listing getAll(List<String> keys) throws DatastoreException {
      return store.getAll(keys);
    }

    @Override
    public Listing list(String prefix) throws DatastoreException {
      return store.list(prefix);
    }

    @Override
    public CommitResult commit(Txn txn) throws DatastoreException {
      return store.commit(txn);
    }

    @Override
    public Watch watch(String prefix, long from, WatchListener listener) {
      return store.watch(prefix, from, listener);
    }

    @Override
    public void close() {}
  }
}
