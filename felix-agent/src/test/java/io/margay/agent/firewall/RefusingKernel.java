package io.margay.agent.firewall;

import io.margay.linux.nft.NftException;
import io.margay.linux.nft.NftKernel;
import io.margay.linux.nft.NftOp;
import io.margay.linux.testing.ForwardingKernel;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/// A kernel that takes no transaction which makes a certain chain, for as long as it is told so.
final class RefusingKernel extends ForwardingKernel {

  private volatile String refused = "";
  private final AtomicInteger refusals = new AtomicInteger();

  RefusingKernel(NftKernel kernel) {
    super(kernel);
  }

  /// @param chain empty = none
  void refuse(String chain) {
    refused = chain;
  }

  int refusals() {
    return refusals.get();
  }

  @Override
  public void commit(List<NftOp> steps) throws NftException {
    for (NftOp step : steps) {
      if (step instanceof NftOp.AddChain added && added.chain().equals(refused)) {
        refusals.incrementAndGet();
        throw new NftException(step.subject() + " was refused", NftException.EBUSY);
      }
    }
    kernel.commit(steps);
  }
}
