package io.margay.agent.firewall;

import io.margay.linux.nft.NftDump;
import io.margay.linux.nft.NftException;
import io.margay.linux.nft.NftFeatures;
import io.margay.linux.nft.NftKernel;
import io.margay.linux.nft.NftOp;
import io.margay.linux.nft.NftRuleInfo;
import io.margay.linux.nft.NftTableName;
import io.margay.linux.nft.NftWatch;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;

/// A kernel that takes no transaction which makes a certain chain, for as long as it is told so.
final class RefusingKernel implements NftKernel {

  private final NftKernel kernel;
  private volatile String refused = "";
  private final AtomicInteger refusals = new AtomicInteger();

  RefusingKernel(NftKernel kernel) {
    this.kernel = kernel;
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

  @Override
  public int generation() throws NftException {
    return kernel.generation();
  }

  @Override
  public Optional<NftDump> dump(NftTableName table) throws NftException {
    return kernel.dump(table);
  }

  @Override
  public List<NftRuleInfo> rules(NftTableName table) throws NftException {
    return kernel.rules(table);
  }

  @Override
  public NftFeatures features() throws NftException {
    return kernel.features();
  }

  @Override
  public NftWatch watch(Set<NftTableName> tables, Runnable alarm) throws NftException {
    return kernel.watch(tables, alarm);
  }

  @Override
  public void close() {
    kernel.close();
  }
}
