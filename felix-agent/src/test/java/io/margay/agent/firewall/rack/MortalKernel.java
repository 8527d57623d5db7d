package io.margay.agent.firewall.rack;

import io.margay.linux.nft.NftException;
import io.margay.linux.nft.NftKernel;
import io.margay.linux.nft.NftOp;
import io.margay.linux.testing.ForwardingKernel;
import java.util.List;

/// A kernel whose process is killed at the next transaction, if it is told to: before the
/// transaction, or after it and before the process knows.
final class MortalKernel extends ForwardingKernel {

  /// The process is no more.
  static final class Killed extends RuntimeException {
    private static final long serialVersionUID = 1L;
  }

  enum When {
    NEVER,
    BEFORE,
    AFTER
  }

  private When when = When.NEVER;

  MortalKernel(NftKernel kernel) {
    super(kernel);
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
}
