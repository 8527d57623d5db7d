package io.margay.datastore;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// Several writes that happen together or not at all, if every condition holds.
///
/// @param conditions what must be true of the store; empty means always
/// @param writes what to do then; no key is written twice (etcd refuses that)
public record Txn(List<Condition> conditions, List<Write> writes) {

  /// etcd's default `--max-txn-ops`: the most conditions, and the most writes, in one transaction.
  public static final int MAX_OPERATIONS = 128;

  /// etcd's default `--max-request-bytes`: the most octets of keys and values in one transaction. A
  /// store answers INVALID to a larger one.
  public static final int MAX_OCTETS = 1_572_864;

  public Txn {
    conditions = List.copyOf(conditions);
    writes = List.copyOf(writes);
    if (conditions.size() > MAX_OPERATIONS || writes.size() > MAX_OPERATIONS) {
      throw new IllegalArgumentException(
          "a transaction of "
              + conditions.size()
              + " conditions and "
              + writes.size()
              + " writes is beyond the limit of "
              + MAX_OPERATIONS
              + " each; split it");
    }
    Set<String> written = new HashSet<>();
    for (Write write : writes) {
      if (!written.add(write.key())) {
        throw new IllegalArgumentException("a transaction writes " + write.key() + " twice");
      }
    }
  }

  /// Keys and values together, as they are sent.
  public long octets() {
    long octets = 0;
    for (Condition condition : conditions) {
      octets += Utf8.length(condition.key());
    }
    for (Write write : writes) {
      octets += Utf8.length(write.key());
      if (write instanceof Write.Put(String _, String value)) {
        octets += Utf8.length(value);
      }
    }
    return octets;
  }

  /// What must be true of one key, or of all keys with a prefix.
  public sealed interface Condition {
    String key();

    /// The key is not there.
    record Absent(String key) implements Condition {
      public Absent {
        Keys.requireValid(key);
      }
    }

    /// The key is there, at any revision.
    record Exists(String key) implements Condition {
      public Exists {
        Keys.requireValid(key);
      }
    }

    /// The key was last written at exactly this revision.
    record AtRevision(String key, long modRevision) implements Condition {
      public AtRevision {
        Keys.requireValid(key);
        if (modRevision < 1) {
          throw new IllegalArgumentException(
              "modRevision "
                  + modRevision
                  + " of "
                  + key
                  + " is below 1; for a key that must not exist use Absent");
        }
      }
    }

    /// No key that starts with `prefix` has been put since `revision`: what a listing of that
    /// revision shows may have been deleted, but nothing has come or changed.
    ///
    /// @param prefix of a folder: it ends in `/`
    record Unchanged(String prefix, long revision) implements Condition {
      public Unchanged {
        Keys.requireValid(prefix);
        if (!prefix.endsWith("/") || revision < 0) {
          throw new IllegalArgumentException(
              "nothing can be asked of " + prefix + " since revision " + revision);
        }
      }

      /// The prefix, which is no key: a conflict shows nothing of what is below it.
      @Override
      public String key() {
        return prefix;
      }
    }
  }

  /// What to do to one key.
  public sealed interface Write {
    String key();

    record Put(String key, String value) implements Write {
      public Put {
        Keys.requireValid(key);
      }
    }

    /// Deleting a key that is not there is no error.
    record Delete(String key) implements Write {
      public Delete {
        Keys.requireValid(key);
      }
    }
  }

  /// Writes the key only if it is not there.
  public static Txn create(String key, String value) {
    return new Txn(List.of(new Condition.Absent(key)), List.of(new Write.Put(key, value)));
  }

  /// Replaces the value that was read, if nobody else has since.
  public static Txn replace(KeyValue read, String value) {
    return new Txn(
        List.of(new Condition.AtRevision(read.key(), read.modRevision())),
        List.of(new Write.Put(read.key(), value)));
  }

  /// Deletes what was read, if nobody has written it since.
  public static Txn delete(KeyValue read) {
    return new Txn(
        List.of(new Condition.AtRevision(read.key(), read.modRevision())),
        List.of(new Write.Delete(read.key())));
  }

  public static Builder builder() {
    return new Builder();
  }

  /// Collects conditions and writes in the order given.
  public static final class Builder {
    private final List<Condition> conditions = new ArrayList<>();
    private final List<Write> writes = new ArrayList<>();

    private Builder() {}

    public Builder ifAbsent(String key) {
      conditions.add(new Condition.Absent(key));
      return this;
    }

    public Builder ifExists(String key) {
      conditions.add(new Condition.Exists(key));
      return this;
    }

    public Builder ifAtRevision(String key, long modRevision) {
      conditions.add(new Condition.AtRevision(key, modRevision));
      return this;
    }

    /// @param revision that of a listing of `prefix`
    public Builder ifUnchanged(String prefix, long revision) {
      conditions.add(new Condition.Unchanged(prefix, revision));
      return this;
    }

    public Builder put(String key, String value) {
      writes.add(new Write.Put(key, value));
      return this;
    }

    public Builder delete(String key) {
      writes.add(new Write.Delete(key));
      return this;
    }

    public Builder add(Condition condition) {
      conditions.add(condition);
      return this;
    }

    public Builder add(Write write) {
      writes.add(write);
      return this;
    }

    public Txn build() {
      return new Txn(conditions, writes);
    }
  }
}
