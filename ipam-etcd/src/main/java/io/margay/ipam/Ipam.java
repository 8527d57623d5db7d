package io.margay.ipam;

import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.KeyValue;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Address management for the nodes this process serves. Callers block; one thread commits for all
/// of them, and any number of other processes, Calico's included, may work on the same keys: etcd
/// decides.
///
/// A call that throws may have happened ({@link DatastoreException#isOutcomeUnknown}). Asking again
/// with the same handle finds what the first call made; releasing the handle undoes it.
public final class Ipam implements AutoCloseable {

  /// The longest a call waits for its commit: attempts behind a slow store included.
  public static final Duration CALL_LIMIT = Duration.ofSeconds(30);

  private static final Logger LOG = LoggerFactory.getLogger(Ipam.class);

  private final Datastore datastore;
  private final InstantSource clock;
  private final Committer committer;
  private volatile Pools pools;

  public Ipam(Datastore datastore, InstantSource clock, Pools pools) {
    this(datastore, clock, pools, LiveAddresses.NONE);
  }

  /// @param live what nobody else is given though the store calls it free
  public Ipam(Datastore datastore, InstantSource clock, Pools pools, LiveAddresses live) {
    this.datastore = datastore;
    this.clock = clock;
    this.pools = pools;
    committer =
        new Committer(datastore, () -> new Operation.View(this.pools, live, clock.instant()));
    committer.start();
  }

  /// Replaces all pools and reservations, for requests from now on. A pool that is new here and
  /// can't be served is said once.
  public void setPools(Pools next) {
    Set<Prefix> known = new HashSet<>();
    pools.pools().stream()
        .filter(pool -> pool.notServed().isPresent())
        .forEach(pool -> known.add(pool.cidr()));
    pools = next;
    for (Pool pool : next.pools()) {
      if (pool.notServed().isPresent() && !known.contains(pool.cidr())) {
        LOG.atWarn()
            .addKeyValue("pool", pool.name())
            .addKeyValue("cidr", pool.cidr())
            .addKeyValue("reason", pool.notServed().get())
            .log("pool is not assigned from");
      }
    }
  }

  /// Gives a handle addresses: those it has, then from the node's own blocks, then a newly claimed
  /// block, then borrowed. Block, handle and the caller's own writes are one transaction.
  ///
  /// @throws DatastoreException of kind INVALID, too, when the handle's document, or one of the
  ///   blocks it names, can't be read; it names the key and how to put it right
  public AssignResult assign(AssignRequest request) throws DatastoreException {
    return await(new AssignOperation(request));
  }

  /// What {@link #assign} would answer a handle that has nothing, without doing it; of a success no
  /// addresses are told. Mostly from memory: the store is asked when the node's own blocks have
  /// nothing left.
  ///
  /// @param limit how long to wait for the store
  public AssignResult probe(AssignRequest request, Duration limit) throws DatastoreException {
    Operation<AssignResult> operation = new ProbeOperation(request);
    committer.submit(operation);
    return awaitSubmitted(operation, limit);
  }

  /// Gives a handle one particular address.
  ///
  /// @throws DatastoreException as {@link #assign}; a block that can't be read is `Unavailable`
  public AssignResult assignIp(AssignIpRequest request) throws DatastoreException {
    return await(new AssignIpOperation(request));
  }

  /// Gives addresses of one handle to another, with the caller's own writes in the same
  /// transaction.
  MoveResult move(MoveRequest request) throws DatastoreException {
    return await(new MoveOperation(request));
  }

  Pools pools() {
    return pools;
  }

  /// The CIDR of the pool around an address, as this process knows the pools.
  public Optional<Prefix> poolAround(IpAddress address) {
    return pools.around(address.toHostPrefix()).map(Pool::cidr);
  }

  /// The cluster's settings, read now.
  ///
  /// @throws DatastoreException also when they can't be read
  public IpamConfig config() throws DatastoreException {
    try {
      return IpamConfig.of(datastore.get(IpamKeys.CONFIG));
    } catch (UnreadableException unreadable) {
      throw Committer.unusable(unreadable);
    }
  }

  /// Frees everything a handle holds, with the caller's own writes in the same transaction. A
  /// handle that holds nothing is success.
  ///
  /// @throws DatastoreException as {@link #assign}; nothing was freed then
  public ReleaseResult releaseByHandle(String handleId, SameTxn.Extras sameTxn)
      throws DatastoreException {
    String clean = Block.Attribute.clean(handleId);
    AssignRequest.requireHandle(clean);
    return await(new ReleaseHandleOperation(clean, sameTxn));
  }

  /// Frees single addresses, each on its own; the answers are in the order asked. An address that
  /// is free already is success.
  public List<ReleaseResult> releaseIps(List<Release> releases) throws DatastoreException {
    List<Operation<ReleaseResult>> operations = new ArrayList<>();
    for (Release release : releases) {
      Operation<ReleaseResult> operation = new ReleaseIpOperation(release);
      committer.submit(operation);
      operations.add(operation);
    }
    List<ReleaseResult> results = new ArrayList<>();
    for (Operation<ReleaseResult> operation : operations) {
      results.add(awaitSubmitted(operation, CALL_LIMIT));
    }
    return results;
  }

  /// Every block there is, in address order within each family. What can't be read is left out;
  /// `io.margay.ipam.care.IpamCheck` says so.
  public List<Block> listBlocks() throws DatastoreException {
    List<Block> blocks = new ArrayList<>();
    for (KeyValue item : datastore.list(IpamKeys.BLOCKS).items()) {
      if (IpamKeys.blockOf(item.key()).isPresent()) {
        try {
          blocks.add(Block.parse(item.key(), item.value()));
        } catch (IllegalArgumentException unreadable) {
          // Whose addresses these are is nobody's to say.
        }
      }
    }
    blocks.sort((a, b) -> a.cidr().compareTo(b.cidr()));
    return blocks;
  }

  /// What a node announces, read now. To follow it, feed an {@link OwnBlocksTracker} from a watch.
  public OwnBlocks ownBlocks(String node) throws DatastoreException {
    OwnBlocksTracker tracker = new OwnBlocksTracker(node);
    for (String prefix : List.of(IpamKeys.affinities(node), IpamKeys.BLOCKS)) {
      datastore
          .list(prefix)
          .items()
          .forEach(item -> tracker.onChange(new io.margay.datastore.Change.Put(item)));
    }
    return tracker.current();
  }

  /// Gives back every block a node has claimed: an empty one is deleted, one still in use becomes
  /// nobody's. For a node that is gone.
  ///
  /// @return how many claims were given back; what can't be read stays and is logged
  public int releaseAffinities(String node) throws DatastoreException {
    AssignRequest.requireNode(node);
    try {
      return changed(new Claims(datastore, clock, node).release());
    } finally {
      committer.distrust();
    }
  }

  /// Finishes what an earlier writer for this node, Calico's stepwise client included, left half
  /// done: for the agent's start, once no other writer for the node is alive.
  ///
  /// @return how many claims were not as they should be; what can't be read stays and is logged
  public int settleAffinities(String node) throws DatastoreException {
    AssignRequest.requireNode(node);
    try {
      return changed(new Claims(datastore, clock, node).settle());
    } finally {
      committer.distrust();
    }
  }

  private static int changed(Claims.Outcome outcome) {
    for (Unreadable document : outcome.left().values()) {
      LOG.atWarn()
          .addKeyValue("key", document.key())
          .addKeyValue("reason", document.sentence())
          .log("a claim stays as it is: unreadable");
    }
    return outcome.changed();
  }

  /// Whether `address` is held, by the store's own word. For checks before an address is put on a
  /// wire again.
  public Optional<Block.Allocation> holderOf(IpAddress address) throws DatastoreException {
    for (Block block : listBlocks()) {
      if (block.cidr().contains(address)) {
        return block.allocationOf(address).filter(allocation -> !allocation.isResting());
      }
    }
    return Optional.empty();
  }

  /// Requests not yet taken up, for the agent's metrics.
  public int waiting() {
    return committer.waiting();
  }

  private <R> R await(Operation<R> operation) throws DatastoreException {
    committer.submit(operation);
    return awaitSubmitted(operation, CALL_LIMIT);
  }

  private static <R> R awaitSubmitted(Operation<R> operation, Duration limit)
      throws DatastoreException {
    try {
      return operation.result().get(limit.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException failed) {
      switch (failed.getCause()) {
        case DatastoreException known -> throw known.toldBy("IPAM");
        case RuntimeException bug -> throw bug;
        case null, default -> throw new IllegalStateException("IPAM failed", failed);
      }
    } catch (TimeoutException late) {
      operation.result().cancel(false);
      throw new DatastoreException(
          DatastoreException.Kind.DEADLINE,
          "ipam",
          "no answer in " + limit.toMillis() + " ms",
          late);
    } catch (InterruptedException stop) {
      operation.result().cancel(false);
      Thread.currentThread().interrupt();
      throw new DatastoreException(
          DatastoreException.Kind.DEADLINE, "ipam", "the wait was interrupted", stop);
    }
  }

  /// Ends the committer; waiting calls fail.
  @Override
  public void close() {
    committer.close();
  }
}
