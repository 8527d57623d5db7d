package io.margay.ipam;

import io.margay.datastore.KeyValue;
import io.margay.datastore.Txn;
import io.margay.model.net.Prefix;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// One particular address for one handle. Reservations don't bind it; pools do, except for their
/// selectors.
final class AssignIpOperation extends Operation<AssignResult> {

  private final AssignIpRequest request;
  private List<Assignment> assignments = List.of();
  private SameTxn.Extras extras = SameTxn.Extras.NONE;
  private boolean read;

  AssignIpOperation(AssignIpRequest request) {
    this.request = request;
  }

  @Override
  Step plan(View view, Plan shared) {
    if (shared.cache().affinities(request.node()) == null) {
      return new Step.Needs(new Read.Node(request.node()));
    }
    Optional<Pool> pool =
        view.pools().pools().stream()
            .filter(
                candidate -> !candidate.disabled() && candidate.cidr().contains(request.address()))
            .findFirst();
    if (pool.isEmpty()) {
      return unavailable(shared, "it lies in no enabled IPPool");
    }
    Prefix cidr = Prefix.containing(request.address(), pool.get().blockSize());
    Plan plan = shared.copy();
    Block stored = plan.block(cidr);
    // Rare, and a belief is not enough to say no: always look first.
    if (!read) {
      read = true;
      return new Step.Needs(
          new Read.Keys(List.of(IpamKeys.block(cidr), IpamKeys.handle(request.handleId()))));
    }
    if (plan.cache().isUnreadable(cidr)) {
      return unavailable(shared, "block " + cidr + " can't be read");
    }
    boolean created = stored == null;
    Block block =
        stored == null
            ? Block.create(cidr, Block.hostAffinity(request.node()), view.now())
            : stored.rested(view.now(), view.config().cooldown());
    boolean own = block.isAffineTo(request.node());
    if (view.config().strictAffinity() && !own) {
      return unavailable(
          shared,
          "strictAffinity is set and block " + cidr + " is not node " + request.node() + "'s");
    }
    Optional<Block.Allocation> holder = block.allocationOf(request.address());
    long sequenceNumber = block.sequenceNumber();
    if (holder.isPresent()) {
      if (holder.get().isResting()
          || !holder.get().holder().cleanHandleId().equals(Optional.of(request.handleId()))) {
        return unavailable(
            shared,
            holder.get().isResting()
                ? "it was freed a moment ago and still rests"
                : "it is held by "
                    + holder.get().holder().cleanHandleId().orElse("somebody without a handle"));
      }
      sequenceNumber = holder.get().sequenceNumber();
      plan.guardHandle(request.handleId());
      plan.guardBlock(cidr);
    } else {
      plan.put(
          block.takeExactly(
              request.address(), Block.Attribute.of(request.handleId(), request.attributes())));
      Handle handle = plan.handle(request.handleId());
      plan.put((handle == null ? Handle.empty(request.handleId()) : handle).adjusted(cidr, 1));
      if (created) {
        plan.confirm(request.node(), cidr);
      }
    }
    assignments = List.of(new Assignment(request.address(), cidr, sequenceNumber, !own));
    extras = request.sameTxn().with(assignments);
    return plan.add(extras) ? new Step.Planned(plan) : new Step.Later();
  }

  private Step unavailable(Plan shared, String reason) {
    if (!shared.isPristine()) {
      return new Step.Later();
    }
    finish(new AssignResult.Unavailable(request.address(), reason));
    return new Step.Finished();
  }

  @Override
  void replan() {
    read = false;
  }

  @Override
  void committed(long revision) {
    finish(new AssignResult.Assigned(assignments, revision));
  }

  @Override
  List<Txn.Condition> extraConditions() {
    return extras.conditions();
  }

  @Override
  void refused(Map<String, KeyValue> current) {
    finish(new AssignResult.ExtraConflict(current));
  }
}
