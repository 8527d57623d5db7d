package io.margay.linux.nft;

import java.util.List;
import java.util.Optional;

/// The nf_tables of one network namespace. Used by one thread at a time.
public interface NftKernel extends AutoCloseable {

  /// Carries out the steps in order as one transaction: all or none. No steps, no transaction.
  ///
  /// @throws NftException naming the first step refused; then nothing changed
  void commit(List<NftOp> steps) throws NftException;

  /// Counts transactions of the whole namespace, anybody's. One that changes something adds one.
  int generation() throws NftException;

  /// A consistent picture of one table; empty if there is none.
  Optional<NftDump> dump(NftTableName table) throws NftException;

  /// Whether tables can be owned and outlive their owner (kernel 6.9 and later). Tried on a scratch
  /// table that no packet and no reader ever sees.
  boolean supportsPersistentOwner() throws NftException;

  /// Gives up ownership: persistent tables stay and go on enforcing.
  @Override
  void close();
}
