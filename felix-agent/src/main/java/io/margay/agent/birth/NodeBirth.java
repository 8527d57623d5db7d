package io.margay.agent.birth;

import io.margay.agent.settings.AddressChoice;
import io.margay.agent.settings.AgentSettings;
import io.margay.agent.settings.FirstPool;
import io.margay.datastore.CommitResult;
import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.KeyValue;
import io.margay.datastore.Listing;
import io.margay.datastore.Txn;
import io.margay.datastore.json.Decoded;
import io.margay.datastore.json.ResourceJson;
import io.margay.datastore.json.ResourceKeys;
import io.margay.linux.LinuxException;
import io.margay.model.net.IpFamily;
import io.margay.model.resource.AddressOnLink;
import io.margay.model.resource.ClusterInformation;
import io.margay.model.resource.ClusterInformationSpec;
import io.margay.model.resource.IPPool;
import io.margay.model.resource.IPPoolSpec;
import io.margay.model.resource.Kind;
import io.margay.model.resource.Metadata;
import io.margay.model.resource.Node;
import io.margay.model.resource.Resource;
import io.margay.model.resource.ResourceRef;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One look at what the datastore has to know of this node, and the writes that it lacks: the
/// cluster's identity, the first pools of a cluster without any, the Node. Each is
/// compare-and-swap; who loses a race looks again later. While the datastore is locked nothing is
/// written. One thread at a time.
final class NodeBirth {

  private static final Logger LOG = LoggerFactory.getLogger(NodeBirth.class);

  private static final String CLUSTER =
      ResourceKeys.key(ResourceRef.global(Kind.CLUSTER_INFORMATION, "default"));

  /// Finds the node's address of a family, as `HostAddressBook` does.
  @FunctionalInterface
  interface Addresses {
    Optional<AddressFinder.Found> find(AddressChoice choice, IpFamily family) throws LinuxException;
  }

  /// How a look ended.
  enum Outcome {
    /// Nothing is left to do.
    DONE,
    /// Something stands against it, which was said; it is looked at again now and then.
    HELD_UP,
    /// Somebody else wrote first.
    LOST_RACE
  }

  private final AgentSettings settings;
  private final Datastore datastore;
  private final Addresses addresses;
  private final InstantSource clock;
  private final Set<IpFamily> missing = EnumSet.noneOf(IpFamily.class);
  private boolean poolsLooked;
  private String heldUp = "";

  NodeBirth(AgentSettings settings, Datastore datastore, Addresses addresses, InstantSource clock) {
    this.settings = settings;
    this.datastore = datastore;
    this.addresses = addresses;
    this.clock = clock;
  }

  Outcome look() throws DatastoreException, LinuxException {
    String key = ResourceKeys.key(ResourceRef.global(Kind.NODE, settings.nodeName()));
    Listing read = datastore.getAll(List.of(CLUSTER, key));
    Optional<KeyValue> cluster = find(read, CLUSTER);
    if (cluster.isEmpty()) {
      return createCluster();
    }
    if (decoded(cluster.get()).orElse(null) instanceof ClusterInformation information
        && !information.spec().isDatastoreReady()) {
      return heldUp("the datastore is locked (margay datastore unlock)");
    }
    if (!poolsLooked) {
      Outcome made = makeFirstPools();
      if (made != Outcome.DONE) {
        return made;
      }
      poolsLooked = true;
    }
    return bear(key, find(read, key), cluster.get());
  }

  /// The identity of 32 hexadecimal digits and the flag, as Calico's first node writes them.
  private Outcome createCluster() throws DatastoreException {
    ClusterInformation information =
        new ClusterInformation(
            identified("default"),
            new ClusterInformationSpec(
                UUID.randomUUID().toString().replace("-", ""), null, null, true, null, Map.of()));
    try {
      if (datastore.commit(Txn.create(CLUSTER, ResourceJson.encode(information)))
          instanceof CommitResult.Committed) {
        LOG.atInfo()
            .addKeyValue("clusterGUID", information.spec().clusterGUID())
            .log("the cluster had no ClusterInformation; it was made");
      }
      // Either way there is one now: on with the rest.
      return Outcome.LOST_RACE;
    } catch (DatastoreException refused) {
      if (refused.kind() != DatastoreException.Kind.UNAUTHORISED) {
        throw refused;
      }
      return heldUp(
          "the cluster has no ClusterInformation and this node's user may not write one; an"
              + " administrator makes it with margay datastore unlock");
    }
  }

  private Outcome makeFirstPools() throws DatastoreException {
    FirstPool first = settings.birth().firstPool();
    if (first.pools().isEmpty()
        || !datastore.list(ResourceKeys.prefix(Kind.IP_POOL)).items().isEmpty()) {
      return Outcome.DONE;
    }
    Txn.Builder txn = Txn.builder();
    for (FirstPool.Pool wanted : first.pools()) {
      IPPoolSpec plain = IPPoolSpec.of(wanted.cidr());
      IPPool pool =
          new IPPool(
              identified(wanted.name()),
              new IPPoolSpec(
                  plain.cidr(),
                  plain.effectiveIpipMode(),
                  plain.effectiveVxlanMode(),
                  first.isNatOutgoing() ? Boolean.TRUE : null,
                  null,
                  null,
                  wanted.blockSize().orElse(plain.effectiveBlockSize()),
                  plain.effectiveNodeSelector(),
                  null,
                  plain.effectiveAllowedUses(),
                  plain.effectiveAssignmentMode(),
                  Map.of()));
      txn.ifAbsent(ResourceKeys.key(pool)).put(ResourceKeys.key(pool), ResourceJson.encode(pool));
    }
    if (datastore.commit(txn.build()) instanceof CommitResult.Committed) {
      LOG.atInfo()
          .addKeyValue("pools", first.pools().stream().map(FirstPool.Pool::cidr).toList())
          .log("the cluster had no IPPool; its first were made");
      return Outcome.DONE;
    }
    return Outcome.LOST_RACE;
  }

  private Outcome bear(String key, Optional<KeyValue> item, KeyValue cluster)
      throws DatastoreException, LinuxException {
    Optional<Node> stored =
        item.flatMap(NodeBirth::decoded)
            .flatMap(found -> found instanceof Node node ? Optional.of(node) : Optional.empty());
    if (item.isPresent() && stored.isEmpty()) {
      return heldUp("Node " + settings.nodeName() + " can't be read; mend it with margay replace");
    }
    Map<IpFamily, AddressOnLink> found = new EnumMap<>(IpFamily.class);
    for (IpFamily family : IpFamily.values()) {
      AddressChoice choice =
          NodeDocument.effective(settings.birth().address(family), family, stored);
      Optional<AddressFinder.Found> one = addresses.find(choice, family);
      one.ifPresent(address -> found.put(family, address.address()));
      tellMissing(family, choice, one.isEmpty() && choice.isDetected());
    }
    Optional<Node> wanted = NodeDocument.wanted(settings, stored, found, now());
    if (wanted.isEmpty()) {
      heldUp = "";
      return Outcome.DONE;
    }
    List<String> rivals = NodeDocument.rivals(wanted.get(), nodes());
    if (!rivals.isEmpty()) {
      return heldUp(
          String.join(", ", rivals)
              + ": one address can't be two nodes'. If this node was that one, set nodeName back,"
              + " or take the old one away with margay delete node; else change bgp.ipv4 or"
              + " bgp.ipv6");
    }
    Txn.Builder txn = Txn.builder().ifAtRevision(CLUSTER, cluster.modRevision());
    item.ifPresentOrElse(
        there -> txn.ifAtRevision(key, there.modRevision()), () -> txn.ifAbsent(key));
    txn.put(key, ResourceJson.encode(wanted.get()));
    if (!(datastore.commit(txn.build()) instanceof CommitResult.Committed)) {
      return Outcome.LOST_RACE;
    }
    heldUp = "";
    LOG.atInfo()
        .addKeyValue("node", settings.nodeName())
        .addKeyValue("from", stored.map(node -> String.valueOf(node.spec().bgp())).orElse("none"))
        .addKeyValue("to", found)
        .log(stored.isEmpty() ? "the node's Node was made" : "the node's addresses changed");
    return Outcome.DONE;
  }

  private void tellMissing(IpFamily family, AddressChoice choice, boolean isMissing) {
    if (!isMissing) {
      missing.remove(family);
    } else if (missing.add(family)) {
      LOG.atWarn()
          .addKeyValue("family", family)
          .addKeyValue("choice", choice)
          .log("no address of the node is found so; its Node keeps what it has");
    }
  }

  private List<Node> nodes() throws DatastoreException {
    return datastore.list(ResourceKeys.prefix(Kind.NODE)).items().stream()
        .flatMap(item -> decoded(item).stream())
        .filter(Node.class::isInstance)
        .map(Node.class::cast)
        .toList();
  }

  /// Says it once.
  private Outcome heldUp(String why) {
    if (!why.equals(heldUp)) {
      heldUp = why;
      LOG.atError()
          .addKeyValue("node", settings.nodeName())
          .addKeyValue("reason", why)
          .log("the node's documents are not written; looked at again every minute");
    }
    return Outcome.HELD_UP;
  }

  private Metadata identified(String name) {
    return Metadata.named(name).withIdentity(UUID.randomUUID().toString(), now());
  }

  private Instant now() {
    return clock.instant().truncatedTo(ChronoUnit.SECONDS);
  }

  private static Optional<KeyValue> find(Listing read, String key) {
    return read.items().stream().filter(item -> item.key().equals(key)).findFirst();
  }

  private static Optional<Resource> decoded(KeyValue item) {
    return ResourceJson.decode(item.key(), item.value(), item.modRevision())
        .flatMap(
            decoded ->
                decoded instanceof Decoded.Valid valid
                    ? Optional.of(valid.resource())
                    : Optional.empty());
  }
}
