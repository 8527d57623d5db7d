package io.margay.datastore.etcd;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.DatastoreException.Kind;
import io.margay.datastore.DatastoreSettings;
import java.net.SocketException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.Test;

class EtcdFailuresTest {

  private static final DatastoreSettings WITH_TLS =
      new DatastoreSettings(
          List.of("https://127.0.0.1:2379"),
          Optional.empty(),
          Optional.of(
              new DatastoreSettings.Tls(Path.of("/ca.pem"), Optional.empty(), Optional.empty())));

  @Test
  void a_connection_that_ends_in_the_handshake_is_one_line_with_its_likely_causes() {
    Throwable reset =
        new ExecutionException(
            Status.UNAVAILABLE
                .withDescription(
                    "io exception\nChannel Pipeline: [SslHandler#0, ClientTlsHandler#0]")
                .withCause(new SocketException("Connection reset"))
                .asRuntimeException());
    DatastoreException failure = EtcdFailures.of(reset, WITH_TLS, "reading /k");
    assertThat(failure.kind()).isEqualTo(Kind.UNREACHABLE);
    assertThat(failure.getMessage())
        .hasLineCount(1)
        .contains("reading /k failed: UNAVAILABLE: io exception; is etcd running", "speak TLS");
  }
}
