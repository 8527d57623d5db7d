package io.margay.ipam;

import io.margay.datastore.KeyValue;
import io.margay.datastore.Txn;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Addresses for one handle: what it already has, and for each family what {@link AddressSearch}
/// finds. All of it or nothing.
final class AssignOperation extends Operation<AssignResult> {

  private final AssignRequest request;
  private List<Assignment> assignments = List.of();
  private SameTxn.Extras extras = SameTxn.Extras.NONE;
  private boolean handleBlocksRead;
  private boolean ownBlocksRead;
  private boolean ownBlocksReadAgain;
  private boolean sharedIsPristine;

  AssignOperation(AssignRequest request) {
    this.request = request;
  }

  /// Thrown and caught inside `plan` alone: why this attempt stops early.
  static final class Stop extends Exception {
    private static final long serialVersionUID = 1L;

    private final transient Step step;

    Stop(Step step) {
      super(null, null, false, false);
      this.step = step;
    }
  }

  @Override
  Step plan(View view, Plan shared) {
    if (shared.cache().affinities(request.node()) == null) {
      return new Step.Needs(new Read.Node(request.node()));
    }
    sharedIsPristine = shared.isPristine();
    Plan plan = shared.copy();
    List<Assignment> found = new ArrayList<>();
    try {
      Handle handle = existing(plan, found);
      for (IpFamily family : IpFamily.values()) {
        handle = assign(view, plan, family, handle, found);
      }
      if (plan.handle(request.handleId()) == null
          || !handle.equals(plan.handle(request.handleId()))) {
        plan.put(handle);
      } else {
        plan.guardHandle(request.handleId());
      }
    } catch (Stop stop) {
      return stop.step;
    }
    found.sort((a, b) -> a.address().family().compareTo(b.address().family()));
    assignments = List.copyOf(found);
    extras = request.sameTxn().with(assignments);
    return plan.add(extras) ? new Step.Planned(plan) : new Step.Later();
  }

  /// What the handle already holds. Where one of its blocks can't be read that is unknown, and
  /// there is no assignment: what it may hold there and something new would be too much.
  private Handle existing(Plan plan, List<Assignment> found) throws Stop {
    Handle handle = plan.handle(request.handleId());
    if (handle == null) {
      return Handle.empty(request.handleId());
    }
    List<String> unread = plan.unknownBlocks(handle);
    if (!unread.isEmpty() && !handleBlocksRead) {
      handleBlocksRead = true;
      throw new Stop(new Step.Needs(new Read.Keys(unread)));
    }
    Handle counted = handle;
    for (Map.Entry<Prefix, Integer> entry : handle.countByBlock().entrySet()) {
      Prefix cidr = entry.getKey();
      plan.guardBlock(cidr);
      Block block = plan.block(cidr);
      if (block == null) {
        counted = counted.adjusted(cidr, -entry.getValue());
        continue;
      }
      int held = 0;
      for (Block.Allocation allocation : block.allocated()) {
        if (allocation.holder().cleanHandleId().equals(Optional.of(request.handleId()))) {
          held++;
          found.add(
              new Assignment(
                  allocation.address(),
                  cidr,
                  allocation.sequenceNumber(),
                  !block.isAffineTo(request.node())));
        }
      }
      if (held != entry.getValue()) {
        // The blocks are the truth; the handle is only their index. One that promises more may be
        // the first step of a writer that is about to write the block: a new revision stops it.
        counted = counted.adjusted(cidr, held - entry.getValue());
        plan.put(block);
      }
    }
    return counted;
  }

  private Handle assign(
      View view, Plan plan, IpFamily family, Handle before, List<Assignment> found) throws Stop {
    int wanted =
        request.count(family) - (int) found.stream().filter(held -> counts(held, family)).count();
    if (wanted <= 0) {
      return before;
    }
    List<Pool> eligible = view.pools().eligible(family, request.asker());
    if (eligible.isEmpty()) {
      throw finished(
          new AssignResult.NoPool(family, view.pools().whyNone(family, request.asker())));
    }
    AddressSearch search =
        new AddressSearch(this, request, view, plan, family, eligible, wanted, before, found);
    search.run();
    return search.handle();
  }

  private boolean counts(Assignment held, IpFamily family) {
    return held.address().family() == family
        && (!request.terms().forReserve()
            || request.pools().stream().anyMatch(pool -> pool.contains(held.address())));
  }

  /// Ends the attempt with an answer, if what this attempt saw is what the store holds.
  Stop finished(AssignResult answer) {
    if (!sharedIsPristine) {
      return new Stop(new Step.Later());
    }
    finish(answer);
    return new Stop(new Step.Finished());
  }

  /// Has own blocks read that are not known yet; once an attempt, for what is not there then does
  /// not exist.
  void needOwnBlocks(List<String> unread) throws Stop {
    if (!unread.isEmpty() && !ownBlocksRead) {
      ownBlocksRead = true;
      throw new Stop(new Step.Needs(new Read.Keys(unread)));
    }
  }

  /// Has own blocks and the settings read again before a "no" that rests on them: others may have
  /// freed addresses or raised the limit.
  void needOwnBlocksAgain(List<String> keys) throws Stop {
    if (!ownBlocksReadAgain) {
      ownBlocksReadAgain = true;
      throw new Stop(new Step.Needs(new Read.Keys(keys)));
    }
  }

  @Override
  void replan() {
    handleBlocksRead = false;
    ownBlocksRead = false;
    ownBlocksReadAgain = false;
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
