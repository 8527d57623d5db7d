package io.margay.agent.firewall.rack;

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

/// A kernel whose process is killed at the next transaction, if it is told to: before the
/// transaction, or after it and before the process knows.
final class MortalKernel implements NftKernel {

  /// The process is no more.
  static final class Killed extends RuntimeException {
    private static final long serialVersionUID = 1L;
  }

  enum When {
    NEVER,
    BEFORE,
    AFTER
  }

  private final NftKernel kernel;
  private When when = When.NEVER;

  MortalKernel(NftKernel kernel) {
    this.kernel = kernel;
  }

  void kill(When next) {
    when = next;
  }

  @Override
  public void commit(List<NftOp> steps) throws NftException {
    if (when != When.BEFORE) {
      kernel.commit(steps);
    }
    if (when != When.NEVER) {
      throw new Killed();
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
