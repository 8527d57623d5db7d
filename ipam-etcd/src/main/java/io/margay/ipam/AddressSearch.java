package io.margay.ipam;

import io.margay.ipam.AssignOperation.Stop;
import io.margay.ipam.BlockCache.Survey;
import io.margay.ipam.IpamKeys.AffinityKey;
import io.margay.ipam.Operation.Read;
import io.margay.ipam.Operation.Step;
import io.margay.ipam.Operation.View;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// One family's share of a request, in Calico's order: the node's own blocks, a block nobody has,
/// an empty one of somebody else's, and if the cluster allows it single addresses of others'
/// blocks. On the way it finishes what another writer of the same keys left half done: claims
/// without a block, blocks without a claim, claims nobody confirmed, claims to what is another's.
final class AddressSearch {

  /// Blocks of pools that no longer select the node, given back in passing by one request.
  private static final int MAX_TIDIED = 2;

  private final AssignOperation operation;
  private final AssignRequest request;
  private final View view;
  private final Plan plan;
  private final IpFamily family;
  private final List<Pool> eligible;
  private final List<Assignment> found;
  private int wanted;
  private Handle handle;

  AddressSearch(
      AssignOperation operation,
      AssignRequest request,
      View view,
      Plan plan,
      IpFamily family,
      List<Pool> eligible,
      int wanted,
      Handle handle,
      List<Assignment> found) {
    this.operation = operation;
    this.request = request;
    this.view = view;
    this.plan = plan;
    this.family = family;
    this.eligible = eligible;
    this.wanted = wanted;
    this.handle = handle;
    this.found = found;
  }

  /// The request's handle with what was found.
  Handle handle() {
    return handle;
  }

  void run() throws Stop {
    fromOwnBlocks();
    if (wanted > 0) {
      fromNewBlocks();
    }
    if (wanted > 0) {
      borrowed();
    }
  }

  /// Takes what `block` has.
  ///
  /// @return whether it had any
  private boolean takeFrom(Block block) {
    if (block.deleted()) {
      return false;
    }
    Block rested = block.rested(view.now(), plan.config().cooldown());
    Block.Taken taken =
        rested.take(
            wanted,
            Block.Attribute.of(request.handleId(), request.attributes()),
            address ->
                view.pools().isReserved(address)
                    || view.live().isOfAnother(address, request.handleId()));
    if (taken.addresses().isEmpty()) {
      return false;
    }
    plan.put(taken.block());
    boolean borrowed = !block.isAffineTo(request.node());
    taken
        .addresses()
        .forEach(
            address ->
                found.add(new Assignment(address, block.cidr(), block.sequenceNumber(), borrowed)));
    handle = handle.adjusted(block.cidr(), taken.addresses().size());
    wanted -= taken.addresses().size();
    return true;
  }

  private void fromOwnBlocks() throws Stop {
    List<String> unread = new ArrayList<>();
    int tidied = 0;
    for (Map.Entry<Prefix, BlockAffinity> claim : plan.affinities(request.node()).entrySet()) {
      Prefix cidr = claim.getKey();
      if (cidr.family() != family || plan.cache().isUnreadable(cidr)) {
        continue;
      }
      Block block = plan.block(cidr);
      boolean usable = isEligible(cidr);
      if (block == null) {
        if (wanted > 0 && usable) {
          unread.add(IpamKeys.block(cidr));
        }
      } else if (!block.isAffineTo(request.node())) {
        // Somebody else was faster, or took it over: the claim is worth nothing and stays away from
        // what others read.
        plan.guardBlock(cidr);
        plan.dropClaim(request.node(), cidr);
      } else if (usable) {
        useOwn(block, claim.getValue());
      } else if (tidied < MAX_TIDIED && giveBackIfDeselected(block)) {
        tidied++;
      }
    }
    if (wanted > 0) {
      operation.needOwnBlocks(unread);
    }
  }

  private void useOwn(Block block, BlockAffinity claim) {
    boolean took = wanted > 0 && takeFrom(block);
    if (claim.state() == BlockAffinity.State.CONFIRMED) {
      if (took) {
        plan.guardClaim(request.node(), block.cidr());
      }
      return;
    }
    if (!took) {
      // A new revision stops whoever was about to delete the block as he read it.
      plan.put(block);
    }
    plan.confirm(request.node(), block.cidr());
  }

  /// A pool's nodeSelector may have changed since the block was claimed. What is in use stays.
  private boolean giveBackIfDeselected(Block block) {
    if (!view.pools().isDeselected(request.node(), block.cidr())
        || !block.rested(view.now(), plan.config().cooldown()).isWhollyFree()) {
      return false;
    }
    plan.delete(block.cidr());
    plan.dropClaim(request.node(), block.cidr());
    return true;
  }

  private boolean isEligible(Prefix cidr) {
    return cidr.family() == family
        && !plan.cache().isUnreadable(cidr)
        && eligible.stream().anyMatch(pool -> pool.cidr().contains(cidr));
  }

  private void fromNewBlocks() throws Stop {
    if (!plan.config().autoAllocateBlocks()) {
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
      requireRoom();
      NavigableSet<Prefix> recent = plan.cache().recentlyTaken(family, view.now());
      if (!isSurveyed() && recent != null && claimFree(recent)) {
        continue;
      }
      Survey survey = survey();
      if (!adoptUnclaimed(survey) && !claimFree(survey.taken()) && !reclaim(survey)) {
        return;
      }
    }
  }

  /// Ends the search when the node may not own another block.
  private void requireRoom() throws Stop {
    int limit = plan.config().blockLimit(request.terms().maxBlocks());
    List<Prefix> owned =
        plan.affinities(request.node()).keySet().stream().filter(this::isEligible).toList();
    if (owned.size() >= limit) {
      List<String> keys = new ArrayList<>(owned.stream().map(IpamKeys::block).toList());
      keys.add(IpamKeys.CONFIG);
      operation.needOwnBlocksAgain(keys);
      throw operation.finished(new AssignResult.BlockLimit(family, limit));
    }
  }

  /// A block that names this node, with no claim to it: somebody's release stopped half way.
  private boolean adoptUnclaimed(Survey survey) {
    for (Prefix cidr : survey.blocks().keySet()) {
      Block block = plan.block(cidr);
      if (block != null
          && block.isAffineTo(request.node())
          && isEligible(cidr)
          && !plan.affinities(request.node()).containsKey(cidr)
          && !plan.cache().isUnreadable(new AffinityKey(request.node(), cidr))
          && takeFrom(block)) {
        plan.confirm(request.node(), cidr);
        return true;
      }
    }
    return false;
  }

  private boolean claimFree(NavigableSet<Prefix> taken) {
    for (Pool pool : eligible) {
      Optional<Prefix> free =
          BlockChoice.unclaimed(pool, request.node(), view.now(), taken, plan, view.pools());
      if (free.isPresent()) {
        return claim(free.get());
      }
    }
    return false;
  }

  private boolean claim(Prefix cidr) {
    return claim(Block.create(cidr, Block.hostAffinity(request.node()), view.now()));
  }

  private boolean claim(Block block) {
    boolean took = takeFrom(block);
    if (took) {
      plan.confirm(request.node(), block.cidr());
    }
    return took;
  }

  /// Takes over a block that its owner does not use. In one transaction: the owner's claim goes,
  /// the block begins anew, ours is confirmed; whoever still believes in the old block finds its
  /// revision gone.
  private boolean reclaim(Survey survey) throws Stop {
    for (Block candidate : BlockChoice.idle(eligible, request.node(), view, survey, plan)) {
      Prefix cidr = candidate.cidr();
      if (plan.cache().isUnreadable(new AffinityKey(request.node(), cidr))) {
        continue;
      }
      Optional<String> owner = candidate.owner();
      if (owner.isPresent()) {
        if (!plan.knowsClaim(owner.get(), cidr)) {
          throw new Stop(
              new Step.Needs(new Read.Keys(List.of(IpamKeys.affinity(owner.get(), cidr)))));
        }
        if (plan.cache().isUnreadable(new AffinityKey(owner.get(), cidr))) {
          continue;
        }
      }
      if (claim(
          Block.create(
              cidr, Block.hostAffinity(request.node()), view.now(), candidate.sequenceNumber()))) {
        owner.ifPresent(whose -> plan.dropClaim(whose, cidr));
        return true;
      }
    }
    return false;
  }

  private void borrowed() throws Stop {
    Survey survey = survey();
    if (!plan.config().strictAffinity() && !request.terms().forReserve()) {
      for (Prefix cidr : BlockChoice.lenders(family, eligible, request.node(), survey)) {
        Block block = plan.block(cidr);
        if (wanted > 0 && block != null) {
          takeFrom(block);
        }
      }
    }
    if (wanted > 0) {
      throw operation.finished(
          new AssignResult.PoolExhausted(
              family,
              "no free address for node "
                  + request.node()
                  + " in "
                  + eligible.stream().map(pool -> pool.cidr().toString()).toList()
                  + (plan.config().strictAffinity() ? " (strictAffinity forbids borrowing)" : "")
                  + "; add an IPPool"));
    }
  }

  private boolean isSurveyed() {
    Survey survey = plan.cache().survey(family);
    return survey != null && operation.isFresh(survey.tick());
  }

  private Survey survey() throws Stop {
    @Nullable Survey survey = plan.cache().survey(family);
    if (survey == null || !isSurveyed()) {
      throw new Stop(new Step.Needs(new Read.Survey(family)));
    }
    return survey;
  }
}
