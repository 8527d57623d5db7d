package io.margay.ipam.care;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.KeyValue;
import io.margay.datastore.Txn;
import io.margay.datastore.json.ResourceJson;
import io.margay.datastore.json.ResourceKeys;
import io.margay.ipam.AssignRequest;
import io.margay.ipam.AssignResult;
import io.margay.ipam.Block;
import io.margay.ipam.Ipam;
import io.margay.ipam.IpamKeys;
import io.margay.ipam.Pool;
import io.margay.ipam.Pools;
import io.margay.ipam.SameTxn;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import io.margay.model.resource.IPPool;
import io.margay.model.resource.IPPoolSpec;
import io.margay.model.resource.Kind;
import io.margay.model.resource.Metadata;
import io.margay.model.resource.Node;
import io.margay.model.resource.NodeBgp;
import io.margay.model.resource.NodeSpec;
import io.margay.model.resource.Resource;
import io.margay.model.resource.ResourceRef;
import io.margay.model.resource.WorkloadEndpoint;
import io.margay.model.resource.WorkloadEndpointSpec;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// A sound cluster in a datastore, made by IPAM itself: pools, nodes, pods with endpoints, a tunnel
/// address, a reserve.
final class Cluster {

  static final Instant BIRTH = Instant.parse("2026-01-31T12:00:00Z");
  static final Prefix V4 = Prefix.parse("10.8.0.0/20");
  static final Prefix V6 = Prefix.parse("fd00:8::/112");

  final Datastore store;

  Cluster(Datastore store) {
    this.store = store;
  }

  /// `nodes` nodes named n0, n1…, each with `pods` pods in both families.
  static Cluster of(Datastore store, int nodes, int pods) throws DatastoreException {
    Cluster cluster = new Cluster(store);
    cluster.put(new IPPool(Metadata.named("v4"), withBlocks(IPPoolSpec.of(V4), 28)));
    cluster.put(new IPPool(Metadata.named("v6"), withBlocks(IPPoolSpec.of(V6), 124)));
    try (Ipam ipam = cluster.ipam()) {
      for (int node = 0; node < nodes; node++) {
        cluster.node("n" + node);
        for (int pod = 0; pod < pods; pod++) {
          cluster.pod(ipam, "n" + node, "p" + node + "x" + pod);
        }
      }
      IpAddress tunnel =
          cluster.assign(
              ipam, "ipip-tunnel-addr-n0", "n0", Map.of("node", "n0", "type", "ipipTunnelAddress"));
      cluster.put(
          new Node(
              Metadata.named("n0"),
              new NodeSpec(
                  new NodeBgp(null, null, null, tunnel, null, Map.of()),
                  null,
                  null,
                  null,
                  null,
                  null,
                  List.of(),
                  List.of(),
                  List.of(),
                  Map.of())));
      cluster.assign(ipam, "margay-reserve.n0", "n0", Map.of("node", "n0"));
    }
    return cluster;
  }

  /// One that assigns from both pools.
  Ipam ipam() {
    return new Ipam(store, () -> BIRTH, Pools.of(Pool.of("v4", V4, 28), Pool.of("v6", V6, 124)));
  }

  private static IPPoolSpec withBlocks(IPPoolSpec spec, int blockSize) {
    return new IPPoolSpec(
        spec.cidr(),
        null,
        null,
        null,
        null,
        null,
        blockSize,
        null,
        null,
        List.of(),
        null,
        Map.of());
  }

  void node(String name) throws DatastoreException {
    put(new Node(Metadata.named(name), NodeSpec.EMPTY));
  }

  void put(Resource resource) throws DatastoreException {
    put(ResourceKeys.key(resource), ResourceJson.encode(resource));
  }

  void put(String key, String value) throws DatastoreException {
    store.commit(Txn.builder().put(key, value).build());
  }

  void delete(String key) throws DatastoreException {
    store.commit(Txn.builder().delete(key).build());
  }

  void deleteNode(String name) throws DatastoreException {
    delete(ResourceKeys.key(ResourceRef.global(Kind.NODE, name)));
  }

  IpAddress assign(Ipam ipam, String handle, String node, Map<String, String> attributes)
      throws DatastoreException {
    AssignResult result =
        ipam.assign(
            new AssignRequest(handle, node, 1, 0, attributes, List.of(), SameTxn.nothing()));
    return ((AssignResult.Assigned) result).assignments().getFirst().address();
  }

  static String container(String pod) {
    return "c" + pod;
  }

  static String handle(String pod) {
    return "k8s-pod-network." + container(pod);
  }

  /// Starts a pod: addresses of both families and its endpoint.
  List<IpAddress> pod(Ipam ipam, String node, String pod) throws DatastoreException {
    AssignResult result =
        ipam.assign(
            new AssignRequest(
                handle(pod),
                node,
                1,
                1,
                Map.of("node", node, "namespace", "shop", "pod", pod),
                List.of(),
                held ->
                    new SameTxn.Extras(
                        List.of(),
                        List.of(
                            write(
                                endpoint(
                                    node,
                                    pod,
                                    container(pod),
                                    held.stream().map(one -> one.address()).toList()))))));
    assertThat(result).isInstanceOf(AssignResult.Assigned.class);
    return ((AssignResult.Assigned) result)
        .assignments().stream().map(one -> one.address()).toList();
  }

  private static Txn.Write write(WorkloadEndpoint endpoint) {
    return new Txn.Write.Put(ResourceKeys.key(endpoint), ResourceJson.encode(endpoint));
  }

  static WorkloadEndpoint endpoint(
      String node, String pod, String container, List<IpAddress> addresses) {
    WorkloadEndpointSpec empty = WorkloadEndpointSpec.EMPTY;
    WorkloadEndpointSpec spec =
        new WorkloadEndpointSpec(
            "k8s",
            null,
            node,
            container,
            pod,
            "eth0",
            null,
            addresses.stream().map(IpAddress::toHostPrefix).toList(),
            empty.ipNATs(),
            null,
            null,
            List.of("kns.shop"),
            null,
            null,
            List.of(),
            List.of(),
            Map.of(),
            Map.of());
    return new WorkloadEndpoint(
        Metadata.named("shop", spec.resourceName().orElseThrow()), spec, Map.of(), Map.of());
  }

  static String endpointKey(String node, String pod) {
    return ResourceKeys.key(endpoint(node, pod, "", List.of()));
  }

  List<KeyValue> blocks() throws DatastoreException {
    return store.list(IpamKeys.BLOCKS).items();
  }

  Block block(KeyValue item) {
    return Block.parse(item.key(), item.value());
  }

  /// Who holds what, by the blocks' own word.
  Map<IpAddress, String> held() throws DatastoreException {
    Map<IpAddress, String> held = new TreeMap<>();
    for (KeyValue item : blocks()) {
      for (Block.Allocation allocation : block(item).allocated()) {
        held.put(allocation.address(), allocation.holder().cleanHandleId().orElse(""));
      }
    }
    return held;
  }

  List<KeyValue> everything() throws DatastoreException {
    List<KeyValue> items = new ArrayList<>(store.list("/calico/").items());
    items.addAll(store.list("/margay/").items());
    return items;
  }

  IpamReport check() throws DatastoreException {
    return IpamCheck.run(() -> IpamState.read(store), Optional.of(BIRTH));
  }

  IpamRepair.Outcome repair() throws DatastoreException, InterruptedException {
    return new IpamRepair(store, () -> IpamState.read(store), () -> BIRTH, _ -> {}).run(_ -> {});
  }
}
