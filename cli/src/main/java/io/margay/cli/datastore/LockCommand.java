package io.margay.cli.datastore;

import io.margay.cli.ExitCodes;
import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import picocli.CommandLine.Command;

/// `margay datastore lock` and `unlock`.
abstract sealed class LockCommand extends StoreCommand {

  private final DatastoreCommands.Surroundings surroundings;

  LockCommand(DatastoreCommands.Surroundings surroundings) {
    super(surroundings.opener());
    this.surroundings = surroundings;
  }

  abstract DatastoreLock.Outcome change(DatastoreLock lock) throws DatastoreException;

  /// What holds after the change, in a word.
  abstract String state();

  /// What that means for the cluster.
  abstract String meaning();

  @Override
  protected final int run(Datastore datastore) throws DatastoreException {
    switch (change(new DatastoreLock(datastore, surroundings.clock()))) {
      case DatastoreLock.Outcome.Done(boolean created) -> {
        out().println("Datastore " + state() + ".");
        if (created) {
          out().println("It had no ClusterInformation; one was created.");
        }
      }
      case DatastoreLock.Outcome.Already() -> out().println("Datastore already " + state() + ".");
      case DatastoreLock.Outcome.Refused(String reason) -> {
        return fail(reason, ExitCodes.FAILED);
      }
    }
    out().println(meaning());
    return ExitCodes.OK;
  }

  @Command(
      name = "lock",
      description = {
        "Hold every address as it is, for a migration: agents of Margay and of Calico assign none",
        "and free none. Policy, routes and BGP go on. Resources can still be written."
      })
  static final class Lock extends LockCommand {
    Lock(DatastoreCommands.Surroundings surroundings) {
      super(surroundings);
    }

    @Override
    DatastoreLock.Outcome change(DatastoreLock lock) throws DatastoreException {
      return lock.lock();
    }

    @Override
    String state() {
      return "locked";
    }

    @Override
    String meaning() {
      return """
          New pods wait and addresses of deleted pods stay assigned until it is unlocked;
          policy, routes and BGP go on. To end this: margay datastore unlock""";
    }
  }

  @Command(name = "unlock", description = "End the lock: addresses are assigned and freed again.")
  static final class Unlock extends LockCommand {
    Unlock(DatastoreCommands.Surroundings surroundings) {
      super(surroundings);
    }

    @Override
    DatastoreLock.Outcome change(DatastoreLock lock) throws DatastoreException {
      return lock.unlock();
    }

    @Override
    String state() {
      return "unlocked";
    }

    @Override
    String meaning() {
      return "Addresses are assigned and freed again; releases that were held back follow by"
          + " themselves.";
    }
  }
}
