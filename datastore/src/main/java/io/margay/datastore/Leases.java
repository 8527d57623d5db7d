package io.margay.datastore;

import java.time.Duration;
import java.util.List;

/// Keys that go away by themselves when nobody speaks for them any more: the part of a store that
/// keeps status, apart from the `Datastore` because not every store has it. Safe for use from any
/// thread; every call blocks, within a limit. `StatusKeys` is how it is used.
public interface Leases {

  /// Starts a lease.
  ///
  /// @param ttl how long it outlives the last `keepAlive`, in whole seconds
  /// @return its number
  long grant(Duration ttl) throws DatastoreException;

  /// Starts the lease's time anew.
  ///
  /// @return false if it has run out: its keys are gone, and it can't be revived
  boolean keepAlive(long lease) throws DatastoreException;

  /// Writes keys, whatever they hold, in one transaction; those put live as long as the lease.
  ///
  /// @param writes at most {@link Txn#MAX_OPERATIONS}
  /// @return false if the lease has run out; nothing was written
  boolean write(long lease, List<Txn.Write> writes) throws DatastoreException;

  /// Ends the lease and deletes its keys. One that has run out is no error.
  void revoke(long lease) throws DatastoreException;
}
