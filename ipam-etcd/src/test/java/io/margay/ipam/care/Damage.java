package io.margay.ipam.care;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.margay.datastore.KeyValue;
import io.margay.datastore.json.ResourceKeys;
import io.margay.ipam.Block;
import io.margay.ipam.IpamKeys;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import io.margay.model.resource.IPReservation;
import io.margay.model.resource.IPReservationSpec;
import io.margay.model.resource.Kind;
import io.margay.model.resource.Metadata;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;

/// One way each in which address state has been seen to go wrong, done to a sound {@link Cluster}
/// at a random place.
enum Damage {
  GARBAGE_IN_A_BLOCK(FindingKind.UNREADABLE, false) {
    @Override
    void inflict(Cluster cluster, Random random) throws Exception {
      KeyValue block = any(cluster.blocks(), random);
      cluster.put(block.key(), block.value().substring(0, block.value().length() / 2));
    }
  },
  GARBAGE_IN_A_HANDLE(FindingKind.UNREADABLE, false) {
    @Override
    void inflict(Cluster cluster, Random random) throws Exception {
      cluster.put(any(handles(cluster), random).key(), "{\"block\":{\"10.8.0.0\":1}}");
    }
  },
  A_BLOCK_UNDER_ANOTHERS_KEY(FindingKind.UNREADABLE, false) {
    @Override
    void inflict(Cluster cluster, Random random) throws Exception {
      change(cluster, random, block -> block.put("cidr", "10.8.15.240/28"));
    }
  },
  A_FREE_ADDRESS_MISSING(FindingKind.INCONSISTENT_BLOCK, true) {
    @Override
    void inflict(Cluster cluster, Random random) throws Exception {
      change(cluster, random, block -> remove(block.withArray("unallocated"), random));
    }
  },
  A_FREE_ADDRESS_TWICE(FindingKind.INCONSISTENT_BLOCK, true) {
    @Override
    void inflict(Cluster cluster, Random random) throws Exception {
      change(
          cluster,
          random,
          block -> {
            ArrayNode free = block.withArray("unallocated");
            free.add(free.get(random.nextInt(free.size())));
          });
    }
  },
  A_HELD_ADDRESS_FREE(FindingKind.INCONSISTENT_BLOCK, true) {
    @Override
    void inflict(Cluster cluster, Random random) throws Exception {
      change(cluster, random, block -> block.withArray("unallocated").insert(0, held(block)));
    }
  },
  A_FREE_ADDRESS_OUTSIDE(FindingKind.INCONSISTENT_BLOCK, true) {
    @Override
    void inflict(Cluster cluster, Random random) throws Exception {
      change(cluster, random, block -> block.withArray("unallocated").add(16 + random.nextInt(9)));
    }
  },
  A_SHORT_BLOCK(FindingKind.WRONG_LENGTH, true) {
    @Override
    void inflict(Cluster cluster, Random random) throws Exception {
      change(
          cluster,
          random,
          block -> {
            ArrayNode allocations = block.withArray("allocations");
            while (allocations.size() > 0 && allocations.get(allocations.size() - 1).isNull()) {
              allocations.remove(allocations.size() - 1);
            }
          });
    }
  },
  A_LONG_BLOCK(FindingKind.WRONG_LENGTH, true) {
    @Override
    void inflict(Cluster cluster, Random random) throws Exception {
      change(cluster, random, block -> block.withArray("allocations").addNull());
    }
  },
  AN_ADDRESS_BEYOND_ITS_BLOCK(FindingKind.WRONG_LENGTH, false) {
    @Override
    void inflict(Cluster cluster, Random random) throws Exception {
      change(cluster, random, block -> block.withArray("allocations").add(0));
    }
  },
  A_HOLDER_FORGOTTEN(FindingKind.MISSING_ATTRIBUTE, true) {
    @Override
    void inflict(Cluster cluster, Random random) throws Exception {
      change(
          cluster,
          random,
          block -> {
            ArrayNode attributes = block.withArray("attributes");
            attributes.remove(attributes.size() - 1);
          });
    }
  },
  A_HOLDER_OF_NOTHING(FindingKind.UNUSED_ATTRIBUTE, true) {
    @Override
    void inflict(Cluster cluster, Random random) throws Exception {
      change(
          cluster,
          random,
          block -> {
            ObjectNode ghost = block.withArray("attributes").insertObject(0);
            ghost.put("handle_id", "ghost").putObject("secondary");
            ArrayNode allocations = block.withArray("allocations");
            for (int i = 0; i < allocations.size(); i++) {
              if (!allocations.get(i).isNull()) {
                allocations.set(i, allocations.get(i).asInt() + 1);
              }
            }
          });
    }
  },
  A_STRAY_SEQUENCE_NUMBER(FindingKind.STRAY_SEQUENCE, true) {
    @Override
    void inflict(Cluster cluster, Random random) throws Exception {
      change(
          cluster,
          random,
          block ->
              block
                  .withObject("/sequenceNumberForAllocation")
                  .put(block.withArray("unallocated").get(0).asText(), 7));
    }
  },
  AN_EMPTY_BLOCK_OVER_OTHERS(FindingKind.OVERLAPPING_BLOCKS, true) {
    @Override
    void inflict(Cluster cluster, Random random) throws Exception {
      Prefix around = Prefix.containing(any4(cluster, random).cidr().address(), 26);
      cluster.put(IpamKeys.block(around), emptyBlock(around, "null"));
    }
  },
  AN_ADDRESS_HELD_IN_TWO_BLOCKS(FindingKind.DUPLICATE_ALLOCATION, false) {
    @Override
    void inflict(Cluster cluster, Random random) throws Exception {
      Block inner = any4(cluster, random);
      Prefix around = Prefix.containing(inner.cidr().address(), 27);
      Block outer = Block.parse("outer", emptyBlock(around, "null"));
      IpAddress address = inner.allocated().getFirst().address();
      cluster.put(
          IpamKeys.block(around),
          outer
              .takeExactly(address, Block.Attribute.of("k8s-pod-network.twin", Map.of()))
              .toJson());
    }
  },
  AN_EMPTY_BLOCK_OUTSIDE_POOLS(FindingKind.BLOCK_OUTSIDE_POOLS, true) {
    @Override
    void inflict(Cluster cluster, Random random) throws Exception {
      Prefix far = Prefix.parse("172.16." + random.nextInt(256) + ".0/28");
      cluster.put(IpamKeys.block(far), emptyBlock(far, "\"host:n1\""));
      cluster.put(IpamKeys.affinity("n1", far), CONFIRMED);
    }
  },
  A_POOL_GONE_FROM_UNDER_ITS_PODS(FindingKind.BLOCK_OUTSIDE_POOLS, false) {
    @Override
    void inflict(Cluster cluster, Random random) throws Exception {
      cluster.delete(ResourceKeys.prefix(Kind.IP_POOL) + "v4");
    }
  },
  AN_EMPTY_BLOCK_OF_ANOTHER_SIZE(FindingKind.BLOCK_SIZE, true) {
    @Override
    void inflict(Cluster cluster, Random random) throws Exception {
      Prefix odd = Prefix.parse("10.8.15.0/27");
      cluster.put(IpamKeys.block(odd), emptyBlock(odd, "\"host:n0\""));
      cluster.put(IpamKeys.affinity("n0", odd), CONFIRMED);
    }
  },
  A_CLAIM_LOST(FindingKind.BLOCK_WITHOUT_CLAIM, true) {
    @Override
    void inflict(Cluster cluster, Random random) throws Exception {
      cluster.delete(any(claims(cluster), random).key());
    }
  },
  A_BLOCK_OF_NO_NODE_LOST_ITS_CLAIM(FindingKind.BLOCK_WITHOUT_CLAIM, true) {
    @Override
    void inflict(Cluster cluster, Random random) throws Exception {
      change(cluster, random, block -> block.put("affinity", "host:gone"));
    }
  },
  A_CLAIM_TO_NOTHING(FindingKind.CLAIM_WITHOUT_BLOCK, true) {
    @Override
    void inflict(Cluster cluster, Random random) throws Exception {
      String state = List.of("pending", "confirmed", "pendingDeletion").get(random.nextInt(3));
      cluster.put(
          IpamKeys.affinity("n1", Prefix.parse("10.8.14." + 16 * random.nextInt(16) + "/28")),
          CONFIRMED.replace("confirmed", state));
    }
  },
  TWO_CLAIMS_TO_A_BLOCK(FindingKind.CLAIM_OF_OTHERS_BLOCK, true) {
    @Override
    void inflict(Cluster cluster, Random random) throws Exception {
      Block block = cluster.block(any(cluster.blocks(), random));
      String other = block.isAffineTo("n0") ? "n1" : "n0";
      cluster.put(IpamKeys.affinity(other, block.cidr()), CONFIRMED);
    }
  },
  A_CLAIM_NEVER_CONFIRMED(FindingKind.CLAIM_UNFINISHED, true) {
    @Override
    void inflict(Cluster cluster, Random random) throws Exception {
      cluster.put(any(claims(cluster), random).key(), CONFIRMED.replace("confirmed", "pending"));
    }
  },
  A_CLAIM_NEVER_DELETED(FindingKind.CLAIM_UNFINISHED, true) {
    @Override
    void inflict(Cluster cluster, Random random) throws Exception {
      cluster.put(
          any(claims(cluster), random).key(), CONFIRMED.replace("confirmed", "pendingDeletion"));
    }
  },
  A_NODE_VANISHED(FindingKind.NODE_MISSING, false) {
    @Override
    void inflict(Cluster cluster, Random random) throws Exception {
      cluster.deleteNode("n1");
    }
  },
  A_NODE_VANISHED_WITH_ITS_PODS_ENDPOINTS(FindingKind.ENDPOINT_WITHOUT_NODE, false) {
    @Override
    void inflict(Cluster cluster, Random random) throws Exception {
      cluster.deleteNode("n0");
    }
  },
  A_HANDLE_LOST(FindingKind.HANDLE_MISSING, true) {
    @Override
    void inflict(Cluster cluster, Random random) throws Exception {
      cluster.delete(any(handles(cluster), random).key());
    }
  },
  A_HANDLE_LEFT(FindingKind.HANDLE_UNUSED, true) {
    @Override
    void inflict(Cluster cluster, Random random) throws Exception {
      Block block = cluster.block(any(cluster.blocks(), random));
      cluster.put(
          IpamKeys.handle("k8s-pod-network.left" + random.nextInt(1000)),
          "{\"block\":{\"" + block.cidr() + "\":1},\"deleted\":false}");
    }
  },
  A_HANDLE_OF_A_GONE_BLOCK(FindingKind.HANDLE_UNUSED, true) {
    @Override
    void inflict(Cluster cluster, Random random) throws Exception {
      cluster.put(
          IpamKeys.handle("k8s-pod-network.far"),
          "{\"block\":{\"10.8.15.224/28\":2},\"deleted\":false}");
    }
  },
  A_HANDLE_COUNTING_TOO_MANY(FindingKind.HANDLE_MISCOUNTS, true) {
    @Override
    void inflict(Cluster cluster, Random random) throws Exception {
      KeyValue handle = any(handles(cluster), random);
      cluster.put(handle.key(), handle.value().replaceFirst(":1", ":3"));
    }
  },
  AN_ENDPOINT_LOST(FindingKind.LEAKED_ADDRESS, false) {
    @Override
    void inflict(Cluster cluster, Random random) throws Exception {
      cluster.delete(any(endpoints(cluster), random).key());
    }
  },
  AN_ALLOCATION_LOST(FindingKind.UNALLOCATED_ADDRESS, true) {
    @Override
    void inflict(Cluster cluster, Random random) throws Exception {
      KeyValue handle = any(podHandles(cluster), random);
      String id = IpamKeys.handleOf(handle.key()).orElseThrow();
      for (KeyValue item : cluster.blocks()) {
        Block block = cluster.block(item);
        List<IpAddress> held =
            block.allocated().stream()
                .filter(one -> one.holder().handleId().orElse("").equals(id))
                .map(Block.Allocation::address)
                .toList();
        if (!held.isEmpty()) {
          cluster.put(
              item.key(), block.free(held, Cluster.BIRTH, Duration.ZERO).advanced().toJson());
        }
      }
      cluster.delete(handle.key());
    }
  },
  AN_ADDRESS_USED_TWICE(FindingKind.DUPLICATE_ADDRESS, false) {
    @Override
    void inflict(Cluster cluster, Random random) throws Exception {
      KeyValue endpoint = any(endpoints(cluster), random);
      cluster.put(
          Cluster.endpointKey("n1", "twin" + random.nextInt(100)),
          endpoint.value().replaceFirst("p\\dx\\d", "twin"));
    }
  },
  AN_ADDRESS_FREED_LONG_AGO(FindingKind.RESTED_TOO_LONG, true) {
    @Override
    void inflict(Cluster cluster, Random random) throws Exception {
      KeyValue item = any(cluster.blocks(), random);
      Block block = cluster.block(item);
      Instant released = Cluster.BIRTH.minusSeconds(7200);
      IpAddress address = block.cidr().address().plus(block.size() - 1);
      Block rested =
          block
              .takeExactly(address, Block.Attribute.of("k8s-pod-network.old", Map.of()))
              .free(List.of(address), released, Duration.ofSeconds(60));
      cluster.put(item.key(), rested.advanced().toJson());
    }
  },
  A_RESERVATION_OVER_USED_ADDRESSES(FindingKind.RESERVED_IN_USE, false) {
    @Override
    void inflict(Cluster cluster, Random random) throws Exception {
      cluster.put(
          new IPReservation(
              Metadata.named("late"),
              new IPReservationSpec(List.of(any4(cluster, random).cidr()), Map.of())));
    }
  };

  private static final String CONFIRMED = "{\"state\":\"confirmed\",\"deleted\":false}";
  private static final JsonMapper JSON = JsonMapper.builder().build();

  final FindingKind finding;
  final boolean isRepairable;

  Damage(FindingKind finding, boolean isRepairable) {
    this.finding = finding;
    this.isRepairable = isRepairable;
  }

  abstract void inflict(Cluster cluster, Random random) throws Exception;

  private static <T> T any(List<T> items, Random random) {
    return items.get(random.nextInt(items.size()));
  }

  private static Block any4(Cluster cluster, Random random) throws Exception {
    List<Block> blocks = new ArrayList<>();
    for (KeyValue item : cluster.blocks()) {
      Block block = cluster.block(item);
      if (Cluster.V4.contains(block.cidr()) && !block.isEmpty()) {
        blocks.add(block);
      }
    }
    return any(blocks, random);
  }

  private static List<KeyValue> handles(Cluster cluster) throws Exception {
    return cluster.store.list(IpamKeys.HANDLES).items();
  }

  private static List<KeyValue> podHandles(Cluster cluster) throws Exception {
    return cluster.store.list(IpamKeys.HANDLES + "k8s-pod-network.cp").items();
  }

  private static List<KeyValue> claims(Cluster cluster) throws Exception {
    return cluster.store.list(IpamKeys.HOSTS).items();
  }

  private static List<KeyValue> endpoints(Cluster cluster) throws Exception {
    return cluster.store.list(IpamState.ENDPOINTS).items();
  }

  private static void change(Cluster cluster, Random random, Consumer<ObjectNode> change)
      throws Exception {
    KeyValue item = any(cluster.blocks(), random);
    ObjectNode document = (ObjectNode) JSON.readTree(item.value());
    change.accept(document);
    cluster.put(item.key(), document.toString());
  }

  private static void remove(ArrayNode array, Random random) {
    array.remove(random.nextInt(array.size()));
  }

  private static int held(ObjectNode block) {
    JsonNode allocations = block.path("allocations");
    for (int ordinal = 0; ordinal < allocations.size(); ordinal++) {
      if (!allocations.get(ordinal).isNull()) {
        return ordinal;
      }
    }
    throw new IllegalStateException("nothing is held in " + block);
  }

  /// The document of a block that holds nothing.
  ///
  /// @param affinity as JSON
  static String emptyBlock(Prefix cidr, String affinity) {
    int size = 1 << cidr.family().bits() - cidr.length();
    StringBuilder nulls = new StringBuilder();
    StringBuilder free = new StringBuilder();
    for (int ordinal = 0; ordinal < size; ordinal++) {
      nulls.append(ordinal == 0 ? "" : ",").append("null");
      free.append(ordinal == 0 ? "" : ",").append(ordinal);
    }
    return "{\"cidr\":\""
        + cidr
        + "\",\"affinity\":"
        + affinity
        + ",\"allocations\":["
        + nulls
        + "],\"unallocated\":["
        + free
        + "],\"attributes\":[],\"sequenceNumber\":1,\"sequenceNumberForAllocation\":{},"
        + "\"deleted\":false}";
  }
}
