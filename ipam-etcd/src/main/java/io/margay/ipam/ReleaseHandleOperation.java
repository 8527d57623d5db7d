package io.margay.ipam;

import io.margay.datastore.KeyValue;
import io.margay.datastore.Txn;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Everything one handle holds goes, in one transaction.
final class ReleaseHandleOperation extends Operation<ReleaseResult> {

  private final String handleId;
  private final SameTxn.Extras extras;
  private List<IpAddress> freed = List.of();
  private boolean handleRead;
  private boolean blocksRead;

  ReleaseHandleOperation(String handleId, SameTxn.Extras extras) {
    this.handleId = handleId;
    this.extras = extras;
  }

  @Override
  Step plan(View view, Plan shared) {
    Plan plan = shared.copy();
    Handle handle = plan.handle(handleId);
    if (handle == null && !handleRead) {
      handleRead = true;
      return new Step.Needs(new Read.Keys(List.of(IpamKeys.handle(handleId))));
    }
    List<IpAddress> going = new ArrayList<>();
    if (handle == null) {
      // An assignment may be on its way: it must not slip in behind what is concluded here.
      plan.guardHandle(handleId);
    } else {
      List<String> unread = plan.unknownBlocks(handle);
      if (!unread.isEmpty() && !blocksRead) {
        blocksRead = true;
        return new Step.Needs(new Read.Keys(unread));
      }
      for (Map.Entry<Prefix, Integer> entry : handle.countByBlock().entrySet()) {
        plan.guardBlock(entry.getKey());
        Block block = plan.block(entry.getKey());
        if (block != null) {
          Optional<Step> first = freeAll(view, plan, block, entry.getValue(), going);
          if (first.isPresent()) {
            return first.get();
          }
        }
      }
      plan.put(new Handle(handleId, Map.of(), handle.deleted(), handle.unknown()));
    }
    freed = List.copyOf(going);
    if (!plan.add(extras)) {
      return new Step.Later();
    }
    if (handle == null && !shared.isPristine()) {
      return new Step.Later();
    }
    if (handle == null && extras.conditions().isEmpty() && extras.writes().isEmpty()) {
      finish(new ReleaseResult.Released(List.of()));
      return new Step.Finished();
    }
    return new Step.Planned(plan);
  }

  private Optional<Step> freeAll(
      View view, Plan plan, Block block, int promised, List<IpAddress> going) {
    List<IpAddress> held =
        block.allocated().stream()
            .filter(allocation -> allocation.holder().cleanHandleId().equals(Optional.of(handleId)))
            .map(Block.Allocation::address)
            .toList();
    going.addAll(held);
    if (held.isEmpty()) {
      // Whoever counted in the handle first and was about to write the block finds a new revision
      // there, and looks again.
      if (promised > 0) {
        plan.put(block);
      }
      return Optional.empty();
    }
    return Freed.settle(view, plan, block.free(held, view.now(), plan.cooldown()));
  }

  @Override
  void replan() {
    handleRead = false;
    blocksRead = false;
  }

  @Override
  void committed(long revision) {
    finish(new ReleaseResult.Released(freed));
  }

  @Override
  List<Txn.Condition> extraConditions() {
    return extras.conditions();
  }

  @Override
  void refused(Map<String, KeyValue> current) {
    finish(new ReleaseResult.ExtraConflict(current));
  }
}
