package io.margay.ipam;

import io.margay.datastore.CommitResult;
import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.KeyValue;
import io.margay.datastore.Txn;
import io.margay.model.net.IpAddress;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// Address management for the nodes this process serves. Callers block; one thread commits for all
/// of them, and any number of other processes, Calico's included, may work on the same keys: etcd
/// decides.
///
/// A call that throws may have happened ({@link DatastoreException#isOutcomeUnknown}). Asking again
/// with the same handle finds what the first call made; releasing the handle undoes it.
public final class Ipam implements AutoCloseable {

  /// The longest a call waits for its commit: attempts behind a slow store included.
  public static final Duration CALL_LIMIT = Duration.ofSeconds(30);

  private final Datastore datastore;
  private final InstantSource clock;
  private final Committer committer;
  private volatile Pools pools;
  private volatile IpamConfig config = IpamConfig.DEFAULT;

  public Ipam(Datastore datastore, InstantSource clock, Pools pools) {
    this.datastore = datastore;
    this.clock = clock;
    this.pools = pools;
    committer =
        new Committer(
            datastore,
            () -> new Operation.View(this.pools, config, clock.instant()),
            read -> config = read);
    committer.start();
  }

  /// Replaces all pools and reservations, for requests from now on.
  public void setPools(Pools next) {
    pools = next;
  }

  /// Replaces the cluster-wide settings. They are also read with a node's first request.
  public void setConfig(IpamConfig next) {
    config = next;
  }

  /// Gives a handle addresses: those it has, then from the node's own blocks, then a newly claimed
  /// block, then borrowed. Block, handle and the caller's own writes are one transaction.
  public AssignResult assign(AssignRequest request) throws DatastoreException {
    return await(new AssignOperation(request));
  }

  /// Gives a handle one particular address.
  public AssignResult assignIp(AssignIpRequest request) throws DatastoreException {
    return await(new AssignIpOperation(request));
  }

  /// Frees everything a handle holds, with the caller's own writes in the same transaction. A
  /// handle that holds nothing is success.
  public ReleaseResult releaseByHandle(String handleId, SameTxn.Extras sameTxn)
      throws DatastoreException {
    AssignRequest.requireHandle(handleId);
    return await(new ReleaseHandleOperation(handleId, sameTxn));
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
      results.add(awaitSubmitted(operation));
    }
    return results;
  }

  /// Every block there is, in address order within each family. What can't be read is left out;
  /// `io.margay.ipam.care.IpamCheck` says so.
  public List<Block> listBlocks() throws DatastoreException {
    List<Block> blocks = new ArrayList<>();
    for (KeyValue item : datastore.list(IpamKeys.BLOCKS).items()) {
      if (IpamKeys.blockOf(item.key()).isPresent()) {
        blocks.add(Block.parse(item.key(), item.value()));
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
  /// @return how many claims were given back
  public int releaseAffinities(String node) throws DatastoreException {
    AssignRequest.requireNode(node);
    int released = 0;
    for (KeyValue claim : datastore.list(IpamKeys.affinities(node)).items()) {
      Optional<IpamKeys.AffinityKey> key = IpamKeys.affinityOf(claim.key());
      if (key.isPresent() && releaseAffinity(key.get(), claim)) {
        released++;
      }
    }
    committer.distrust();
    return released;
  }

  private boolean releaseAffinity(IpamKeys.AffinityKey key, KeyValue claim)
      throws DatastoreException {
    String blockKey = IpamKeys.block(key.block());
    Optional<KeyValue> affinity = Optional.of(claim);
    Optional<KeyValue> stored = datastore.get(blockKey);
    for (int attempt = 0; attempt < Committer.MAX_ATTEMPTS; attempt++) {
      if (affinity.isEmpty()) {
        return false;
      }
      Txn.Builder txn =
          Txn.builder().ifAtRevision(claim.key(), affinity.get().modRevision()).delete(claim.key());
      if (stored.isEmpty()) {
        txn.ifAbsent(blockKey);
      } else {
        txn.ifAtRevision(blockKey, stored.get().modRevision());
        Block block =
            Block.parse(blockKey, stored.get().value()).rested(clock.instant(), config.cooldown());
        if (block.isAffineTo(key.node())) {
          if (block.freeCount() == block.size()) {
            txn.delete(blockKey);
          } else {
            txn.put(blockKey, block.withAffinity(Optional.empty()).advanced().toJson());
          }
        }
      }
      switch (datastore.commit(txn.build())) {
        case CommitResult.Committed _ -> {
          return true;
        }
        case CommitResult.Conflict conflict -> {
          affinity = conflict.current(claim.key());
          stored = conflict.current(blockKey);
        }
      }
    }
    throw new DatastoreException(
        DatastoreException.Kind.OVERLOADED,
        "ipam",
        "block " + key.block() + " of node " + key.node() + " kept changing; try again later");
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
    return awaitSubmitted(operation);
  }

  private static <R> R awaitSubmitted(Operation<R> operation) throws DatastoreException {
    try {
      return operation.result().get(CALL_LIMIT.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException failed) {
      switch (failed.getCause()) {
        case DatastoreException known ->
            throw new DatastoreException(
                known.kind(), known.endpoint(), "IPAM: " + known.getMessage(), known);
        case RuntimeException bug -> throw bug;
        case null, default -> throw new IllegalStateException("IPAM failed", failed);
      }
    } catch (TimeoutException late) {
      operation.result().cancel(false);
      throw new DatastoreException(
          DatastoreException.Kind.DEADLINE,
          "ipam",
          "no commit in " + CALL_LIMIT.toSeconds() + " s",
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
