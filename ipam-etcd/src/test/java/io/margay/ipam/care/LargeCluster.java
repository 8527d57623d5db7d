package io.margay.ipam.care;

import io.margay.datastore.Datastore;
import io.margay.datastore.Txn;
import io.margay.datastore.json.ResourceJson;
import io.margay.datastore.json.ResourceKeys;
import io.margay.ipam.Block;
import io.margay.ipam.IpamKeys;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import io.margay.model.resource.IPPool;
import io.margay.model.resource.IPPoolSpec;
import io.margay.model.resource.Metadata;
import io.margay.model.resource.Node;
import io.margay.model.resource.NodeSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// Very many pods, written straight into the datastore.
final class LargeCluster {

  private LargeCluster() {}

  /// @return how many pods there are
  static int fill(Datastore store, int nodes, int podsANode) throws Exception {
    List<Txn.Write> writes = new ArrayList<>();
    IPPool pool = new IPPool(Metadata.named("large"), IPPoolSpec.of(Prefix.parse("10.128.0.0/12")));
    writes.add(new Txn.Write.Put(ResourceKeys.key(pool), ResourceJson.encode(pool)));
    Prefix next = Prefix.parse("10.128.0.0/26");
    for (int n = 0; n < nodes; n++) {
      String node = "large" + n;
      Node resource = new Node(Metadata.named(node), NodeSpec.EMPTY);
      writes.add(new Txn.Write.Put(ResourceKeys.key(resource), ResourceJson.encode(resource)));
      for (int pod = 0; pod < podsANode; ) {
        Block block = Block.parse("new", Damage.emptyBlock(next, "\"host:" + node + "\""));
        for (int i = 0; i < 64 && pod < podsANode; i++, pod++) {
          String name = node + "x" + pod;
          IpAddress address = next.address().plus(i);
          block =
              block.takeExactly(
                  address,
                  Block.Attribute.of(
                      Cluster.handle(name),
                      Map.of("node", node, "namespace", "shop", "pod", name)));
          var endpoint = Cluster.endpoint(node, name, Cluster.container(name), List.of(address));
          writes.add(new Txn.Write.Put(ResourceKeys.key(endpoint), ResourceJson.encode(endpoint)));
          writes.add(
              new Txn.Write.Put(
                  IpamKeys.handle(Cluster.handle(name)),
                  "{\"block\":{\"" + next + "\":1},\"deleted\":false}"));
        }
        writes.add(new Txn.Write.Put(IpamKeys.block(next), block.toJson()));
        writes.add(
            new Txn.Write.Put(
                IpamKeys.affinity(node, next), "{\"state\":\"confirmed\",\"deleted\":false}"));
        next = new Prefix(next.address().plus(64), 26);
      }
    }
    for (int from = 0; from < writes.size(); from += Txn.MAX_OPERATIONS) {
      store.commit(
          new Txn(
              List.of(), writes.subList(from, Math.min(writes.size(), from + Txn.MAX_OPERATIONS))));
    }
    return nodes * podsANode;
  }
}
