package io.margay.agent.firewall.rack;

import io.margay.linux.nft.NftException;
import io.margay.linux.nft.NftKernel;
import io.margay.linux.nft.NftOp;
import io.margay.linux.testing.ForwardingKernel;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/// A kernel whose writer does not know what he does: what should be one transaction is several, in
/// an order that leaves windows.
final class SplitKernel extends ForwardingKernel {

  enum How {
    /// Each step is a transaction of its own, in the order they were given.
    STEP_BY_STEP,
    /// What goes away goes first, what comes comes after it.
    REMOVALS_FIRST
  }

  private final How how;

  SplitKernel(NftKernel kernel, How how) {
    super(kernel);
    this.how = how;
  }

  @Override
  public void commit(List<NftOp> steps) throws NftException {
    switch (how) {
      case STEP_BY_STEP -> {
        for (NftOp step : steps) {
          kernel.commit(List.of(step));
        }
      }
      case REMOVALS_FIRST -> {
        Predicate<NftOp> goesAway =
            step -> step instanceof NftOp.FlushChain || step instanceof NftOp.DeleteElements;
        List<NftOp> first = new ArrayList<>(steps.stream().filter(goesAway).toList());
        kernel.commit(first);
        kernel.commit(steps.stream().filter(goesAway.negate()).toList());
      }
    }
  }
}
