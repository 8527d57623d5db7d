package io.margay.datastore;

/// The store did not answer, or refused. What the caller does next depends on the kind: retry
/// later, or tell the user.
public final class DatastoreException extends Exception {

  private static final long serialVersionUID = 1L;

  /// Why the store failed us.
  public enum Kind {
    /// No connection to any endpoint, or it broke during the call.
    UNREACHABLE,
    /// No answer within the call's limit.
    DEADLINE,
    /// Wrong user, password or certificate (ours or the server's), or a role without permission for
    /// the key; nothing was done.
    UNAUTHORISED,
    /// The store is alive but out of space or swamped; nothing was done.
    OVERLOADED,
    /// The request can never succeed as it stands: too many operations, too large, a compacted
    /// revision.
    INVALID
  }

  private final Kind kind;
  private final String endpoint;

  /// @param endpoint the store as the user configured it, for instance `http://10.0.0.1:2379`
  public DatastoreException(Kind kind, String endpoint, String message, Throwable cause) {
    super(message + " (datastore " + endpoint + ")", cause);
    this.kind = kind;
    this.endpoint = endpoint;
  }

  public DatastoreException(Kind kind, String endpoint, String message) {
    super(message + " (datastore " + endpoint + ")");
    this.kind = kind;
    this.endpoint = endpoint;
  }

  private DatastoreException(String message, DatastoreException same) {
    super(message, same);
    this.kind = same.kind;
    this.endpoint = same.endpoint;
  }

  /// The same failure, as told by a part that met it: `IPAM: no answer within 3 s (datastore …)`.
  public DatastoreException toldBy(String part) {
    return new DatastoreException(part + ": " + getMessage(), this);
  }

  public Kind kind() {
    return kind;
  }

  public String endpoint() {
    return endpoint;
  }

  /// Whether a `commit` that threw this may nevertheless have happened: the request may have
  /// reached the store and only the answer been lost. Before trying again, read the keys and look
  /// for your own write (a revision condition, a sequence number, or a value only you could have
  /// written).
  public boolean isOutcomeUnknown() {
    return switch (kind) {
      case UNREACHABLE, DEADLINE -> true;
      case UNAUTHORISED, OVERLOADED, INVALID -> false;
    };
  }
}
