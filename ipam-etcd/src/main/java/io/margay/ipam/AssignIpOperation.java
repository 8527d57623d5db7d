package io.margay.ipam;

import io.margay.datastore.KeyValue;
import io.margay.datastore.Txn;
import io.margay.ipam.BlockCache.Stored;
import io.margay.ipam.BlockCache.Survey;
import io.margay.ipam.IpamKeys.AffinityKey;
import io.margay.model.net.Prefix;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// One particular address for one handle. Reservations don't bind it; pools do, except for their
/// selectors, and so does the cooldown: as in Calico, an address that was freed is held until it
/// has passed, whoever asks.
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
    Optional<Pool> pool = view.pools().around(request.address().toHostPrefix());
    Optional<String> closed = pool.flatMap(Pools::closed);
    if (pool.isEmpty() || closed.isPresent()) {
      return unavailable(
          shared,
          closed
              .map(why -> "it lies in no enabled IPPool: " + pool.get().name() + " " + why)
              .orElse("it lies in no enabled IPPool"));
    }
    if (request.use().isPresent() && !pool.get().uses().contains(request.use().get())) {
      return unavailable(
          shared, "IPPool " + pool.get().name() + " is not for this use (allowedUses)");
    }
    // Rare, and a belief is not enough to say no: always look first.
    if (!read) {
      read = true;
      return new Step.Needs(
          new Read.Keys(
              List.of(
                  IpamKeys.block(Prefix.containing(request.address(), pool.get().blockSize())),
                  IpamKeys.handle(request.handleId()),
                  IpamKeys.CONFIG)));
    }
    Plan plan = shared.copy();
    Prefix cidr = Prefix.containing(request.address(), pool.get().blockSize());
    if (plan.block(cidr) == null && !plan.cache().isUnreadable(cidr)) {
      // The pool may have held blocks of another size before.
      Survey survey = plan.cache().survey(cidr.family());
      if (survey == null || !isFresh(survey.tick())) {
        return new Step.Needs(new Read.Survey(cidr.family()));
      }
      Optional<Block> around = plan.cache().blockAround(request.address()).map(Stored::value);
      if (around.isPresent()) {
        cidr = around.get().cidr();
      } else if (BlockChoice.overlapsExisting(cidr, survey.taken())) {
        return unavailable(shared, "its block " + cidr + " would overlap one of another size");
      }
    }
    Optional<Unreadable> unreadable = plan.cache().unreadable(cidr);
    if (unreadable.isPresent()) {
      return unavailable(shared, "its block can't be read: " + unreadable.get().sentence());
    }
    return take(view, shared, plan, cidr);
  }

  private Step take(View view, Plan shared, Plan plan, Prefix cidr) {
    Block stored = plan.block(cidr);
    Block block =
        stored == null
            ? Block.create(cidr, Block.hostAffinity(request.node()), view.now())
            : stored.rested(view.now(), plan.config().cooldown());
    boolean own = block.isAffineTo(request.node());
    if (plan.config().strictAffinity() && !own) {
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
                ? resting(holder.get(), plan.config())
                : "it is held by "
                    + holder.get().holder().cleanHandleId().orElse("somebody without a handle"));
      }
      sequenceNumber = holder.get().sequenceNumber();
      plan.guardHandle(request.handleId());
      plan.guardBlock(cidr);
    } else if (view.live().isOfAnother(request.address(), request.handleId())) {
      return unavailable(
          shared, "another pod of this node has it, though the datastore calls it free");
    } else {
      plan.put(
          block.takeExactly(
              request.address(), Block.Attribute.of(request.handleId(), request.attributes())));
      Handle handle = plan.handle(request.handleId());
      plan.put((handle == null ? Handle.empty(request.handleId()) : handle).adjusted(cidr, 1));
      settleClaim(plan, cidr, own);
    }
    assignments = List.of(new Assignment(request.address(), cidr, sequenceNumber, !own));
    extras = request.sameTxn().with(assignments);
    return plan.add(extras) ? new Step.Planned(plan) : new Step.Later();
  }

  private static String resting(Block.Allocation freed, IpamConfig config) {
    return "it was freed at "
        + freed.holder().releasedAt().orElseThrow()
        + " and rests for "
        + config.cooldown().toSeconds()
        + " s (ipCooldownSeconds)";
  }

  /// The block is new, or somebody's claim to it was left unfinished.
  private void settleClaim(Plan plan, Prefix cidr, boolean own) {
    BlockAffinity claim = plan.affinities(request.node()).get(cidr);
    if (!own || plan.cache().isUnreadable(new AffinityKey(request.node(), cidr))) {
      return;
    }
    if (claim != null && claim.state() == BlockAffinity.State.CONFIRMED) {
      plan.guardClaim(request.node(), cidr);
    } else {
      plan.confirm(request.node(), cidr);
    }
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
