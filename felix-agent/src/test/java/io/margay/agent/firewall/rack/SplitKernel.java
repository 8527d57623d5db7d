package io.margay.agent.firewall.rack;

import io.margay.linux.nft.NftDump;
import io.margay.linux.nft.NftException;
import io.margay.linux.nft.NftFeatures;
import io.margay.linux.nft.NftKernel;
import io.margay.linux.nft.NftOp;
import io.margay.linux.nft.NftRuleInfo;
import io.margay.linux.nft.NftTableName;
import io.margay.linux.nft.NftWatch;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/// A kernel whose writer does not know what he does: what should be one transaction is several, in
/// an order that leaves windows.
record SplitKernel(NftKernel kernel, How how) implements NftKernel {

  enum How {
    /// Each step is a transaction of its own, in the order they were given.
    STEP_BY_STEP,
    /// What goes away goes first, what comes comes after it.
    REMOVALS_FIRST
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
