package io.margay.ipam;

import io.margay.datastore.CommitResult;
import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.KeyValue;
import io.margay.datastore.Txn;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// One owner's claims to blocks, as a whole: given back when it is gone, put right when it starts.
/// Each claim and its block change in one transaction of their own; where one of the two can't be
/// read, both stay.
public final class Claims {

  /// Longer than anything has rested.
  private static final Duration UNKNOWN_COOLDOWN = Duration.ofDays(36_500);

  private final Datastore datastore;
  private final InstantSource clock;
  private final String owner;

  public Claims(Datastore datastore, InstantSource clock, String owner) {
    this.datastore = datastore;
    this.clock = clock;
    this.owner = owner;
  }

  /// How it ended.
  ///
  /// @param changed how many claims, and their blocks, are now as wanted
  /// @param left claims that stay as they are, each with the document that can't be read
  public record Outcome(int changed, Map<IpamKeys.AffinityKey, Unreadable> left) {
    public Outcome {
      left = Map.copyOf(left);
    }
  }

  /// What one claim and its block become.
  private interface Change {

    /// @param claim what is stored, if anything
    /// @param block what is stored, if anything
    /// @return empty when all is as it should be
    /// @throws UnreadableException when one of them must be read and can't be
    Optional<Txn.Builder> of(
        IpamKeys.AffinityKey key, Optional<KeyValue> claim, Optional<KeyValue> block);
  }

  /// Gives everything back: empty blocks go, the others become nobody's.
  ///
  /// A claim need not be readable for that.
  public Outcome release() throws DatastoreException {
    Duration cooldown = cooldown();
    Map<IpamKeys.AffinityKey, Unreadable> left = new HashMap<>();
    int released = 0;
    for (KeyValue claim : datastore.list(IpamKeys.affinities(owner)).items()) {
      Optional<IpamKeys.AffinityKey> key = IpamKeys.affinityOf(claim.key());
      if (key.isPresent() && change(key.get(), Optional.of(claim), released(cooldown), left)) {
        released++;
      }
    }
    return new Outcome(released, left);
  }

  /// Without readable settings nothing that rests is taken for rested: its block stays, and is
  /// nobody's.
  private Duration cooldown() throws DatastoreException {
    try {
      return IpamConfig.of(datastore.get(IpamKeys.CONFIG)).cooldown();
    } catch (UnreadableException settings) {
      return UNKNOWN_COOLDOWN;
    }
  }

  private Change released(Duration cooldown) {
    return (key, claim, stored) -> {
      if (claim.isEmpty()) {
        return Optional.empty();
      }
      Txn.Builder txn = conditions(key, claim, stored).delete(claim.get().key());
      if (stored.isPresent()) {
        Block block = UnreadableException.block(stored.get()).rested(clock.instant(), cooldown);
        if (block.isAffineTo(owner)) {
          if (block.isWhollyFree()) {
            txn.delete(stored.get().key());
          } else {
            txn.put(stored.get().key(), block.withAffinity(Optional.empty()).advanced().toJson());
          }
        }
      }
      return Optional.of(txn);
    };
  }

  /// Makes every claim a confirmed one to a block that is the owner's, or no claim at all.
  Outcome settle() throws DatastoreException {
    Map<IpamKeys.AffinityKey, Unreadable> left = new HashMap<>();
    int settled = 0;
    Set<IpamKeys.AffinityKey> claimed = new HashSet<>();
    for (KeyValue claim : datastore.list(IpamKeys.affinities(owner)).items()) {
      Optional<IpamKeys.AffinityKey> key = IpamKeys.affinityOf(claim.key());
      if (key.isPresent()) {
        claimed.add(key.get());
        settled += change(key.get(), Optional.of(claim), Claims::settled, left) ? 1 : 0;
      }
    }
    for (KeyValue item : datastore.list(IpamKeys.BLOCKS).items()) {
      Optional<IpamKeys.AffinityKey> key =
          IpamKeys.blockOf(item.key()).map(cidr -> new IpamKeys.AffinityKey(owner, cidr));
      if (key.isPresent() && !claimed.contains(key.get()) && namesOwner(item)) {
        settled += change(key.get(), Optional.empty(), Claims::settled, left) ? 1 : 0;
      }
    }
    return new Outcome(settled, left);
  }

  private boolean namesOwner(KeyValue item) {
    try {
      return Block.parse(item.key(), item.value()).isAffineTo(owner);
    } catch (IllegalArgumentException unreadable) {
      return false;
    }
  }

  private static Optional<Txn.Builder> settled(
      IpamKeys.AffinityKey key, Optional<KeyValue> claim, Optional<KeyValue> stored) {
    String claimKey = IpamKeys.affinity(key.node(), key.block());
    Optional<BlockAffinity> readable = claim.map(UnreadableException::claim);
    Optional<Block> block = stored.map(UnreadableException::block);
    if (block.isEmpty() || !block.get().isAffineTo(key.node())) {
      return claim.map(_ -> conditions(key, claim, stored).delete(claimKey));
    }
    BlockAffinity affinity =
        readable.orElse(BlockAffinity.CONFIRMED.with(BlockAffinity.State.PENDING));
    if (affinity.state() == BlockAffinity.State.CONFIRMED) {
      return Optional.empty();
    }
    return Optional.of(
        conditions(key, claim, stored)
            .put(claimKey, affinity.with(BlockAffinity.State.CONFIRMED).toJson())
            // A new revision stops whoever was about to delete the block as he read it.
            .put(stored.get().key(), block.get().advanced().toJson()));
  }

  private static Txn.Builder conditions(
      IpamKeys.AffinityKey key, Optional<KeyValue> claim, Optional<KeyValue> block) {
    Txn.Builder txn = Txn.builder();
    condition(txn, IpamKeys.affinity(key.node(), key.block()), claim);
    condition(txn, IpamKeys.block(key.block()), block);
    return txn;
  }

  private static void condition(Txn.Builder txn, String key, Optional<KeyValue> stored) {
    if (stored.isPresent()) {
      txn.ifAtRevision(key, stored.get().modRevision());
    } else {
      txn.ifAbsent(key);
    }
  }

  /// @param left takes what can't be read
  /// @return whether something was changed
  private boolean change(
      IpamKeys.AffinityKey key,
      Optional<KeyValue> firstClaim,
      Change change,
      Map<IpamKeys.AffinityKey, Unreadable> left)
      throws DatastoreException {
    try {
      return change(key, firstClaim, change);
    } catch (UnreadableException unreadable) {
      left.put(key, unreadable.document());
      return false;
    }
  }

  private boolean change(IpamKeys.AffinityKey key, Optional<KeyValue> firstClaim, Change change)
      throws DatastoreException {
    String claimKey = IpamKeys.affinity(key.node(), key.block());
    String blockKey = IpamKeys.block(key.block());
    Optional<KeyValue> claim = firstClaim;
    Optional<KeyValue> stored = datastore.get(blockKey);
    for (int attempt = 0; attempt < Committer.MAX_ATTEMPTS; attempt++) {
      Optional<Txn.Builder> txn = change.of(key, claim, stored);
      if (txn.isEmpty()) {
        return false;
      }
      switch (datastore.commit(txn.get().build())) {
        case CommitResult.Committed _ -> {
          return true;
        }
        case CommitResult.Conflict conflict -> {
          claim = conflict.current(claimKey);
          stored = conflict.current(blockKey);
        }
      }
    }
    throw new DatastoreException(
        DatastoreException.Kind.OVERLOADED,
        "ipam",
        "block " + key.block() + " of " + key.node() + " kept changing; try again later");
  }
}
