package io.margay.cli.resource;

import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.DatastoreSettings;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// Where the datastore is: options every command takes that works on it.
public final class DatastoreOptions {

  /// Opens a datastore; the etcd one, or a test's.
  @FunctionalInterface
  public interface Opener {
    Datastore open(DatastoreSettings settings) throws DatastoreException;
  }

  private final Opener opener;

  @Option(
      names = {"--etcd-endpoints", "--endpoints"},
      paramLabel = "URL[,URL…]",
      description =
          "etcd to talk to; else MARGAY_ETCD_ENDPOINTS, ETCD_ENDPOINTS (default: ${DEFAULT-VALUE})",
      defaultValue = "${env:MARGAY_ETCD_ENDPOINTS:-${env:ETCD_ENDPOINTS:-http://127.0.0.1:2379}}")
  private String endpoints = "";

  @Option(
      names = "--etcd-ca-cert-file",
      paramLabel = "FILE",
      description = "certificates that sign etcd's; else ETCD_CA_CERT_FILE",
      defaultValue = "${env:ETCD_CA_CERT_FILE}")
  private @Nullable Path caFile;

  @Option(
      names = "--etcd-cert-file",
      paramLabel = "FILE",
      description = "our certificate; else ETCD_CERT_FILE",
      defaultValue = "${env:ETCD_CERT_FILE}")
  private @Nullable Path certificateFile;

  @Option(
      names = "--etcd-key-file",
      paramLabel = "FILE",
      description = "our private key; else ETCD_KEY_FILE",
      defaultValue = "${env:ETCD_KEY_FILE}")
  private @Nullable Path keyFile;

  public DatastoreOptions(Opener opener) {
    this.opener = opener;
  }

  /// Opens the datastore the options name.
  ///
  /// @throws IllegalArgumentException if they name none
  public Datastore open() throws DatastoreException {
    List<String> urls =
        Arrays.stream(endpoints.split(","))
            .map(String::strip)
            .filter(url -> !url.isEmpty())
            .toList();
    Optional<DatastoreSettings.Tls> tls =
        Optional.ofNullable(caFile)
            .map(
                ca ->
                    new DatastoreSettings.Tls(
                        ca, Optional.ofNullable(certificateFile), Optional.ofNullable(keyFile)));
    return opener.open(new DatastoreSettings(urls, Optional.empty(), tls));
  }
}
