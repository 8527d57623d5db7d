package io.margay.ipam;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.datastore.DatastoreException;
import io.margay.datastore.InMemoryDatastore;
import io.margay.datastore.Txn;
import io.margay.ipam.care.IpamCheck;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// A store, a clock and IPAMs on it, for tests that are the same in both families: pools are named
/// by a number, sized in address bits.
final class Cluster implements AutoCloseable {

  final IpFamily family;
  final InMemoryDatastore store = new InMemoryDatastore();
  final FaultyDatastore counted = FaultyDatastore.counting(store);
  Instant now = Instant.parse("2026-11-23T10:00:00Z");
  private final List<Ipam> ipams = new ArrayList<>();

  Cluster(IpFamily family) {
    this.family = family;
  }

  /// Pool `number`: 2^`bits` addresses.
  Prefix cidr(int number, int bits) {
    return Prefix.parse(
        switch (family) {
          case IPV4 -> "10." + number + ".0.0/" + (32 - bits);
          case IPV6 -> "fd00:" + number + "::/" + (128 - bits);
        });
  }

  /// Pool `number` of 2^`bits` addresses in blocks of 2^`blockBits`.
  Pool pool(int number, int bits, int blockBits) {
    return Pool.of("p" + number, cidr(number, bits), family.bits() - blockBits);
  }

  /// Block `index` of a pool.
  Prefix block(Pool pool, int index) {
    return new Prefix(
        pool.cidr().address().plus((long) index << family.bits() - pool.blockSize()),
        pool.blockSize());
  }

  Ipam ipam(Pools pools) {
    Ipam ipam = new Ipam(counted, () -> now, pools);
    ipams.add(ipam);
    return ipam;
  }

  CalicoNode calico(String node, Pools pools) {
    return new CalicoNode(store, node, pools, () -> now);
  }

  AssignRequest request(String handle, String node, int count) {
    return new AssignRequest(
        handle,
        node,
        family == IpFamily.IPV4 ? count : 0,
        family == IpFamily.IPV6 ? count : 0,
        Map.of("node", node),
        List.of(),
        SameTxn.nothing());
  }

  AssignRequest named(String handle, String node, Prefix... pools) {
    AssignRequest any = request(handle, node, 1);
    return new AssignRequest(
        handle,
        node,
        any.ipv4Count(),
        any.ipv6Count(),
        any.attributes(),
        List.of(pools),
        SameTxn.nothing());
  }

  AssignIpRequest exactly(IpAddress address, String handle, String node) {
    return new AssignIpRequest(address, handle, node, Map.of("node", node), SameTxn.nothing());
  }

  static List<Assignment> assigned(AssignResult result) {
    assertThat(result).isInstanceOf(AssignResult.Assigned.class);
    return ((AssignResult.Assigned) result).assignments();
  }

  static Assignment one(AssignResult result) {
    return assigned(result).getFirst();
  }

  void put(String key, String value) throws DatastoreException {
    store.commit(Txn.builder().put(key, value).build());
  }

  void claim(String node, Prefix block, BlockAffinity.State state) throws DatastoreException {
    put(IpamKeys.affinity(node, block), new BlockAffinity(state, false, Map.of()).toJson());
  }

  void put(Block block) throws DatastoreException {
    put(IpamKeys.block(block.cidr()), block.toJson());
  }

  Block stored(Prefix cidr) throws DatastoreException {
    String key = IpamKeys.block(cidr);
    return Block.parse(key, store.get(key).orElseThrow().value());
  }

  boolean exists(String key) throws DatastoreException {
    return store.get(key).isPresent();
  }

  void assertSound() throws DatastoreException {
    assertThat(IpamCheck.run(store).findings()).isEmpty();
  }

  @Override
  public void close() {
    ipams.forEach(Ipam::close);
    store.close();
  }
}
