package io.margay.ipam;

import io.margay.datastore.KeyValue;
import io.margay.datastore.Txn;
import io.margay.ipam.BlockCache.Survey;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Addresses for one handle: what it already has, then from the node's own blocks, then from a
/// newly claimed one, then borrowed.
final class AssignOperation extends Operation<AssignResult> {

  private final AssignRequest request;
  private List<Assignment> assignments = List.of();
  private SameTxn.Extras extras = SameTxn.Extras.NONE;
  private boolean handleBlocksRead;
  private boolean ownBlocksRead;
  private boolean sharedIsPristine;

  AssignOperation(AssignRequest request) {
    this.request = request;
  }

  /// Thrown and caught inside `plan` alone: why this attempt stops early.
  private static final class Stop extends Exception {
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

  /// What the handle already holds.
  private Handle existing(Plan plan, List<Assignment> found) throws Stop {
    Handle handle = plan.handle(request.handleId());
    if (handle == null) {
      return Handle.empty(request.handleId());
    }
    List<String> unread = new ArrayList<>();
    Handle counted = handle;
    for (Map.Entry<Prefix, Integer> entry : handle.countByBlock().entrySet()) {
      Prefix cidr = entry.getKey();
      plan.guardBlock(cidr);
      Block block = plan.block(cidr);
      if (block == null) {
        unread.add(IpamKeys.block(cidr));
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
      // The blocks are the truth; the handle is only their index.
      counted = counted.adjusted(cidr, held - entry.getValue());
    }
    if (!unread.isEmpty() && !handleBlocksRead) {
      handleBlocksRead = true;
      throw new Stop(new Step.Needs(new Read.Keys(unread)));
    }
    return counted;
  }

  private Handle assign(
      View view, Plan plan, IpFamily family, Handle before, List<Assignment> found) throws Stop {
    int wanted =
        (family == IpFamily.IPV4 ? request.ipv4Count() : request.ipv6Count())
            - (int) found.stream().filter(held -> held.address().family() == family).count();
    if (wanted <= 0) {
      return before;
    }
    List<Pool> eligible = view.pools().eligible(family, request.node(), request.pools());
    if (eligible.isEmpty()) {
      throw finished(new AssignResult.NoPool(family, noPoolReason(view.pools(), family)));
    }
    Need need = new Need(view, plan, family, eligible, wanted, before, found);
    need.fromOwnBlocks();
    if (need.wanted > 0) {
      need.fromNewBlocks();
    }
    if (need.wanted > 0) {
      need.borrowed();
    }
    return need.handle;
  }

  private String noPoolReason(Pools pools, IpFamily family) {
    long known = pools.pools().stream().filter(pool -> pool.family() == family).count();
    return "none of "
        + known
        + " IPv"
        + family.version()
        + " pools may be used by node "
        + request.node()
        + (request.pools().isEmpty()
            ? ": check disabled, assignmentMode, allowedUses and nodeSelector of the IPPools"
            : ": the request names " + request.pools());
  }

  private Stop finished(AssignResult answer) {
    if (!sharedIsPristine) {
      return new Stop(new Step.Later());
    }
    finish(answer);
    return new Stop(new Step.Finished());
  }

  @Override
  void replan() {
    handleBlocksRead = false;
    ownBlocksRead = false;
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

  /// One family's share of the request.
  private final class Need {
    private final View view;
    private final Plan plan;
    private final IpFamily family;
    private final List<Pool> eligible;
    private final List<Assignment> found;
    private int wanted;
    private Handle handle;

    Need(
        View view,
        Plan plan,
        IpFamily family,
        List<Pool> eligible,
        int wanted,
        Handle handle,
        List<Assignment> found) {
      this.view = view;
      this.plan = plan;
      this.family = family;
      this.eligible = eligible;
      this.wanted = wanted;
      this.handle = handle;
      this.found = found;
    }

    /// Takes what `block` has.
    ///
    /// @return whether it had any
    private boolean takeFrom(Block block) {
      Block rested = block.rested(view.now(), view.config().cooldown());
      Block.Taken taken =
          rested.take(
              wanted,
              Block.Attribute.of(request.handleId(), request.attributes()),
              view.pools()::isReserved);
      if (taken.addresses().isEmpty()) {
        return false;
      }
      plan.put(taken.block());
      boolean borrowed = !block.isAffineTo(request.node());
      taken
          .addresses()
          .forEach(
              address ->
                  found.add(
                      new Assignment(address, block.cidr(), block.sequenceNumber(), borrowed)));
      handle = handle.adjusted(block.cidr(), taken.addresses().size());
      wanted -= taken.addresses().size();
      return true;
    }

    void fromOwnBlocks() throws Stop {
      List<String> unread = new ArrayList<>();
      for (Map.Entry<Prefix, BlockAffinity> claim : plan.affinities(request.node()).entrySet()) {
        Prefix cidr = claim.getKey();
        if (wanted == 0) {
          return;
        }
        if (!isEligible(cidr)) {
          continue;
        }
        Block block = plan.block(cidr);
        if (block == null) {
          unread.add(IpamKeys.block(cidr));
        } else if (block.isAffineTo(request.node())
            && takeFrom(block)
            && claim.getValue().state() != BlockAffinity.State.CONFIRMED) {
          plan.confirm(request.node(), cidr);
        }
      }
      if (wanted > 0 && !unread.isEmpty() && !ownBlocksRead) {
        ownBlocksRead = true;
        throw new Stop(new Step.Needs(new Read.Keys(unread)));
      }
    }

    private boolean isEligible(Prefix cidr) {
      return cidr.family() == family
          && !plan.cache().isUnreadable(cidr)
          && eligible.stream().anyMatch(pool -> pool.cidr().contains(cidr));
    }

    void fromNewBlocks() throws Stop {
      if (!view.config().autoAllocateBlocks()) {
        return;
      }
      // A claim whose block is missing is a claim that was interrupted: finish it before making
      // another.
      for (Prefix cidr : plan.affinities(request.node()).keySet()) {
        if (wanted > 0 && isEligible(cidr) && plan.block(cidr) == null) {
          claim(cidr);
        }
      }
      while (wanted > 0) {
        int owned =
            (int)
                plan.affinities(request.node()).keySet().stream()
                    .filter(cidr -> cidr.family() == family)
                    .count();
        if (owned >= view.config().blockLimit()) {
          throw finished(new AssignResult.BlockLimit(family, view.config().blockLimit()));
        }
        Survey survey = survey();
        Optional<Prefix> free = Optional.empty();
        for (Pool pool : eligible) {
          free = BlockChoice.unclaimed(pool, request.node(), survey, plan, view.pools());
          if (free.isPresent()) {
            break;
          }
        }
        if (free.isEmpty() || !claim(free.get())) {
          return;
        }
      }
    }

    private boolean claim(Prefix cidr) {
      boolean took = takeFrom(Block.create(cidr, Block.hostAffinity(request.node()), view.now()));
      if (took) {
        plan.confirm(request.node(), cidr);
      }
      return took;
    }

    void borrowed() throws Stop {
      Survey survey = survey();
      if (!view.config().strictAffinity()) {
        for (Prefix cidr : BlockChoice.lenders(family, eligible, request.node(), survey)) {
          Block block = plan.block(cidr);
          if (wanted > 0 && block != null) {
            takeFrom(block);
          }
        }
      }
      if (wanted > 0) {
        throw finished(
            new AssignResult.PoolExhausted(
                family,
                "no free address for node "
                    + request.node()
                    + " in "
                    + eligible.stream().map(pool -> pool.cidr().toString()).toList()
                    + (view.config().strictAffinity() ? " (strictAffinity forbids borrowing)" : "")
                    + "; add an IPPool"));
      }
    }

    private Survey survey() throws Stop {
      @Nullable Survey survey = plan.cache().survey(family);
      if (survey == null || !isFresh(survey.tick())) {
        throw new Stop(new Step.Needs(new Read.Survey(family)));
      }
      return survey;
    }
  }
}
