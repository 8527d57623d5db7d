package io.margay.datastore.etcd;

import io.etcd.jetcd.Client;
import io.etcd.jetcd.ClientBuilder;
import io.grpc.netty.GrpcSslContexts;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.DatastoreSettings;
import java.io.IOException;
import java.net.URI;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.stream.Collectors;
import javax.net.ssl.SSLException;

/// Makes clients of the library, with its habits that lose or repeat writes switched off: queued
/// calls while there is no connection, and its own retries. Either would let a write whose caller
/// has given up be applied later.
final class EtcdConnection {

  private static final Duration KEEPALIVE_TIME = Duration.ofSeconds(10);
  private static final Duration KEEPALIVE_TIMEOUT = Duration.ofSeconds(2);
  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(2);

  private EtcdConnection() {}

  /// A client that connects with its first call.
  ///
  /// @throws DatastoreException of kind INVALID, when a TLS file can't be used
  static Client open(DatastoreSettings settings, ExecutorService executor)
      throws DatastoreException {
    try {
      ClientBuilder builder =
          Client.builder()
              .target(target(settings.endpoints()))
              .useVertx()
              .executorService(executor)
              .waitForReady(false)
              .retryMaxAttempts(0)
              .interceptor(new CallDeadlines())
              .interceptor(new RangeComparisons())
              .connectTimeout(CONNECT_TIMEOUT)
              .keepaliveTime(KEEPALIVE_TIME)
              .keepaliveTimeout(KEEPALIVE_TIMEOUT)
              .keepaliveWithoutCalls(true)
              .maxInboundMessageSize(EtcdDatastore.MAX_INBOUND_OCTETS);
      settings
          .user()
          .ifPresent(
              user ->
                  builder
                      .user(EtcdDatastore.bytes(user.name()))
                      .password(EtcdDatastore.bytes(user.password())));
      if (settings.tls().isPresent()) {
        useTls(builder, settings.tls().get());
      }
      return builder.build();
    } catch (IOException | IllegalArgumentException unusable) {
      throw new DatastoreException(
          DatastoreException.Kind.INVALID,
          settings.endpointText(),
          "the datastore settings can't be used: "
              + unusable.getMessage()
              + "; check the files of datastore.tls",
          unusable);
    }
  }

  /// The endpoints in the form that the library's resolver reads. The library makes it of endpoints
  /// as well, but leaves the brackets of IPv6 addresses as they are, which no URI's path can have.
  private static String target(List<String> endpoints) {
    return endpoints.stream()
        .map(URI::create)
        .map(endpoint -> endpoint.getHost() + ":" + endpoint.getPort())
        .distinct()
        .map(address -> address.replace("[", "%5B").replace("]", "%5D"))
        .collect(Collectors.joining(",", "ip:///", ""));
  }

  private static void useTls(ClientBuilder builder, DatastoreSettings.Tls tls) throws IOException {
    PemFiles.Trust trust = PemFiles.trust(tls.caFile());
    if (tls.certificateFile().isEmpty() || tls.keyFile().isEmpty()) {
      apply(builder, trust, List.of());
      return;
    }
    apply(
        builder,
        trust,
        List.of(PemFiles.identity(tls.certificateFile().get(), tls.keyFile().get())));
  }

  private static void apply(
      ClientBuilder builder, PemFiles.Trust trust, List<PemFiles.Identity> identity)
      throws SSLException {
    builder.sslContext(
        ssl -> {
          GrpcSslContexts.configure(ssl)
              .trustManager(trust.certificates().toArray(X509Certificate[]::new));
          identity.forEach(
              mine -> ssl.keyManager(mine.key(), mine.chain().toArray(X509Certificate[]::new)));
        });
  }
}
