package io.margay.ipam.care;

import io.margay.datastore.CommitResult;
import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.KeyValue;
import io.margay.datastore.Txn;
import io.margay.ipam.Block;
import io.margay.ipam.Claims;
import io.margay.ipam.Handle;
import io.margay.ipam.IpamKeys;
import io.margay.ipam.Unreadable;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;

/// What has to go when a node is deleted for good: its pods' endpoints and addresses, its tunnel
/// addresses and reserve, its blocks. The word of the person who deletes it takes the place of
/// witnesses. The Node itself is the caller's to delete, afterwards: should we die halfway, or meet
/// documents that can't be read, deleting it again finishes the work.
public final class NodeRemoval {

  /// Tries of one transaction while others keep changing the same documents.
  private static final int MAX_ATTEMPTS = 20;

  /// How it ended.
  public sealed interface Result {

    /// Nothing of the node is left but the Node itself.
    ///
    /// @param endpoints deleted
    /// @param addresses freed
    /// @param blocks given back
    record Done(int endpoints, int addresses, int blocks) implements Result {}

    /// What could be read is gone; the Node has to stay, so that the rest is found again.
    ///
    /// @param endpoints deleted
    /// @param addresses freed
    /// @param blocks given back
    /// @param left documents of the node, or that its addresses hang on, that can't be read
    record Unfinished(int endpoints, int addresses, int blocks, List<Unreadable> left)
        implements Result {
      public Unfinished {
        left = List.copyOf(left);
      }
    }

    /// Nothing was done.
    ///
    /// @param reason one sentence: why, and what to do
    record Refused(String reason) implements Result {}
  }

  private final Datastore datastore;
  private final InstantSource clock;
  private final String node;
  private final IpamState state;
  private final SortedMap<String, Unreadable> left = new TreeMap<>();

  private NodeRemoval(Datastore datastore, InstantSource clock, String node, IpamState state) {
    this.datastore = datastore;
    this.clock = clock;
    this.node = node;
    this.state = state;
  }

  /// Takes everything of a node away but the Node itself.
  ///
  /// @param evenIfAlive although its agent shows signs of life
  public static Result run(
      Datastore datastore, InstantSource clock, String node, boolean evenIfAlive)
      throws DatastoreException {
    IpamState state = IpamState.read(datastore);
    if (state.isLocked()) {
      return new Result.Refused(
          "the datastore is locked for a migration; nothing was done. `margay datastore unlock`"
              + " ends that");
    }
    Stored<AgentBeat> beat = state.beats.get(node);
    boolean isAlive =
        state.felixNodes.contains(node)
            || beat != null && beat.value().at().plus(AgentBeat.ALIVE).isAfter(clock.instant());
    if (isAlive && !evenIfAlive) {
      return new Result.Refused(
          "its agent is alive: its pods would lose their addresses. Stop the agent and try again"
              + " in "
              + AgentBeat.ALIVE.toMinutes()
              + " minutes, or --force");
    }
    return new NodeRemoval(datastore, clock, node, state).run();
  }

  private Result run() throws DatastoreException {
    int addresses = 0;
    for (Map.Entry<String, Set<Prefix>> held : blocksByHandle().entrySet()) {
      addresses += release(held.getKey(), held.getValue());
    }
    int endpoints = deleteEndpoints();
    Claims.Outcome claims = new Claims(datastore, clock, node).release();
    claims.left().values().forEach(this::leave);
    datastore.commit(
        Txn.builder().delete(AgentBeat.key(node)).delete(IpamKeys.HOSTS + node).build());
    return left.isEmpty()
        ? new Result.Done(endpoints, addresses, claims.changed())
        : new Result.Unfinished(endpoints, addresses, claims.changed(), List.copyOf(left.values()));
  }

  private void leave(Unreadable document) {
    left.put(document.key(), document);
  }

  private void leave(String key, IllegalArgumentException wrong) {
    leave(new Unreadable(key, String.valueOf(wrong.getMessage())));
  }

  /// Who holds addresses for the node, and where, by the blocks' word: a handle's own document may
  /// be missing, or know of less.
  private Map<String, Set<Prefix>> blocksByHandle() {
    Map<String, Set<Prefix>> found = new TreeMap<>();
    for (Stored<Block> block : state.blocks.values()) {
      for (Block.Allocation held : block.value().allocated()) {
        Holder holder = Holder.of(held);
        if (holder.node().equals(node)) {
          found.computeIfAbsent(holder.handle(), _ -> new TreeSet<>()).add(block.value().cidr());
        }
      }
    }
    return found;
  }

  /// Frees what a handle holds for the node; what it holds for others stays. Whoever has no handle
  /// is as one whose document is missing.
  ///
  /// @param found blocks that were seen to name it
  private int release(String id, Set<Prefix> found) throws DatastoreException {
    String handleKey = IpamKeys.handle(id);
    for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      Optional<KeyValue> stored = datastore.get(handleKey);
      Handle handle;
      try {
        handle =
            stored
                .map(item -> Handle.parse(id, item.value()))
                .orElse(new Handle(id, Map.of(), false, Map.of()));
      } catch (IllegalArgumentException wrong) {
        leave(handleKey, wrong);
        return 0;
      }
      Txn.Builder txn = Txn.builder();
      Set<Prefix> blocks = new TreeSet<>(found);
      blocks.addAll(handle.countByBlock().keySet());
      int freed = 0;
      Handle rest = handle;
      for (Prefix cidr : blocks) {
        Optional<KeyValue> item = datastore.get(IpamKeys.block(cidr));
        if (item.isEmpty()) {
          txn.ifAbsent(IpamKeys.block(cidr));
          rest = rest.adjusted(cidr, -rest.countByBlock().getOrDefault(cidr, 0));
        } else {
          int going = free(id, item.get(), txn);
          freed += going;
          rest = rest.adjusted(cidr, -going);
        }
      }
      if (stored.isEmpty()) {
        txn.ifAbsent(handleKey);
      } else if (rest.isEmpty()) {
        txn.ifAtRevision(handleKey, stored.get().modRevision()).delete(handleKey);
      } else {
        txn.ifAtRevision(handleKey, stored.get().modRevision()).put(handleKey, rest.toJson());
      }
      if (datastore.commit(txn.build()) instanceof CommitResult.Committed) {
        return freed;
      }
    }
    throw new DatastoreException(
        DatastoreException.Kind.OVERLOADED,
        "ipam",
        "handle " + id + " of node " + node + " kept changing; delete the node again");
  }

  /// Frees what a handle holds for the node in one block, if that can be read.
  ///
  /// @return how many addresses
  private int free(String id, KeyValue item, Txn.Builder txn) {
    Block block;
    try {
      block = Block.parse(item.key(), item.value());
    } catch (IllegalArgumentException wrong) {
      leave(item.key(), wrong);
      return 0;
    }
    List<IpAddress> going = heldBy(id, block);
    txn.ifAtRevision(item.key(), item.modRevision());
    if (!going.isEmpty()) {
      Block after = block.free(going, clock.instant(), state.config.cooldown());
      if (after.affinity().isEmpty() && BlockChecks.isUnused(after)) {
        txn.delete(item.key());
      } else {
        txn.put(item.key(), after.advanced().toJson());
      }
    }
    return going.size();
  }

  private List<IpAddress> heldBy(String id, Block block) {
    List<IpAddress> held = new ArrayList<>();
    for (Block.Allocation one : block.allocated()) {
      Holder holder = Holder.of(one);
      if (holder.handle().equals(id) && holder.node().equals(node)) {
        held.add(one.address());
      }
    }
    return held;
  }

  /// Endpoints stay while an address of theirs is in a block that can't be read: nothing else may
  /// say that the node has something there.
  private int deleteEndpoints() throws DatastoreException {
    Map<String, IpamState.Use> going = new TreeMap<>();
    Set<String> staying = new HashSet<>();
    for (Map.Entry<IpAddress, List<IpamState.Use>> address : state.uses.entrySet()) {
      Optional<Unreadable> block = state.unreadableAround(address.getKey());
      for (IpamState.Use use : address.getValue()) {
        if (use.node().equals(node)) {
          going.put(use.key(), use);
          if (block.isPresent()) {
            staying.add(use.key());
            leave(block.get());
          }
        }
      }
    }
    going.keySet().removeAll(staying);
    int deleted = 0;
    for (IpamState.Use use : going.values()) {
      Txn deletion =
          Txn.builder().ifAtRevision(use.key(), use.modRevision()).delete(use.key()).build();
      deleted += datastore.commit(deletion) instanceof CommitResult.Committed ? 1 : 0;
    }
    return deleted;
  }
}
