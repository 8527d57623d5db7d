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
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/// What has to go when a node is deleted for good: its pods' endpoints and addresses, its tunnel
/// addresses and reserve, its blocks. The word of the person who deletes it takes the place of
/// witnesses. The Node itself is the caller's to delete, afterwards: should we die halfway,
/// deleting it again finishes the work.
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

    /// Nothing was done.
    ///
    /// @param reason one sentence: why, and what to do
    record Refused(String reason) implements Result {}
  }

  private final Datastore datastore;
  private final InstantSource clock;
  private final String node;
  private final IpamState state;

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
    Set<String> handles = new TreeSet<>();
    for (Stored<Block> block : state.blocks.values()) {
      for (Block.Allocation held : block.value().allocated()) {
        Holder holder = Holder.of(held);
        if (holder.node().equals(node) && held.holder().cleanHandleId().isPresent()) {
          handles.add(holder.handle());
        }
      }
    }
    int addresses = 0;
    for (String handle : handles) {
      addresses += release(handle);
    }
    int endpoints = deleteEndpoints();
    int blocks = new Claims(datastore, clock, node).release().changed();
    datastore.commit(
        Txn.builder().delete(AgentBeat.key(node)).delete(IpamKeys.HOSTS + node).build());
    return new Result.Done(endpoints, addresses, blocks);
  }

  /// Frees what a handle holds for the node; what it holds for others stays.
  private int release(String id) throws DatastoreException {
    String handleKey = IpamKeys.handle(id);
    for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      KeyValue stored = datastore.get(handleKey).orElse(null);
      if (stored == null) {
        return 0;
      }
      Handle handle = Handle.parse(id, stored.value());
      Txn.Builder txn = Txn.builder().ifAtRevision(handleKey, stored.modRevision());
      int freed = 0;
      Handle left = handle;
      for (Prefix cidr : handle.countByBlock().keySet()) {
        KeyValue item = datastore.get(IpamKeys.block(cidr)).orElse(null);
        if (item == null) {
          txn.ifAbsent(IpamKeys.block(cidr));
          left = left.adjusted(cidr, -handle.countByBlock().get(cidr));
          continue;
        }
        Block block = Block.parse(item.key(), item.value());
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
        freed += going.size();
        left = left.adjusted(cidr, -going.size());
      }
      if (left.isEmpty()) {
        txn.delete(handleKey);
      } else {
        txn.put(handleKey, left.toJson());
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

  private int deleteEndpoints() throws DatastoreException {
    int deleted = 0;
    Set<String> told = new HashSet<>();
    for (List<IpamState.Use> uses : state.uses.values()) {
      for (IpamState.Use use : uses) {
        if (use.node().equals(node) && told.add(use.key())) {
          Txn deletion =
              Txn.builder().ifAtRevision(use.key(), use.modRevision()).delete(use.key()).build();
          deleted += datastore.commit(deletion) instanceof CommitResult.Committed ? 1 : 0;
        }
      }
    }
    return deleted;
  }
}
