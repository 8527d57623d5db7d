package io.margay.ipam;

import io.margay.datastore.CommitResult;
import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.KeyValue;
import io.margay.datastore.Txn;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import io.margay.model.resource.PoolUse;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// A node whose addresses are managed the way Calico's client does it: intent first, one key a
/// write, each a compare-and-swap: pending claim, block, confirmation; the handle counted up before
/// the block is written and down after; the endpoint on its own. May stop for ever between any two
/// steps. Transcribed from the steps of libcalico-go `lib/ipam` as reference/calico.md section 4
/// tells them.
public final class CalicoNode {

  private static final int RETRIES = 100;

  private final Datastore store;
  private final String node;
  private final Pools pools;
  private final InstantSource clock;

  public CalicoNode(Datastore store, String node, Pools pools, InstantSource clock) {
    this.store = store;
    this.node = node;
    this.pools = pools;
    this.clock = clock;
  }

  /// Somebody else wrote first.
  private static final class CasConflict extends Exception {
    private static final long serialVersionUID = 1L;
  }

  /// This block is no use: it is another's, or gone.
  private static final class TryNext extends Exception {
    private static final long serialVersionUID = 1L;
  }

  /// Addresses of one family; fewer than wanted when nothing is left.
  public List<IpAddress> autoAssign(
      String handle, IpFamily family, int count, Map<String, String> attributes)
      throws DatastoreException {
    IpamConfig config = config();
    List<Pool> eligible =
        pools.eligible(
            family, new Pools.Asker(node, Optional.empty(), PoolUse.WORKLOAD, List.of()));
    List<Prefix> affine = new ArrayList<>();
    for (KeyValue item : store.list(IpamKeys.affinities(node)).items()) {
      IpamKeys.affinityOf(item.key())
          .map(IpamKeys.AffinityKey::block)
          .filter(cidr -> eligible.stream().anyMatch(pool -> pool.cidr().contains(cidr)))
          .ifPresent(affine::add);
    }
    int owned = affine.size();
    List<IpAddress> found = new ArrayList<>();
    while (found.size() < count) {
      Optional<KeyValue> block = affineBlock(affine);
      if (block.isEmpty()) {
        if (owned >= config.blockLimit(0)) {
          return found;
        }
        block = newBlock(eligible, config);
        if (block.isEmpty()) {
          break;
        }
        owned++;
      }
      take(block, count - found.size(), handle, attributes, true, found);
    }
    if (!config.strictAffinity()) {
      for (Pool pool : eligible) {
        borrow(pool, count, handle, attributes, found);
      }
    }
    return found;
  }

  private IpamConfig config() throws DatastoreException {
    return store
        .get(IpamKeys.CONFIG)
        .map(item -> IpamConfig.parse(item.value()))
        .orElse(IpamConfig.DEFAULT);
  }

  private Optional<KeyValue> affineBlock(List<Prefix> remaining) throws DatastoreException {
    while (!remaining.isEmpty()) {
      Prefix cidr = remaining.removeFirst();
      for (int attempt = 0; attempt < RETRIES; attempt++) {
        Optional<KeyValue> claim = store.get(IpamKeys.affinity(node, cidr));
        if (claim.isEmpty()) {
          break;
        }
        try {
          KeyValue block = blockOf(claim.get(), cidr);
          if (parse(block).freeCount() > 0) {
            return Optional.of(block);
          }
          break;
        } catch (CasConflict again) {
          // the next attempt reads afresh
        } catch (TryNext other) {
          break;
        }
      }
    }
    return Optional.empty();
  }

  /// The block of a claim, made if it is not there, the claim confirmed.
  private KeyValue blockOf(KeyValue claim, Prefix cidr)
      throws DatastoreException, CasConflict, TryNext {
    Optional<KeyValue> block = store.get(IpamKeys.block(cidr));
    if (block.isEmpty()) {
      return createBlock(update(claim, state(claim, BlockAffinity.State.PENDING)), cidr);
    }
    if (!parse(block.get()).isAffineTo(node)) {
      delete(claim);
      throw new TryNext();
    }
    if (BlockAffinity.parse(claim.key(), claim.value()).state() == BlockAffinity.State.CONFIRMED) {
      return block.get();
    }
    KeyValue pending = update(claim, state(claim, BlockAffinity.State.PENDING));
    KeyValue bumped = update(block.get(), parse(block.get()).advanced().toJson());
    update(pending, state(pending, BlockAffinity.State.CONFIRMED));
    return bumped;
  }

  private static String state(KeyValue claim, BlockAffinity.State next) {
    return BlockAffinity.parse(claim.key(), claim.value()).with(next).toJson();
  }

  private KeyValue createBlock(KeyValue pending, Prefix cidr)
      throws DatastoreException, CasConflict, TryNext {
    String key = IpamKeys.block(cidr);
    String json = Block.create(cidr, Block.hostAffinity(node), clock.instant()).toJson();
    KeyValue made;
    switch (store.commit(Txn.create(key, json))) {
      case CommitResult.Committed(long revision) -> made = new KeyValue(key, json, revision);
      case CommitResult.Conflict _ -> {
        made = store.get(key).orElseThrow(TryNext::new);
        if (!parse(made).isAffineTo(node)) {
          try {
            delete(pending);
          } catch (CasConflict changed) {
            // logged there, and left
          }
          throw new TryNext();
        }
      }
    }
    try {
      update(pending, state(pending, BlockAffinity.State.CONFIRMED));
    } catch (CasConflict changed) {
      Optional<KeyValue> now = store.get(pending.key());
      if (now.isEmpty()
          || BlockAffinity.parse(pending.key(), now.get().value()).state()
              != BlockAffinity.State.CONFIRMED) {
        throw changed;
      }
    }
    return made;
  }

  private Optional<KeyValue> newBlock(List<Pool> eligible, IpamConfig config)
      throws DatastoreException {
    if (!config.autoAllocateBlocks()) {
      return Optional.empty();
    }
    for (int attempt = 0; attempt < RETRIES; attempt++) {
      Optional<Prefix> cidr = usable(eligible);
      if (cidr.isEmpty()) {
        return Optional.empty();
      }
      for (int again = 0; again < RETRIES; again++) {
        try {
          return Optional.of(blockOf(pendingClaim(cidr.get()), cidr.get()));
        } catch (CasConflict changed) {
          // the same block once more
        } catch (TryNext other) {
          break;
        }
      }
    }
    return Optional.empty();
  }

  private Optional<Prefix> usable(List<Pool> eligible) throws DatastoreException {
    Map<Prefix, Block> existing = new TreeMap<>();
    for (KeyValue item : store.list(IpamKeys.BLOCKS).items()) {
      IpamKeys.blockOf(item.key()).ifPresent(cidr -> existing.put(cidr, parse(item)));
    }
    List<Block> idle = new ArrayList<>();
    for (Pool pool : eligible) {
      for (Prefix cidr : walk(pool)) {
        Block block = existing.get(cidr);
        if (block == null || block.isAffineTo(node) && block.freeCount() > 0) {
          return Optional.of(cidr);
        }
        if (block.isWhollyFree()) {
          idle.add(block);
        }
      }
    }
    Instant young = clock.instant().minusSeconds(60);
    for (Block block : idle) {
      if (block.claimedAt().map(young::isAfter).orElse(true)
          && block.owner().isPresent()
          && releaseAffinity(
              block.owner().get(), block.cidr(), true, Optional.of(block.sequenceNumber()))) {
        return Optional.of(block.cidr());
      }
    }
    return Optional.empty();
  }

  private List<Prefix> walk(Pool pool) {
    int bits = pool.family().bits();
    int count = 1 << Math.min(10, pool.blockSize() - pool.cidr().length());
    int start = Integer.remainderUnsigned(BlockChoice.fnv32(node + "calico"), count);
    List<Prefix> walk = new ArrayList<>();
    for (int step = 0; step < count; step++) {
      int index = (start + step) % count;
      walk.add(
          new Prefix(
              pool.cidr().address().plus((long) index << bits - pool.blockSize()),
              pool.blockSize()));
    }
    return walk;
  }

  private KeyValue pendingClaim(Prefix cidr) throws DatastoreException, CasConflict {
    String key = IpamKeys.affinity(node, cidr);
    String json = BlockAffinity.CONFIRMED.with(BlockAffinity.State.PENDING).toJson();
    if (store.commit(Txn.create(key, json)) instanceof CommitResult.Committed(long revision)) {
      return new KeyValue(key, json, revision);
    }
    KeyValue claim = store.get(key).orElseThrow(CasConflict::new);
    return BlockAffinity.parse(key, claim.value()).state() == BlockAffinity.State.CONFIRMED
        ? claim
        : update(claim, state(claim, BlockAffinity.State.PENDING));
  }

  private void borrow(
      Pool pool, int count, String handle, Map<String, String> attributes, List<IpAddress> found)
      throws DatastoreException {
    for (Prefix cidr : walk(pool)) {
      if (found.size() >= count) {
        return;
      }
      take(store.get(IpamKeys.block(cidr)), count - found.size(), handle, attributes, false, found);
    }
  }

  private void take(
      Optional<KeyValue> first,
      int count,
      String handle,
      Map<String, String> attributes,
      boolean own,
      List<IpAddress> found)
      throws DatastoreException {
    Optional<KeyValue> stored = first;
    for (int attempt = 0; attempt < RETRIES && stored.isPresent(); attempt++) {
      Block block = parse(stored.get());
      boolean strict = own && config().strictAffinity();
      if (strict && !block.isAffineTo(node)) {
        return;
      }
      Block.Taken taken =
          block.take(count, Block.Attribute.of(handle, attributes), pools::isReserved);
      if (taken.addresses().isEmpty()) {
        return;
      }
      count(handle, block.cidr(), taken.addresses().size());
      try {
        update(stored.get(), taken.block().advanced().toJson());
        found.addAll(taken.addresses());
        return;
      } catch (CasConflict changed) {
        count(handle, block.cidr(), -taken.addresses().size());
        stored = store.get(stored.get().key());
      }
    }
  }

  private void count(String handle, Prefix cidr, int delta) throws DatastoreException {
    String key = IpamKeys.handle(handle);
    for (int attempt = 0; attempt < RETRIES; attempt++) {
      Optional<KeyValue> stored = store.get(key);
      if (stored.isEmpty() && delta < 0) {
        return;
      }
      Handle before =
          stored.map(item -> Handle.parse(handle, item.value())).orElse(Handle.empty(handle));
      Handle after = before.adjusted(cidr, delta);
      try {
        if (stored.isEmpty()) {
          if (store.commit(Txn.create(key, after.toJson())) instanceof CommitResult.Committed) {
            return;
          }
        } else if (after.isEmpty()) {
          delete(stored.get());
          return;
        } else {
          update(stored.get(), after.toJson());
          return;
        }
      } catch (CasConflict changed) {
        // read again
      }
    }
  }

  /// Frees what a handle holds, block by block, counting it down after each.
  public void releaseByHandle(String handle) throws DatastoreException {
    Optional<KeyValue> stored = store.get(IpamKeys.handle(handle));
    if (stored.isEmpty()) {
      return;
    }
    for (Prefix cidr : Handle.parse(handle, stored.get().value()).countByBlock().keySet()) {
      release(handle, cidr);
    }
  }

  private void release(String handle, Prefix cidr) throws DatastoreException {
    for (int attempt = 0; attempt < RETRIES; attempt++) {
      Optional<KeyValue> stored = store.get(IpamKeys.block(cidr));
      if (stored.isEmpty()) {
        return;
      }
      Block block = parse(stored.get());
      List<IpAddress> held =
          block.allocated().stream()
              .filter(each -> each.holder().cleanHandleId().equals(Optional.of(handle)))
              .map(Block.Allocation::address)
              .toList();
      if (held.isEmpty()) {
        return;
      }
      Block after = block.free(held, clock.instant(), config().cooldown());
      try {
        if (after.isWhollyFree() && after.affinity().isEmpty()) {
          delete(stored.get());
        } else {
          update(stored.get(), after.advanced().toJson());
        }
        count(handle, cidr, -held.size());
        return;
      } catch (CasConflict changed) {
        // read again
      }
    }
  }

  /// Gives a claim back step by step: the mark, the block, the key.
  ///
  /// @return whether it is given back
  public boolean releaseAffinity(
      String owner, Prefix cidr, boolean requireEmpty, Optional<Long> sequenceNumber)
      throws DatastoreException {
    Optional<KeyValue> claim = store.get(IpamKeys.affinity(owner, cidr));
    Optional<KeyValue> stored = store.get(IpamKeys.block(cidr));
    if (claim.isEmpty() || stored.isEmpty()) {
      return false;
    }
    Block block = parse(stored.get());
    if (sequenceNumber.isPresent() && sequenceNumber.get() != block.sequenceNumber()
        || requireEmpty && !block.isWhollyFree()) {
      return false;
    }
    try {
      if (block.affinity().isPresent() && !block.isAffineTo(owner)) {
        delete(claim.get());
        return false;
      }
      KeyValue marked =
          update(claim.get(), state(claim.get(), BlockAffinity.State.PENDING_DELETION));
      if (block.isWhollyFree()) {
        delete(stored.get());
      } else {
        update(stored.get(), block.withAffinity(Optional.empty()).advanced().toJson());
      }
      delete(marked);
      return true;
    } catch (CasConflict changed) {
      return false;
    }
  }

  private static Block parse(KeyValue item) {
    return Block.parse(item.key(), item.value());
  }

  private KeyValue update(KeyValue read, String value) throws DatastoreException, CasConflict {
    return switch (store.commit(Txn.replace(read, value))) {
      case CommitResult.Committed(long revision) -> new KeyValue(read.key(), value, revision);
      case CommitResult.Conflict _ -> throw new CasConflict();
    };
  }

  private void delete(KeyValue read) throws DatastoreException, CasConflict {
    if (store.commit(Txn.delete(read)) instanceof CommitResult.Conflict) {
      throw new CasConflict();
    }
  }
}
