package io.margay.ipam.care;

import io.margay.datastore.CommitResult;
import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.KeyValue;
import io.margay.datastore.Listing;
import io.margay.datastore.Txn;
import io.margay.datastore.json.ResourceKeys;
import io.margay.ipam.Block;
import io.margay.ipam.BlockAffinity;
import io.margay.ipam.Claims;
import io.margay.ipam.Handle;
import io.margay.ipam.IpamConfig;
import io.margay.ipam.IpamKeys;
import io.margay.ipam.Unreadable;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import io.margay.model.resource.Kind;
import io.margay.model.resource.ResourceRef;
import io.margay.model.resource.WorkloadEndpointSpec;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// Carries out what {@link GarbageDecision} decides, round by round. What it remembers between
/// rounds is in memory only. Owned by one thread.
///
/// Every release reads its documents once more, compares holder and sequence number of every
/// address, and commits on exactly those revisions: whoever was faster wins, and the matter is
/// judged anew in the next round.
public final class GarbageCollector {

  /// Whether anything is freed.
  public enum Mode {
    /// Nothing is even looked at.
    OFF,
    /// Judged and told, not done.
    DRY_RUN,
    /// Done.
    ON
  }

  /// One round.
  ///
  /// @param decision what was decided
  /// @param released verdicts carried out; none in a dry run
  /// @param overtaken releases that somebody else's write made void
  /// @param blocks blocks given back, those of gone nodes included
  /// @param left documents that can't be read, for which addresses or claims that should go stay
  /// @param locked nothing was done because the datastore is held as it is
  public record Round(
      GarbageDecision.Result decision,
      List<GarbageVerdict> released,
      int overtaken,
      List<IpamKeys.AffinityKey> blocks,
      List<Unreadable> left,
      boolean locked) {
    public Round {
      released = List.copyOf(released);
      blocks = List.copyOf(blocks);
      left = List.copyOf(left);
    }
  }

  private final Datastore datastore;
  private final IpamCheck.Reading reading;
  private final InstantSource clock;
  private final InstantSource steady;
  private final GarbageLimits limits;
  private GarbageLedger ledger = GarbageLedger.EMPTY;

  public GarbageCollector(
      Datastore datastore, IpamCheck.Reading reading, InstantSource clock, GarbageLimits limits) {
    this(datastore, reading, clock, clock, limits);
  }

  /// @param clock the time of day, for what is written
  /// @param steady a clock that nobody sets, for how long something has been suspected
  public GarbageCollector(
      Datastore datastore,
      IpamCheck.Reading reading,
      InstantSource clock,
      InstantSource steady,
      GarbageLimits limits) {
    this.datastore = datastore;
    this.reading = reading;
    this.clock = clock;
    this.steady = steady;
    this.limits = limits;
  }

  /// Looks once, and frees what two witnesses have agreed on by now.
  public Round round(GarbageRole role, Mode mode) throws DatastoreException {
    IpamState state = reading.read();
    GarbageDecision.Result decision =
        GarbageDecision.decide(state, role, ledger, limits, steady.instant());
    ledger = decision.ledger();
    List<GarbageVerdict> released = new ArrayList<>();
    List<IpamKeys.AffinityKey> blocks = new ArrayList<>();
    List<Unreadable> left = new ArrayList<>();
    int overtaken = 0;
    if (mode == Mode.ON && !state.isLocked()) {
      int tried = 0;
      for (GarbageVerdict verdict : decision.verdicts()) {
        if (verdict.outcome() == GarbageVerdict.Outcome.RELEASE && tried++ < limits.maxReleases()) {
          if (release(verdict, state.config, left)) {
            released.add(verdict);
          } else {
            overtaken++;
          }
        }
      }
      for (String node : decision.goneNodes()) {
        blocks.addAll(releaseClaims(node, state, left));
      }
      for (IpamKeys.AffinityKey claim : decision.emptyBlocks()) {
        if (releaseEmpty(claim, state)) {
          blocks.add(claim);
        }
      }
    }
    return new Round(decision, released, overtaken, blocks, left, state.isLocked());
  }

  /// @return false when anything is not as it was judged
  private boolean release(GarbageVerdict verdict, IpamConfig config, List<Unreadable> left)
      throws DatastoreException {
    List<String> keys = new ArrayList<>();
    keys.add(IpamKeys.handle(verdict.handle()));
    keys.addAll(verdict.endpoints());
    Optional<KeyValue> stored = datastore.get(keys.getFirst());
    if (stored.isEmpty()) {
      return false;
    }
    Handle handle;
    try {
      handle = Handle.parse(verdict.handle(), stored.get().value());
    } catch (IllegalArgumentException wrong) {
      left.add(new Unreadable(keys.getFirst(), String.valueOf(wrong.getMessage())));
      return false;
    }
    Map<Prefix, String> blockKeys = new LinkedHashMap<>();
    for (Prefix cidr : handle.countByBlock().keySet()) {
      blockKeys.put(cidr, IpamKeys.block(cidr));
    }
    keys.addAll(blockKeys.values());
    String nodeKey = ResourceKeys.key(ResourceRef.global(Kind.NODE, verdict.node()));
    keys.add(nodeKey);
    keys.add(AgentBeat.key(verdict.node()));
    if (keys.size() > Txn.MAX_OPERATIONS) {
      return false;
    }
    Map<String, KeyValue> fresh = new HashMap<>();
    Listing listing = datastore.getAll(keys);
    listing.items().forEach(item -> fresh.put(item.key(), item));
    Txn.Builder txn = Txn.builder();
    for (String key : keys) {
      boolean isAsked = !key.equals(nodeKey) && !key.equals(AgentBeat.key(verdict.node()));
      if (isAsked || verdict.ofVanishedNode()) {
        KeyValue item = fresh.get(key);
        if (item == null) {
          txn.ifAbsent(key);
        } else {
          txn.ifAtRevision(key, item.modRevision());
        }
      }
    }
    if (verdict.ofVanishedNode() && fresh.containsKey(nodeKey)) {
      return false;
    }
    Map<IpAddress, Long> toFree = new HashMap<>(verdict.addresses());
    Set<String> guards = new TreeSet<>();
    for (Map.Entry<Prefix, String> entry : blockKeys.entrySet()) {
      KeyValue item = fresh.get(entry.getValue());
      if (item == null || !free(item, verdict, toFree, guards, config, txn)) {
        return false;
      }
    }
    if (!toFree.isEmpty()) {
      return false;
    }
    guards.removeAll(verdict.endpoints());
    guards.forEach(txn::ifAbsent);
    txn.delete(keys.getFirst());
    verdict.endpoints().forEach(txn::delete);
    return datastore.commit(txn.build()) instanceof CommitResult.Committed;
  }

  /// Frees what the handle holds in one block.
  ///
  /// @param toFree addresses judged and not yet met; each must be met, and no other
  /// @param guards collects the keys an endpoint of the handle would have
  private boolean free(
      KeyValue item,
      GarbageVerdict verdict,
      Map<IpAddress, Long> toFree,
      Set<String> guards,
      IpamConfig config,
      Txn.Builder txn) {
    Block block;
    try {
      block = Block.parse(item.key(), item.value());
    } catch (IllegalArgumentException unreadable) {
      return false;
    }
    List<IpAddress> going = new ArrayList<>();
    for (Block.Allocation held : block.allocated()) {
      if (held.holder().cleanHandleId().equals(Optional.of(verdict.handle()))) {
        Long number = toFree.remove(held.address());
        if (number == null || number != held.sequenceNumber()) {
          return false;
        }
        going.add(held.address());
        guards.addAll(endpointKeys(held.holder(), verdict.handle()));
      }
    }
    if (going.isEmpty()) {
      return true;
    }
    Block freed = block.free(going, clock.instant(), config.cooldown());
    if (freed.affinity().isEmpty() && BlockChecks.isUnused(freed)) {
      txn.delete(item.key());
    } else {
      txn.put(item.key(), freed.advanced().toJson());
    }
    return true;
  }

  /// An ADD that comes again for the same container finds the addresses its handle holds and writes
  /// nothing but the endpoint: where that would be, there must be nothing.
  private static List<String> endpointKeys(Block.Attribute holder, String handle) {
    String container = handle.substring(handle.indexOf('.') + 1);
    String last = handle.substring(handle.lastIndexOf('.') + 1);
    String pod = holder.secondary().get("pod");
    List<String> keys = new ArrayList<>();
    for (String endpoint : new TreeSet<>(List.of("eth0", last))) {
      endpointSpec(holder.secondary(), pod, container, endpoint)
          .resourceName()
          .ifPresent(
              name ->
                  keys.add(
                      ResourceKeys.key(
                          new ResourceRef(
                              Kind.WORKLOAD_ENDPOINT,
                              holder.secondary().getOrDefault("namespace", "default"),
                              name))));
    }
    return keys;
  }

  private static WorkloadEndpointSpec endpointSpec(
      Map<String, String> secondary, @Nullable String pod, String container, String endpoint) {
    return new WorkloadEndpointSpec(
        pod == null ? "cni" : "k8s",
        null,
        secondary.get("node"),
        container,
        pod,
        endpoint,
        null,
        List.of(),
        List.of(),
        null,
        null,
        List.of(),
        null,
        null,
        List.of(),
        List.of(),
        Map.of(),
        Map.of());
  }

  private List<IpamKeys.AffinityKey> releaseClaims(
      String node, IpamState state, List<Unreadable> left) throws DatastoreException {
    List<IpamKeys.AffinityKey> released = new ArrayList<>();
    for (IpamKeys.AffinityKey claim : state.claims.keySet()) {
      if (claim.node().equals(node)) {
        released.add(claim);
      }
    }
    Map<IpamKeys.AffinityKey, Unreadable> kept =
        new Claims(datastore, clock, node).release().left();
    released.removeAll(kept.keySet());
    left.addAll(kept.values());
    datastore.commit(Txn.builder().delete(AgentBeat.key(node)).build());
    return released;
  }

  private boolean releaseEmpty(IpamKeys.AffinityKey claim, IpamState state)
      throws DatastoreException {
    Stored<Block> block = state.blocks.get(claim.block());
    Stored<BlockAffinity> affinity = state.claims.get(claim);
    return block != null
        && affinity != null
        && datastore.commit(
                Txn.builder()
                    .add(block.unchanged())
                    .add(affinity.unchanged())
                    .delete(block.key())
                    .delete(affinity.key())
                    .build())
            instanceof CommitResult.Committed;
  }
}
