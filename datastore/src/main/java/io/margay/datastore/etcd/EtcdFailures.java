package io.margay.datastore.etcd;

import io.etcd.jetcd.common.exception.ClosedClientException;
import io.etcd.jetcd.common.exception.EtcdException;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.StatusRuntimeException;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.DatastoreException.Kind;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// Tells what a failed call means to its caller.
final class EtcdFailures {

  private static final int MAX_CAUSES = 16;

  private EtcdFailures() {}

  static DatastoreException of(Throwable failure, String endpoints, String doing) {
    Status.Code code = Status.Code.UNKNOWN;
    String message = String.valueOf(failure.getMessage());
    Throwable cause = failure;
    for (int i = 0; cause != null && i < MAX_CAUSES; i++, cause = cause.getCause()) {
      Status.@Nullable Code found = codeOf(cause);
      if (found != null) {
        code = found;
        message = String.valueOf(cause.getMessage());
        break;
      }
    }
    Kind kind = kindOf(code, message.toLowerCase(Locale.ROOT));
    return new DatastoreException(
        kind, endpoints, doing + " failed: " + message + advice(kind), failure);
  }

  private static Status.@Nullable Code codeOf(Throwable failure) {
    return switch (failure) {
      case ClosedClientException _ -> Status.Code.UNAVAILABLE;
      case EtcdException etcd -> Status.Code.valueOf(etcd.getErrorCode().name());
      case StatusRuntimeException grpc -> grpc.getStatus().getCode();
      case StatusException grpc -> grpc.getStatus().getCode();
      default -> null;
    };
  }

  private static Kind kindOf(Status.Code code, String message) {
    return switch (code) {
      case DEADLINE_EXCEEDED -> Kind.DEADLINE;
      case PERMISSION_DENIED, UNAUTHENTICATED -> Kind.UNAUTHORISED;
      // A wrong password and a missing user name are INVALID_ARGUMENT to etcd.
      case INVALID_ARGUMENT ->
          message.contains("authentication failed") || message.contains("user name is empty")
              ? Kind.UNAUTHORISED
              : Kind.INVALID;
      case RESOURCE_EXHAUSTED ->
          message.contains("larger than") || message.contains("exceeds maximum")
              ? Kind.INVALID
              : Kind.OVERLOADED;
      case OUT_OF_RANGE, UNIMPLEMENTED, FAILED_PRECONDITION, NOT_FOUND, ALREADY_EXISTS ->
          Kind.INVALID;
      case OK, CANCELLED, UNKNOWN, ABORTED, INTERNAL, UNAVAILABLE, DATA_LOSS -> Kind.UNREACHABLE;
    };
  }

  private static String advice(Kind kind) {
    return switch (kind) {
      case UNREACHABLE, DEADLINE -> "; is etcd running, and reachable from here?";
      case UNAUTHORISED ->
          "; check datastore.user or the certificate's common name, and the role's key ranges";
      case OVERLOADED -> "; check etcd's alarms and its database size";
      case INVALID -> "";
    };
  }
}
