package io.margay.datastore.etcd;

import io.etcd.jetcd.common.exception.ClosedClientException;
import io.etcd.jetcd.common.exception.CompactedException;
import io.etcd.jetcd.common.exception.EtcdException;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.StatusRuntimeException;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.DatastoreException.Kind;
import io.margay.datastore.DatastoreSettings;
import java.security.cert.CertificateExpiredException;
import java.security.cert.CertificateNotYetValidException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/// Tells what a failed call means to its caller.
final class EtcdFailures {

  private static final int MAX_CAUSES = 16;

  private EtcdFailures() {}

  static DatastoreException of(Throwable failure, DatastoreSettings settings, String doing) {
    List<Throwable> causes = causes(failure);
    Optional<String> tls = tlsProblem(causes, settings);
    if (tls.isPresent()) {
      return new DatastoreException(
          Kind.UNAUTHORISED, settings.endpointText(), doing + " failed: " + tls.get(), failure);
    }
    Status.Code code = Status.Code.UNKNOWN;
    String message = String.valueOf(failure.getMessage());
    for (Throwable cause : causes) {
      Status.@Nullable Code found = codeOf(cause);
      if (found != null) {
        code = found;
        message = String.valueOf(cause.getMessage());
        break;
      }
    }
    Kind kind = kindOf(code, message.toLowerCase(Locale.ROOT));
    return new DatastoreException(
        kind,
        settings.endpointText(),
        doing + " failed: " + firstLine(message) + advice(kind, settings),
        failure);
  }

  /// The library adds lines about its own channel.
  private static String firstLine(String message) {
    return message.lines().findFirst().orElse("");
  }

  /// The lease of the call has run out or been revoked.
  static boolean isLeaseGone(DatastoreException failure) {
    return says(failure, "lease not found");
  }

  /// The revision asked for is no longer kept.
  static boolean isCompacted(DatastoreException failure) {
    return causes(failure).stream().anyMatch(CompactedException.class::isInstance)
        || says(failure, "has been compacted");
  }

  /// The answer, or the request, is beyond a limit of octets.
  static boolean isTooLarge(DatastoreException failure) {
    return says(failure, "larger than") || says(failure, "exceeds maximum");
  }

  /// The server knows us, but not for this key.
  static boolean isPermissionDenied(DatastoreException failure) {
    return says(failure, "permission denied");
  }

  private static boolean says(DatastoreException failure, String words) {
    return String.valueOf(failure.getMessage()).toLowerCase(Locale.ROOT).contains(words);
  }

  private static List<Throwable> causes(Throwable failure) {
    List<Throwable> causes = new ArrayList<>();
    for (Throwable cause = failure;
        cause != null && causes.size() < MAX_CAUSES;
        cause = cause.getCause()) {
      causes.add(cause);
    }
    return causes;
  }

  /// What is wrong with a TLS connection, in the words of whoever configured it.
  private static Optional<String> tlsProblem(List<Throwable> causes, DatastoreSettings settings) {
    String all =
        String.join("; ", causes.stream().map(cause -> String.valueOf(cause.getMessage())).toList())
            .toLowerCase(Locale.ROOT);
    if (all.contains("while performing tls negotiation") || all.contains("not an ssl/tls record")) {
      return Optional.of("the server does not speak TLS; use http:// or give the server TLS");
    }
    boolean refused = causes.stream().anyMatch(SSLException.class::isInstance);
    // A refusal after the handshake may be overtaken by the end of the connection (TLS 1.3).
    if (refused || all.contains("network closed") || all.contains("connection reset")) {
      Optional<String> expired = expiredCertificate(settings);
      if (expired.isPresent()) {
        return expired;
      }
    }
    if (!refused) {
      return Optional.empty();
    }
    if (causes.stream().anyMatch(CertificateExpiredException.class::isInstance)) {
      return Optional.of("the server's certificate has expired; renew it at the server");
    }
    if (causes.stream().anyMatch(CertificateNotYetValidException.class::isInstance)) {
      return Optional.of(
          "the server's certificate is not valid yet; compare the clocks of both machines");
    }
    if (all.contains("subject alternative")) {
      return Optional.of(
          "the server's certificate is for another name than the endpoint's; use a name of the"
              + " certificate in datastore.endpoints");
    }
    if (all.contains("path building failed") || all.contains("path validation failed")) {
      return Optional.of(
          "the server's certificate is not signed by an authority in datastore.tls.ca");
    }
    if (all.contains("alert")) {
      return Optional.of(
          settings.tls().flatMap(DatastoreSettings.Tls::certificateFile).isPresent()
              ? "the server refuses our certificate (datastore.tls.cert); is it signed by an"
                  + " authority the server trusts?"
              : "the server wants our certificate (datastore.tls.cert and datastore.tls.key), and"
                  + " there is none");
    }
    return Optional.of(String.valueOf(causes.getLast().getMessage()));
  }

  private static Optional<String> expiredCertificate(DatastoreSettings settings) {
    return settings
        .tls()
        .flatMap(DatastoreSettings.Tls::certificateFile)
        .flatMap(
            file ->
                PemFiles.expiry(file)
                    .filter(end -> end.isBefore(Instant.now()))
                    .map(
                        end ->
                            "our certificate "
                                + file
                                + " (datastore.tls.cert) has expired on "
                                + end
                                + "; renew it, the new one is used without a restart"));
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
    // A watch is refused in words only.
    if (message.contains("permission denied")) {
      return Kind.UNAUTHORISED;
    }
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

  private static String advice(Kind kind, DatastoreSettings settings) {
    return switch (kind) {
      case UNREACHABLE, DEADLINE ->
          settings.tls().isPresent()
              ? "; is etcd running, reachable from here, does it speak TLS, and does it accept our"
                  + " certificate (datastore.tls.cert)?"
              : "; is etcd running, reachable from here, and without TLS?";
      case UNAUTHORISED ->
          "; check datastore.user or the certificate's common name, and the role's key ranges";
      case OVERLOADED -> "; check etcd's alarms and its database size";
      case INVALID -> "";
    };
  }
}
