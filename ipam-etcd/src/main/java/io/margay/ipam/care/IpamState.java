package io.margay.ipam.care;

import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.KeyValue;
import io.margay.datastore.json.ResourceKeys;
import io.margay.ipam.Block;
import io.margay.ipam.BlockAffinity;
import io.margay.ipam.Handle;
import io.margay.ipam.IpamConfig;
import io.margay.ipam.IpamKeys;
import io.margay.ipam.Unreadable;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import io.margay.model.resource.Kind;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;

/// Everything the datastore holds that has to do with addresses, as of one reading. Documents are
/// reduced to what is looked at as they come, so that the size is that of the blocks and handles,
/// not of the endpoints. Immutable once read.
public final class IpamState {

  /// Where workload endpoints are.
  public static final String ENDPOINTS = ResourceKeys.prefix(Kind.WORKLOAD_ENDPOINT);

  /// Felix's status keys; leased, so that one that is there says its node is alive.
  private static final String FELIX_STATUS = "/calico/felix/v2/";

  private static final String NODES = ResourceKeys.prefix(Kind.NODE);

  /// What is read, in this order: users of addresses before the addresses themselves, so that a pod
  /// that comes while we read is seen with its address or not at all.
  private static final List<String> PREFIXES =
      List.of(
          ResourceKeys.prefix(Kind.CLUSTER_INFORMATION),
          ResourceKeys.prefix(Kind.IP_POOL),
          ResourceKeys.prefix(Kind.IP_RESERVATION),
          NODES,
          AgentBeat.PREFIX,
          FELIX_STATUS,
          IpamKeys.HOSTS,
          IpamKeys.HANDLES,
          ENDPOINTS,
          IpamKeys.blocks(IpFamily.IPV4),
          IpamKeys.blocks(IpFamily.IPV6));

  /// An endpoint that has an address.
  ///
  /// @param key its key in the store
  /// @param name `<namespace>/<name>`
  /// @param node where it says it runs; empty when it does not say
  /// @param containerId the sandbox it was wired for; empty when it does not say
  /// @param pod the pod's name; empty when it is none
  /// @param interfaceName the host end of its wire; empty when it does not say
  /// @param modRevision when it was last written
  public record Use(
      String key,
      String name,
      String node,
      String containerId,
      String pod,
      String interfaceName,
      long modRevision) {

    public String namespace() {
      return name.substring(0, Math.max(0, name.indexOf('/')));
    }
  }

  /// A pool, as far as blocks are concerned.
  record PoolRange(String name, Prefix cidr, int blockSize, boolean disabled) {}

  /// A block whose document contradicts itself.
  record Faulty(Stored<BlockAnatomy> document, boolean isReadable) {}

  /// What ClusterInformation says.
  ///
  /// @param revision of its document; 0 when there is none
  public record Cluster(String guid, String type, long revision, boolean locked) {
    static final Cluster UNKNOWN = new Cluster("", "", 0, false);
  }

  final NavigableMap<Prefix, Stored<Block>> blocks = new TreeMap<>();
  final NavigableMap<Prefix, Faulty> faulty = new TreeMap<>();
  final NavigableMap<IpamKeys.AffinityKey, Stored<BlockAffinity>> claims =
      new TreeMap<>(
          (a, b) ->
              a.node().equals(b.node())
                  ? a.block().compareTo(b.block())
                  : a.node().compareTo(b.node()));
  final NavigableMap<String, Stored<Handle>> handles = new TreeMap<>();
  final NavigableMap<IpAddress, List<Use>> uses = new TreeMap<>();
  final NavigableMap<String, List<IpAddress>> nodes = new TreeMap<>();
  final NavigableMap<String, Stored<AgentBeat>> beats = new TreeMap<>();
  final Set<String> felixNodes = new TreeSet<>();
  final List<PoolRange> pools = new ArrayList<>();
  final List<Prefix> reservations = new ArrayList<>();
  final List<Unreadable> unreadable = new ArrayList<>();
  Cluster cluster = Cluster.UNKNOWN;
  IpamConfig config = IpamConfig.DEFAULT;

  IpamState() {}

  /// Reads everything, one kind of document after the other.
  ///
  /// @param progress told how many documents have been read, now and then
  public static IpamState read(Datastore datastore, Consumer<Long> progress)
      throws DatastoreException {
    StateReader reader = new StateReader();
    long read = 0;
    Optional<KeyValue> config = datastore.get(IpamKeys.CONFIG);
    config.ifPresent(reader::take);
    for (String prefix : PREFIXES) {
      for (KeyValue item : datastore.list(prefix).items()) {
        reader.take(item);
        if (++read % 1000 == 0) {
          progress.accept(read);
        }
      }
    }
    return reader.state();
  }

  /// Reads everything, telling nobody how far it has come.
  public static IpamState read(Datastore datastore) throws DatastoreException {
    return read(datastore, _ -> {});
  }

  /// Where documents come from.
  @FunctionalInterface
  public interface Source {
    void forEach(Consumer<KeyValue> each) throws DatastoreException;
  }

  /// The state of documents that are true at one moment; other keys are passed over.
  public static IpamState of(Collection<KeyValue> items) {
    StateReader reader = new StateReader();
    items.forEach(reader::take);
    return reader.state();
  }

  /// Whether anything says that there are nodes: a store without a single one is being set up, and
  /// what belongs to no node is not amiss there.
  boolean knowsNodes() {
    return !nodes.isEmpty();
  }

  /// Whether the node has a resource.
  boolean hasNode(String node) {
    return nodes.containsKey(node);
  }

  /// Nodes of which something shows that they are alive, or were at most some minutes ago.
  Set<String> signsOfLife() {
    Set<String> nodes = new TreeSet<>(felixNodes);
    nodes.addAll(beats.keySet());
    return nodes;
  }

  /// The pool around a block: the narrowest, as one that is being split may hold its parts.
  Optional<PoolRange> poolOf(Prefix block) {
    return pools.stream()
        .filter(pool -> pool.cidr().contains(block))
        .max((a, b) -> Integer.compare(a.cidr().length(), b.cidr().length()));
  }

  /// The document of a block around an address that is there, but can't be read.
  public Optional<Unreadable> unreadableAround(IpAddress address) {
    return faulty.entrySet().stream()
        .filter(entry -> !entry.getValue().isReadable() && entry.getKey().contains(address))
        .map(entry -> entry.getValue().document())
        .map(
            document ->
                new Unreadable(document.key(), document.value().faults().getFirst().detail()))
        .findAny();
  }

  /// The block around an address.
  Optional<Stored<Block>> blockAround(IpAddress address) {
    Map.Entry<Prefix, Stored<Block>> below = blocks.floorEntry(address.toHostPrefix());
    return below != null && below.getKey().contains(address)
        ? Optional.of(below.getValue())
        : Optional.empty();
  }

  /// The node a block says it is of; empty for nobody's and for virtual owners.
  static Optional<String> nodeOf(Block block) {
    return block
        .affinity()
        .filter(affinity -> affinity.startsWith("host:"))
        .map(affinity -> affinity.substring("host:".length()));
  }

  /// Endpoints that have the address.
  public List<Use> usesOf(IpAddress address) {
    return Collections.unmodifiableList(uses.getOrDefault(address, List.of()));
  }

  /// Who holds an address, resting or not; empty when it is free.
  public Optional<Block.Allocation> allocationOf(IpAddress address) {
    return blockAround(address).flatMap(block -> block.value().allocationOf(address));
  }

  /// The datastore is held as it is, as during a migration.
  public boolean isLocked() {
    return cluster.locked();
  }
}
