package io.margay.cli.datastore;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.cli.datastore.DatastoreCommandsFixture.Result;
import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreSettings;
import io.margay.datastore.KeyValue;
import io.margay.datastore.Txn;
import io.margay.datastore.etcd.EtcdDatastore;
import io.margay.datastore.json.ResourceJson;
import io.margay.datastore.json.ResourceKeys;
import io.margay.datastore.testing.EtcdProcess;
import io.margay.ipam.AssignRequest;
import io.margay.ipam.AssignResult;
import io.margay.ipam.Assignment;
import io.margay.ipam.Ipam;
import io.margay.ipam.IpamKeys;
import io.margay.ipam.Pool;
import io.margay.ipam.Pools;
import io.margay.ipam.SameTxn;
import io.margay.ipam.care.IpamCheck;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.Prefix;
import io.margay.model.resource.IPPool;
import io.margay.model.resource.IPPoolSpec;
import io.margay.model.resource.Metadata;
import io.margay.model.resource.Resource;
import io.margay.model.resource.WorkloadEndpoint;
import io.margay.model.resource.WorkloadEndpointSpec;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A cluster of 2,000 pods, copied from one real etcd to another.
@Tag("etcd")
class EtcdExportImportTest {

  private static final int PODS = 2_000;
  private static final int NODES = 20;
  private static final Prefix POOL = Prefix.parse("10.65.0.0/16");

  @TempDir private Path directory;

  @Test
  void two_thousand_pods_go_through_a_file_into_another_etcd_and_out_again() throws Exception {
    try (EtcdProcess from = new EtcdProcess(Files.createDirectory(directory.resolve("from")));
        EtcdProcess to = new EtcdProcess(Files.createDirectory(directory.resolve("to")));
        Datastore source = EtcdDatastore.open(DatastoreSettings.of(from.endpoint()));
        Datastore target = EtcdDatastore.open(DatastoreSettings.of(to.endpoint()))) {
      fill(source);
      DatastoreCommandsFixture margay = new DatastoreCommandsFixture(EtcdDatastore::open);
      Path file = directory.resolve("cluster.export");
      Path again = directory.resolve("again.export");
      String at = "--etcd-endpoints=" + from.endpoint();
      String there = "--etcd-endpoints=" + to.endpoint();

      done(margay.run("datastore", "lock", at));
      done(margay.run("datastore", "export", at, "-o", file.toString()));
      Result imported = done(margay.run("datastore", "import", there, "-f", file.toString()));
      assertThat(imported.out()).contains("verified: all ");
      done(margay.run("datastore", "export", there, "-o", again.toString()));

      assertThat(Files.mismatch(file, again)).isEqualTo(-1);
      assertThat(target.list(IpamCheck.ENDPOINTS).items()).hasSize(PODS);
      assertThat(values(target)).isEqualTo(values(source));
      assertThat(IpamCheck.run(target).findings()).isEmpty();
      assertThat(IpamCheck.run(target).allocatedCount()).isEqualTo(PODS);
    }
  }

  private static Result done(Result result) {
    assertThat(result.code()).as(result.err()).isZero();
    return result;
  }

  private static List<String> values(Datastore store) throws Exception {
    return store.list(IpamKeys.ROOT).items().stream().map(KeyValue::value).toList();
  }

  private static void fill(Datastore store) throws Exception {
    put(store, new IPPool(Metadata.named("p"), IPPoolSpec.of(POOL)));
    try (Ipam ipam = new Ipam(store, Instant::now, Pools.of(Pool.of("p", POOL, 26)))) {
      for (int i = 0; i < PODS; i++) {
        String node = "n" + i % NODES;
        WorkloadEndpointSpec spec = spec(ipam, node, "pod" + i);
        put(
            store,
            new WorkloadEndpoint(
                Metadata.named("ns" + i % 7, node + "-k8s-pod" + i + "-eth0")
                    .withIdentity("uid-" + i, Instant.EPOCH),
                spec));
      }
    }
  }

  private static WorkloadEndpointSpec spec(Ipam ipam, String node, String pod) throws Exception {
    AssignResult.Assigned assigned =
        (AssignResult.Assigned)
            ipam.assign(
                new AssignRequest(
                    "k8s-pod-network." + pod,
                    node,
                    1,
                    0,
                    Map.of("pod", pod, "node", node),
                    List.of(),
                    SameTxn.nothing()));
    return new WorkloadEndpointSpec(
        "k8s",
        null,
        node,
        pod,
        pod,
        "eth0",
        "default",
        assigned.assignments().stream()
            .map(Assignment::address)
            .map(a -> a.toHostPrefix())
            .toList(),
        List.of(),
        null,
        null,
        List.of("kns.ns"),
        new InterfaceName("cali0"),
        null,
        List.of(),
        List.of(),
        Map.of(),
        Map.of());
  }

  private static void put(Datastore store, Resource resource) throws Exception {
    store.commit(
        Txn.builder().put(ResourceKeys.key(resource), ResourceJson.encode(resource)).build());
  }
}
