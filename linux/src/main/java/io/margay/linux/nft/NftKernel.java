package io.margay.linux.nft;

import java.util.List;
import java.util.Optional;
import java.util.Set;

/// The nf_tables of one network namespace. Used by one thread at a time.
public interface NftKernel extends AutoCloseable {

  /// Carries out the steps in order as one transaction: all or none. No steps, no transaction.
  ///
  /// @throws NftException naming the first step refused; then nothing changed
  void commit(List<NftOp> steps) throws NftException;

  /// Counts transactions of the whole namespace, anybody's. One that changes something adds one.
  int generation() throws NftException;

  /// A consistent picture of one table, as it was at some moment of the call; empty if there is
  /// none.
  Optional<NftDump> dump(NftTableName table) throws NftException;

  /// The table's rules with their counters, in order; empty if there is no such table.
  List<NftRuleInfo> rules(NftTableName table) throws NftException;

  /// What this kernel has and may be used. Tried on a scratch table that no packet and no reader
  /// ever sees.
  NftFeatures features() throws NftException;

  /// Begins to hear what others commit. The watch ends by itself when it is closed, not with this.
  ///
  /// @param tables ours
  /// @param alarm run on another thread when others wrote them or something was missed; hand over
  ///   and return
  NftWatch watch(Set<NftTableName> tables, Runnable alarm) throws NftException;

  /// Gives up ownership: persistent tables stay and go on enforcing, passing ones go.
  @Override
  void close();
}
