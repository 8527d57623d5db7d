package io.margay.ipam.care;

import io.margay.datastore.CommitResult;
import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.KeyValue;
import io.margay.datastore.Txn;
import io.margay.datastore.json.Decoded;
import io.margay.datastore.json.ResourceJson;
import io.margay.datastore.json.ResourceKeys;
import io.margay.ipam.Block;
import io.margay.ipam.BlockAffinity;
import io.margay.ipam.IpamKeys;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import io.margay.model.resource.IPPool;
import io.margay.model.resource.IPPoolSpec;
import io.margay.model.resource.Kind;
import io.margay.model.resource.ResourceRef;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// What has to be done before an IPPool may go: nothing new is taken from it, its empty blocks are
/// given back, and no address of it is in use; or a person accepts that some are. The IPPool itself
/// is the caller's to delete, afterwards.
public final class PoolRemoval {

  private static final int MAX_ATTEMPTS = 8;

  /// How it ended.
  public sealed interface Result {

    /// The pool is disabled and may be deleted.
    ///
    /// @param blocks given back
    /// @param stillUsed addresses in use all the same; their blocks are nobody's now and go with
    ///   their last address
    record Done(int blocks, int stillUsed) implements Result {}

    /// The pool must stay.
    ///
    /// @param reason one sentence: why, what was changed, and what to do
    record Refused(String reason) implements Result {}
  }

  private final Datastore datastore;
  private final String pool;

  private PoolRemoval(Datastore datastore, String pool) {
    this.datastore = datastore;
    this.pool = pool;
  }

  /// Empties a pool.
  ///
  /// @param pool its name
  /// @param evenIfUsed although addresses are in use
  public static Result run(Datastore datastore, String pool, boolean evenIfUsed)
      throws DatastoreException {
    return new PoolRemoval(datastore, pool).run(evenIfUsed);
  }

  private Result run(boolean evenIfUsed) throws DatastoreException {
    String key = ResourceKeys.key(ResourceRef.global(Kind.IP_POOL, pool));
    Optional<KeyValue> stored = datastore.get(key);
    if (stored.isEmpty()) {
      return new Result.Refused("does not exist");
    }
    Optional<IPPool> before = decode(stored.get());
    if (before.isEmpty()) {
      // It serves nobody: no agent can read it.
      return new Result.Done(0, 0);
    }
    Prefix cidr = before.get().spec().cidr();
    List<IpAddress> used = used(IpamState.read(datastore), cidr);
    if (!used.isEmpty() && !evenIfUsed) {
      return new Result.Refused(
          inUse(used)
              + "; nothing was changed. Set spec.disabled, restart its pods and try again, or"
              + " --force");
    }
    if (!disable(key)) {
      return new Result.Refused("others changed it meanwhile; try again");
    }
    IpamState state = IpamState.read(datastore);
    used = used(state, cidr);
    if (!used.isEmpty() && !evenIfUsed) {
      return new Result.Refused(
          inUse(used) + ", taken meanwhile; it is disabled now. Restart these pods and try again");
    }
    int blocks = 0;
    for (Map.Entry<IpamKeys.AffinityKey, Stored<BlockAffinity>> claim : state.claims.entrySet()) {
      if (cidr.contains(claim.getKey().block())
          && datastore.commit(giveBack(claim.getValue(), state.blocks.get(claim.getKey().block())))
              instanceof CommitResult.Committed) {
        blocks++;
      }
    }
    for (Stored<Block> block : state.blocks.values()) {
      if (cidr.contains(block.value().cidr())
          && block.value().affinity().isEmpty()
          && BlockChecks.isUnused(block.value())) {
        datastore.commit(Txn.builder().add(block.unchanged()).delete(block.key()).build());
      }
    }
    return new Result.Done(blocks, used.size());
  }

  /// The claim goes, and with it the block, if it is empty, or its affinity, if it is not. Nothing
  /// new comes into a disabled pool; where a pod goes meanwhile, the next try finds less to do.
  private static Txn giveBack(Stored<BlockAffinity> claim, @Nullable Stored<Block> block) {
    Txn.Builder txn = Txn.builder().add(claim.unchanged()).delete(claim.key());
    if (block != null) {
      txn.add(block.unchanged());
      if (BlockChecks.isUnused(block.value())) {
        txn.delete(block.key());
      } else {
        txn.put(block.key(), ClaimChecks.disowned(block.value()));
      }
    }
    return txn.build();
  }

  private static Optional<IPPool> decode(KeyValue stored) {
    return ResourceJson.decode(stored.key(), stored.value(), stored.modRevision())
        .flatMap(
            decoded ->
                decoded instanceof Decoded.Valid(IPPool valid)
                    ? Optional.of(valid)
                    : Optional.empty());
  }

  private static List<IpAddress> used(IpamState state, Prefix cidr) {
    List<IpAddress> used = new ArrayList<>();
    for (Stored<Block> block : state.blocks.values()) {
      if (cidr.contains(block.value().cidr())) {
        block.value().allocated().forEach(held -> used.add(held.address()));
      }
    }
    return used;
  }

  private static String inUse(List<IpAddress> used) {
    return used.size()
        + " of its addresses are in use, "
        + used.getFirst()
        + (used.size() == 1 ? "" : " the first");
  }

  /// A pool as emptying leaves it.
  public static IPPool disabled(IPPool pool) {
    return pool.withSpec(PoolSplit.with(pool.spec(), null, true));
  }

  private boolean disable(String key) throws DatastoreException {
    for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      Optional<KeyValue> stored = datastore.get(key);
      Optional<IPPool> now = stored.flatMap(PoolRemoval::decode);
      if (stored.isEmpty() || now.isEmpty()) {
        return false;
      }
      if (now.get().spec().isDisabled()) {
        return true;
      }
      Txn write = Txn.replace(stored.get(), ResourceJson.encode(disabled(now.get())));
      if (datastore.commit(write) instanceof CommitResult.Committed) {
        return true;
      }
    }
    return false;
  }

  /// Why a pool with this prefix must not be created beside the others; empty when it may.
  public static Optional<String> overlap(IPPoolSpec wanted, String name, List<IPPool> others) {
    for (IPPool other : others) {
      if (!other.metadata().name().equals(name) && other.spec().cidr().overlaps(wanted.cidr())) {
        return Optional.of(
            "spec.cidr: "
                + wanted.cidr()
                + " overlaps "
                + other.spec().cidr()
                + " of "
                + other.ref());
      }
    }
    return Optional.empty();
  }
}
