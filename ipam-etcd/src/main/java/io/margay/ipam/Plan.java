package io.margay.ipam;

import io.margay.datastore.Txn;
import io.margay.ipam.BlockCache.Stored;
import io.margay.ipam.IpamKeys.AffinityKey;
import io.margay.model.net.Prefix;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// One transaction being put together: what changes over what the cache believes. Several
/// operations share one plan; each works on a copy, which replaces the plan only if it still fits.
final class Plan {

  private final BlockCache cache;
  private final Map<Prefix, @Nullable Block> blocks;
  private final Map<String, Handle> handles;
  private final Map<AffinityKey, @Nullable BlockAffinity> affinities;
  private final Set<AffinityKey> guardedClaims;
  private final Set<String> guardedHandles;
  private final Set<Prefix> guardedBlocks;
  private final List<Txn.Condition> extraConditions;
  private final List<Txn.Write> extraWrites;
  private final Set<String> extraKeys;

  Plan(BlockCache cache) {
    this.cache = cache;
    blocks = new LinkedHashMap<>();
    handles = new LinkedHashMap<>();
    affinities = new LinkedHashMap<>();
    guardedClaims = new LinkedHashSet<>();
    guardedHandles = new LinkedHashSet<>();
    guardedBlocks = new LinkedHashSet<>();
    extraConditions = new ArrayList<>();
    extraWrites = new ArrayList<>();
    extraKeys = new HashSet<>();
  }

  private Plan(Plan other) {
    cache = other.cache;
    blocks = new LinkedHashMap<>(other.blocks);
    handles = new LinkedHashMap<>(other.handles);
    affinities = new LinkedHashMap<>(other.affinities);
    guardedClaims = new LinkedHashSet<>(other.guardedClaims);
    guardedHandles = new LinkedHashSet<>(other.guardedHandles);
    guardedBlocks = new LinkedHashSet<>(other.guardedBlocks);
    extraConditions = new ArrayList<>(other.extraConditions);
    extraWrites = new ArrayList<>(other.extraWrites);
    extraKeys = new HashSet<>(other.extraKeys);
  }

  Plan copy() {
    return new Plan(this);
  }

  BlockCache cache() {
    return cache;
  }

  /// The cluster's settings, which every commit depends on.
  ///
  /// @throws UnreadableException when nobody knows what they are
  IpamConfig config() {
    BlockCache.Settings settings = settings();
    if (settings.unknown().isPresent()) {
      throw new UnreadableException(settings.unknown().get());
    }
    return settings.value();
  }

  /// How long what is freed now rests: giving back needs no more of the settings, and goes on
  /// without them.
  Duration cooldown() {
    return settings().value().cooldown();
  }

  private BlockCache.Settings settings() {
    BlockCache.Settings settings = cache.settings();
    if (settings == null) {
      throw new IllegalStateException(IpamKeys.CONFIG + " has not been read");
    }
    return settings;
  }

  /// The block as it will be; null when it is not known to exist.
  @Nullable Block block(Prefix cidr) {
    if (blocks.containsKey(cidr)) {
      return blocks.get(cidr);
    }
    Stored<Block> stored = cache.block(cidr);
    return stored == null ? null : stored.value();
  }

  /// The handle as it will be; null when it is not known to exist.
  ///
  /// @throws UnreadableException when it exists and can't be read
  @Nullable Handle handle(String id) {
    Handle planned = handles.get(id);
    if (planned != null) {
      return planned;
    }
    Stored<Handle> stored = cache.handle(id);
    return stored == null ? null : stored.value();
  }

  /// A node's claims as they will be; the node must have been read.
  NavigableMap<Prefix, BlockAffinity> affinities(String node) {
    NavigableMap<Prefix, BlockAffinity> claims = new TreeMap<>();
    NavigableMap<Prefix, Stored<BlockAffinity>> known = cache.affinities(node);
    if (known == null) {
      throw new IllegalStateException("the blocks of node " + node + " have not been read");
    }
    known.forEach((cidr, stored) -> claims.put(cidr, stored.value()));
    affinities.forEach(
        (key, affinity) -> {
          if (key.node().equals(node)) {
            if (affinity == null) {
              claims.remove(key.block());
            } else {
              claims.put(key.block(), affinity);
            }
          }
        });
    return claims;
  }

  void put(Block block) {
    blocks.put(block.cidr(), block);
  }

  void delete(Prefix cidr) {
    blocks.put(cidr, null);
  }

  void put(Handle handle) {
    handles.put(handle.id(), handle);
  }

  /// Keys of the blocks that a handle names and nothing is known of.
  List<String> unknownBlocks(Handle handle) {
    return handle.countByBlock().keySet().stream()
        .filter(cidr -> block(cidr) == null)
        .map(IpamKeys::block)
        .toList();
  }

  /// Makes the commit depend on the handle being as it is believed, without changing it.
  ///
  /// @throws UnreadableException when it can't be read: it would be found changed again and again,
  ///   by everybody in this transaction
  void guardHandle(String id) {
    handle(id);
    guardedHandles.add(id);
  }

  /// Makes the commit depend on the block being as it is believed, without changing it: whoever
  /// concludes from what a block does not hold must be as sure as who changes it.
  ///
  /// @throws UnreadableException when it can't be read, for the reason that {@link #guardHandle}
  ///   has
  void guardBlock(Prefix cidr) {
    cache.requireReadable(cidr);
    guardedBlocks.add(cidr);
  }

  /// Makes the commit depend on the claim being as it is believed: whoever is giving the block back
  /// step by step has changed it first.
  void guardClaim(String node, Prefix block) {
    guardedClaims.add(new AffinityKey(node, block));
  }

  /// Whether the claim has been looked up, there or not.
  boolean knowsClaim(String node, Prefix block) {
    return cache.claim(new AffinityKey(node, block)) != null;
  }

  /// Takes a claim out of the store, if it is there.
  void dropClaim(String node, Prefix block) {
    AffinityKey key = new AffinityKey(node, block);
    BlockCache.Belief known = cache.claim(key);
    if (known == null) {
      throw new IllegalStateException(
          "the claim of " + node + " to block " + block + " has not been read");
    }
    if (known.claim().isPresent()) {
      affinities.put(key, null);
    } else {
      affinities.remove(key);
      guardedClaims.add(key);
    }
  }

  void confirm(String node, Prefix block) {
    BlockAffinity before = affinities(node).getOrDefault(block, BlockAffinity.CONFIRMED);
    affinities.put(new AffinityKey(node, block), before.with(BlockAffinity.State.CONFIRMED));
  }

  /// Adds a caller's own conditions and writes.
  ///
  /// @return false if this plan already writes one of the keys
  boolean add(SameTxn.Extras extras) {
    for (Txn.Write write : extras.writes()) {
      if (!extraKeys.add(write.key())) {
        return false;
      }
    }
    extraConditions.addAll(extras.conditions());
    extraWrites.addAll(extras.writes());
    return true;
  }

  /// Whether nothing is planned yet. Only then is what this plan shows what the store is believed
  /// to hold, and a "no" that needs no commit can be given.
  boolean isPristine() {
    return blocks.isEmpty() && handles.isEmpty() && affinities.isEmpty();
  }

  boolean fits() {
    Set<String> conditioned = new HashSet<>(guardedHandles);
    conditioned.addAll(handles.keySet());
    Set<Prefix> conditionedBlocks = new HashSet<>(guardedBlocks);
    conditionedBlocks.addAll(blocks.keySet());
    Set<AffinityKey> conditionedClaims = new HashSet<>(guardedClaims);
    conditionedClaims.addAll(affinities.keySet());
    int own = blocks.size() + affinities.size();
    return 1
                + conditionedBlocks.size()
                + conditionedClaims.size()
                + conditioned.size()
                + extraConditions.size()
            <= Txn.MAX_OPERATIONS
        && own + handles.size() + extraWrites.size() <= Txn.MAX_OPERATIONS;
  }

  Txn toTxn() {
    Txn.Builder txn = Txn.builder();
    requireSettings(txn);
    blocks.forEach(
        (cidr, block) -> {
          String key = IpamKeys.block(cidr);
          require(txn, key, cache.block(cidr));
          if (block == null) {
            txn.delete(key);
          } else {
            txn.put(key, block.advanced().toJson());
          }
        });
    affinities.forEach(
        (claim, affinity) -> {
          String key = IpamKeys.affinity(claim.node(), claim.block());
          requireClaim(txn, claim);
          if (affinity == null) {
            txn.delete(key);
          } else {
            txn.put(key, affinity.toJson());
          }
        });
    for (AffinityKey claim : guardedClaims) {
      if (!affinities.containsKey(claim)) {
        requireClaim(txn, claim);
      }
    }
    handles.forEach(
        (id, handle) -> {
          String key = IpamKeys.handle(id);
          require(txn, key, cache.handle(id));
          if (handle.isEmpty()) {
            txn.delete(key);
          } else {
            txn.put(key, handle.toJson());
          }
        });
    for (String id : guardedHandles) {
      if (!handles.containsKey(id)) {
        require(txn, IpamKeys.handle(id), cache.handle(id));
      }
    }
    for (Prefix cidr : guardedBlocks) {
      if (!blocks.containsKey(cidr)) {
        require(txn, IpamKeys.block(cidr), cache.block(cidr));
      }
    }
    extraConditions.forEach(txn::add);
    extraWrites.forEach(txn::add);
    return txn.build();
  }

  private void requireSettings(Txn.Builder txn) {
    BlockCache.Settings settings = cache.settings();
    if (settings == null || settings.modRevision() == 0) {
      txn.ifAbsent(IpamKeys.CONFIG);
    } else {
      txn.ifAtRevision(IpamKeys.CONFIG, settings.modRevision());
    }
  }

  private void requireClaim(Txn.Builder txn, AffinityKey claim) {
    BlockCache.Belief known = cache.claim(claim);
    require(
        txn,
        IpamKeys.affinity(claim.node(), claim.block()),
        known == null ? null : known.claim().orElse(null));
  }

  private static void require(Txn.Builder txn, String key, @Nullable Stored<?> believed) {
    if (believed == null) {
      txn.ifAbsent(key);
    } else {
      txn.ifAtRevision(key, believed.modRevision());
    }
  }

  /// Turns what was planned into what is believed.
  void committed(long revision) {
    blocks.forEach(
        (cidr, block) -> {
          if (block == null) {
            cache.dropBlock(cidr);
          } else {
            cache.put(block.advanced(), revision);
          }
        });
    affinities.forEach(
        (claim, affinity) -> {
          if (affinity == null) {
            cache.drop(claim);
          } else {
            cache.put(claim, affinity, revision);
          }
        });
    handles.forEach(
        (id, handle) -> {
          if (handle.isEmpty()) {
            cache.dropHandle(id);
          } else {
            cache.put(handle, revision);
          }
        });
  }
}
