package io.margay.ipam;

import io.margay.datastore.KeyValue;
import io.margay.datastore.Txn;
import io.margay.ipam.IpamKeys.AffinityKey;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/// Addresses that are in use on a node change their handle, all in one transaction. What the store
/// forgot meanwhile is taken anew, if nobody else has it; done already is done.
final class MoveOperation extends Operation<MoveResult> {

  private final MoveRequest request;
  private List<Assignment> assignments = List.of();
  private List<String> remarks = List.of();
  private SameTxn.Extras extras = SameTxn.Extras.NONE;
  private boolean read;

  MoveOperation(MoveRequest request) {
    this.request = request;
  }

  @Override
  Step plan(View view, Plan shared) {
    if (shared.cache().affinities(request.node()) == null) {
      return new Step.Needs(new Read.Node(request.node()));
    }
    if (!read) {
      read = true;
      Set<String> keys = new LinkedHashSet<>();
      request.blockByAddress().values().forEach(cidr -> keys.add(IpamKeys.block(cidr)));
      keys.add(IpamKeys.handle(request.from()));
      keys.add(IpamKeys.handle(request.to()));
      return new Step.Needs(new Read.Keys(List.copyOf(keys)));
    }
    Plan plan = shared.copy();
    List<Assignment> moved = new ArrayList<>();
    Set<String> odd = new LinkedHashSet<>();
    plan.guardHandle(request.from());
    plan.guardHandle(request.to());
    for (Map.Entry<IpAddress, Prefix> each : new TreeMap<>(request.blockByAddress()).entrySet()) {
      Optional<Step> no = move(view, shared, plan, each.getKey(), each.getValue(), moved, odd);
      if (no.isPresent()) {
        return no.get();
      }
    }
    assignments = List.copyOf(moved);
    remarks = List.copyOf(odd);
    extras = request.sameTxn().with(assignments);
    return plan.add(extras) ? new Step.Planned(plan) : new Step.Later();
  }

  private Optional<Step> move(
      View view,
      Plan shared,
      Plan plan,
      IpAddress address,
      Prefix cidr,
      List<Assignment> moved,
      Set<String> odd) {
    Optional<Unreadable> unreadable = plan.cache().unreadable(cidr);
    if (unreadable.isPresent()) {
      return Optional.of(
          elsewhere(shared, address, "its block can't be read: " + unreadable.get().sentence()));
    }
    Block stored = plan.block(cidr);
    Block block =
        stored == null
            ? Block.create(cidr, Block.hostAffinity(request.node()), view.now())
            : stored;
    Optional<Block.Allocation> held = block.allocationOf(address);
    Optional<String> holder = held.flatMap(each -> each.holder().cleanHandleId());
    boolean rests = held.map(Block.Allocation::isResting).orElse(false);
    long sequenceNumber = block.sequenceNumber();
    Block.Attribute mine = Block.Attribute.of(request.to(), request.attributes());
    if (held.isEmpty()) {
      odd.add(address + " was free in the store and is taken anew");
      plan.put(block.takeExactly(address, mine));
      count(plan, request.to(), cidr, 1);
    } else if (!rests && holder.equals(Optional.of(request.to()))) {
      sequenceNumber = held.get().sequenceNumber();
      plan.guardBlock(cidr);
    } else if (rests || holder.equals(Optional.of(request.from()))) {
      if (rests) {
        odd.add(address + " was freed in the store and still rested");
      } else {
        count(plan, request.from(), cidr, -1);
      }
      plan.put(block.reassign(address, mine));
      count(plan, request.to(), cidr, 1);
    } else {
      return Optional.of(
          elsewhere(
              shared,
              address,
              "it is held by " + holder.orElse("somebody without a handle") + " by now"));
    }
    settleClaim(plan, block, odd);
    moved.add(new Assignment(address, cidr, sequenceNumber, !block.isAffineTo(request.node())));
    return Optional.empty();
  }

  private static void count(Plan plan, String handleId, Prefix cidr, int delta) {
    Handle handle = plan.handle(handleId);
    plan.put((handle == null ? Handle.empty(handleId) : handle).adjusted(cidr, delta));
  }

  /// While we were away somebody may have begun, or finished, to take the block from the node.
  private void settleClaim(Plan plan, Block block, Set<String> odd) {
    String node = request.node();
    if (!block.isAffineTo(node)) {
      odd.add(
          "block "
              + block.cidr()
              + " is no longer node "
              + node
              + "'s but "
              + block.owner().map(whose -> whose + "'s").orElse("nobody's")
              + ": its addresses are announced one by one");
      return;
    }
    BlockAffinity claim = plan.affinities(node).get(block.cidr());
    if (claim != null && claim.state() == BlockAffinity.State.CONFIRMED) {
      plan.guardClaim(node, block.cidr());
    } else if (!plan.cache().isUnreadable(new AffinityKey(node, block.cidr()))) {
      odd.add(
          "the claim to block "
              + block.cidr()
              + " was "
              + (claim == null ? "gone" : claim.state().text())
              + " and is confirmed again");
      Block planned = plan.block(block.cidr());
      // A new revision of the block, whether or not anything else changes in it.
      plan.put(planned == null ? block : planned);
      plan.confirm(node, block.cidr());
    }
  }

  private Step elsewhere(Plan shared, IpAddress address, String reason) {
    if (!shared.isPristine()) {
      return new Step.Later();
    }
    finish(new MoveResult.Elsewhere(address, reason));
    return new Step.Finished();
  }

  @Override
  void replan() {
    read = false;
  }

  @Override
  void committed(long revision) {
    finish(new MoveResult.Moved(assignments, remarks));
  }

  @Override
  List<Txn.Condition> extraConditions() {
    return extras.conditions();
  }

  @Override
  void refused(Map<String, KeyValue> current) {
    finish(new MoveResult.ExtraConflict(current));
  }
}
