package io.margay.ipam;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.datastore.Change;
import io.margay.datastore.KeyValue;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class BlockOwnersTest {

  private static final Prefix BLOCK = Prefix.parse("10.65.0.0/30");
  private static final String MIXED =
      """
      {"cidr":"10.65.0.0/30","affinity":%s,"allocations":[0,1,2,null],"unallocated":[3],
       "attributes":[{"handle_id":"a","secondary":{"node":"n1"}},
        {"handle_id":"b","secondary":{"node":"n12"}},
        {"handle_id":"c","secondary":{"node":"n3"},"releasedAt":"2026-11-23T10:00:00Z"}],
       "sequenceNumber":1,"sequenceNumberForAllocation":{},"deleted":false}
      """;

  private final BlockOwners owners = new BlockOwners();

  private static List<String> told(BlockOwners owners) {
    List<String> told = new ArrayList<>();
    owners.visit(
        new BlockOwners.Visitor() {
          @Override
          public void owned(Prefix block, String node) {
            told.add(block + " " + node);
          }

          @Override
          public void borrowed(IpAddress address, String node) {
            told.add(address + " " + node);
          }
        });
    return told;
  }

  private static Change put(String document) {
    return new Change.Put(new KeyValue(IpamKeys.block(BLOCK), document, 1));
  }

  @Test
  void an_address_of_another_nodes_block_is_told_beside_the_block() {
    assertThat(owners.onChange(put(MIXED.formatted("\"host:n1\"")))).isTrue();
    assertThat(told(owners)).containsExactly("10.65.0.0/30 n1", "10.65.0.1 n12");
  }

  @Test
  void of_a_block_that_is_nobodys_every_address_is_told() {
    for (String nobody : List.of("null", "\"virtual:load-balancer\"")) {
      owners.onChange(put(MIXED.formatted(nobody)));
      assertThat(told(owners)).containsExactly("10.65.0.0 n1", "10.65.0.1 n12");
    }
  }

  @Test
  void what_is_deleted_or_unreadable_is_nobodys() {
    String document = MIXED.formatted("\"host:n1\"");
    for (Change gone :
        List.of(
            new Change.Delete(IpamKeys.block(BLOCK), 2),
            put(document.replace("\"deleted\":false", "\"deleted\":true")),
            put("{\"affinity\":\"host:"),
            put("{\"affinity\":\"host:n1\",\"node\":\"n"))) {
      owners.onChange(put(document));
      assertThat(owners.onChange(gone)).isTrue();
      assertThat(told(owners)).isEmpty();
      assertThat(owners.onChange(gone)).isFalse();
    }
  }

  @Test
  void what_ipam_writes_is_understood_and_an_assignment_alone_is_no_news() throws Exception {
    for (IpFamily family : IpFamily.values()) {
      try (Cluster cluster = new Cluster(family)) {
        Pool pool = cluster.pool(1, 2, 1);
        Ipam ipam = cluster.ipam(Pools.of(pool));
        BlockOwners following = new BlockOwners();
        assign(ipam, "a", "n1", family);
        assertThat(follow(cluster, following)).isTrue();
        assign(ipam, "b", "n1", family);
        assertThat(follow(cluster, following)).isFalse();
        assign(ipam, "c", "n2", family);
        assertThat(follow(cluster, following)).isTrue();
        assertThat(told(following)).hasSize(2);
        // Both blocks are full but for one address, which is not n3's block.
        assign(ipam, "d", "n3", family);
        assertThat(follow(cluster, following)).isTrue();
        assertThat(told(following)).hasSize(3).anyMatch(line -> line.endsWith(" n3"));
      }
    }
  }

  private static void assign(Ipam ipam, String handle, String node, IpFamily family)
      throws Exception {
    boolean four = family == IpFamily.IPV4;
    AssignResult result =
        ipam.assign(
            new AssignRequest(
                handle,
                node,
                four ? 1 : 0,
                four ? 0 : 1,
                Map.of("node", node, "pod", handle),
                List.of(),
                SameTxn.nothing()));
    assertThat(result).isInstanceOf(AssignResult.Assigned.class);
  }

  private static boolean follow(Cluster cluster, BlockOwners following) throws Exception {
    boolean news = false;
    for (KeyValue item : cluster.store.list(IpamKeys.BLOCKS).items()) {
      news |= following.onChange(new Change.Put(item));
    }
    return news;
  }
}
