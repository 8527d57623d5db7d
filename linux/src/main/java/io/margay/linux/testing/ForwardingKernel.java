package io.margay.linux.testing;

import io.margay.linux.nft.NftDump;
import io.margay.linux.nft.NftException;
import io.margay.linux.nft.NftFeatures;
import io.margay.linux.nft.NftKernel;
import io.margay.linux.nft.NftRuleInfo;
import io.margay.linux.nft.NftTableName;
import io.margay.linux.nft.NftWatch;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// A kernel that takes transactions in a way of its own and is another one otherwise.
public abstract class ForwardingKernel implements NftKernel {

  protected final NftKernel kernel;

  protected ForwardingKernel(NftKernel kernel) {
    this.kernel = kernel;
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
