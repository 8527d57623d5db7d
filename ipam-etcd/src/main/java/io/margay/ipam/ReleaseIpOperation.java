package io.margay.ipam;

import io.margay.datastore.KeyValue;
import io.margay.datastore.Txn;
import io.margay.ipam.BlockCache.Stored;
import io.margay.ipam.BlockCache.Survey;
import io.margay.model.net.Prefix;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// One address goes, if it is still held by whom, and since when, the request says.
final class ReleaseIpOperation extends Operation<ReleaseResult> {

  private final Release release;
  private boolean freed;
  private boolean blockRead;
  private boolean handleRead;

  ReleaseIpOperation(Release release) {
    this.release = release;
  }

  @Override
  Step plan(View view, Plan shared) {
    try {
      return planReadable(view, shared);
    } catch (UnreadableException unreadable) {
      // Of several addresses each has its own answer.
      shared.cache().doubt(unreadable.document());
      return answer(
          shared, new ReleaseResult.Refused(release.address(), unreadable.document().sentence()));
    }
  }

  private Step planReadable(View view, Plan shared) {
    Plan plan = shared.copy();
    Optional<Pool> pool = view.pools().around(release.address().toHostPrefix());
    if (pool.isPresent() && !blockRead) {
      blockRead = true;
      return new Step.Needs(
          new Read.Keys(
              List.of(
                  IpamKeys.block(Prefix.containing(release.address(), pool.get().blockSize())))));
    }
    Optional<Block> block = around(plan);
    if (block.isEmpty()) {
      // No pool says how large its block is, or not any more.
      Survey survey = shared.cache().survey(release.address().family());
      if (survey == null || !isFresh(survey.tick())) {
        return new Step.Needs(new Read.Survey(release.address().family()));
      }
      plan.cache().requireReadable(release.address());
    }
    Optional<Block.Allocation> held = block.flatMap(found -> found.allocationOf(release.address()));
    if (block.isEmpty() || held.isEmpty() || held.get().isResting()) {
      return answer(shared, new ReleaseResult.Released(List.of()));
    }
    Optional<String> wrong = mismatch(held.get());
    if (wrong.isPresent()) {
      return answer(shared, new ReleaseResult.Refused(release.address(), wrong.get()));
    }
    Optional<String> handleId = held.get().holder().cleanHandleId();
    if (handleId.isPresent()) {
      Handle handle = plan.handle(handleId.get());
      if (handle == null && !handleRead) {
        handleRead = true;
        return new Step.Needs(new Read.Keys(List.of(IpamKeys.handle(handleId.get()))));
      }
      if (handle == null) {
        plan.guardHandle(handleId.get());
      } else {
        plan.put(handle.adjusted(block.get().cidr(), -1));
      }
    }
    Optional<Step> first =
        Freed.settle(
            view, plan, block.get().free(List.of(release.address()), view.now(), plan.cooldown()));
    freed = true;
    return first.orElseGet(() -> new Step.Planned(plan));
  }

  private Optional<Block> around(Plan plan) {
    return plan.cache()
        .blockAround(release.address())
        .map(Stored::value)
        .map(Block::cidr)
        .map(plan::block);
  }

  private Step answer(Plan shared, ReleaseResult result) {
    if (!shared.isPristine()) {
      return new Step.Later();
    }
    finish(result);
    return new Step.Finished();
  }

  private Optional<String> mismatch(Block.Allocation held) {
    if (release.handleId().isPresent()
        && !held.holder().cleanHandleId().equals(release.handleId())) {
      return Optional.of(
          "it is held by "
              + held.holder().cleanHandleId().orElse("nobody named")
              + ", not "
              + release.handleId().get());
    }
    if (release.sequenceNumber().isPresent()
        && release.sequenceNumber().getAsLong() != held.sequenceNumber()) {
      return Optional.of(
          "it was assigned anew since: sequence number "
              + held.sequenceNumber()
              + ", not "
              + release.sequenceNumber().getAsLong());
    }
    return Optional.empty();
  }

  @Override
  void replan() {
    blockRead = false;
    handleRead = false;
  }

  @Override
  void committed(long revision) {
    finish(new ReleaseResult.Released(freed ? List.of(release.address()) : List.of()));
  }

  @Override
  List<Txn.Condition> extraConditions() {
    return List.of();
  }

  @Override
  void refused(Map<String, KeyValue> current) {
    throw new IllegalStateException("a release of one address has no conditions of its own");
  }
}
