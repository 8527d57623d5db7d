package io.margay.cli.resource;

import io.margay.cli.resource.CalicoctlConfig.Field;
import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.DatastoreSettings;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// Where the datastore is: options every command takes that works on it.
///
/// What an option says wins; then `MARGAY_ETCD_ENDPOINTS`; then calicoctl's configuration file, or
/// without one its environment variables.
public final class DatastoreOptions {

  private static final String MARGAY_ENDPOINTS = "MARGAY_ETCD_ENDPOINTS";
  private static final String DEFAULT_ENDPOINT = "http://127.0.0.1:2379";

  /// Where systems keep the certificates they trust.
  private static final List<Path> SYSTEM_CERTIFICATES =
      List.of(
          Path.of("/etc/ssl/certs/ca-certificates.crt"),
          Path.of("/etc/pki/tls/certs/ca-bundle.crt"));

  /// Opens a datastore; the etcd one, or a test's.
  @FunctionalInterface
  public interface Opener {
    Datastore open(DatastoreSettings settings) throws DatastoreException;
  }

  private final Opener opener;
  private final Map<String, String> environment;
  private final Path standardConfig;

  @Mixin private final IgnoredOptions ignored = new IgnoredOptions();

  @Option(
      names = {"-c", "--config"},
      paramLabel = "FILE",
      description =
          "calicoctl's configuration; else /etc/calico/calicoctl.cfg if it is there, else ETCD_*")
  private @Nullable Path config;

  @Option(
      names = {"--etcd-endpoints", "--endpoints"},
      paramLabel = "URL[,URL…]",
      description =
          "etcd to talk to; else MARGAY_ETCD_ENDPOINTS, the configuration, ETCD_ENDPOINTS,"
              + " http://127.0.0.1:2379")
  private @Nullable String endpoints;

  @Option(
      names = "--etcd-ca-cert-file",
      paramLabel = "FILE",
      description = "certificates that sign etcd's; else the configuration, ETCD_CA_CERT_FILE")
  private @Nullable Path caFile;

  @Option(
      names = "--etcd-cert-file",
      paramLabel = "FILE",
      description = "our certificate; else the configuration, ETCD_CERT_FILE")
  private @Nullable Path certificateFile;

  @Option(
      names = "--etcd-key-file",
      paramLabel = "FILE",
      description = "our private key; else the configuration, ETCD_KEY_FILE")
  private @Nullable Path keyFile;

  /// Options of this process's environment.
  public DatastoreOptions(Opener opener) {
    this.opener = opener;
    this.environment = System.getenv();
    this.standardConfig = CalicoctlConfig.DEFAULT_FILE;
  }

  DatastoreOptions(ResourceCommands.Surroundings surroundings) {
    this.opener = surroundings.opener();
    this.environment = surroundings.environment();
    this.standardConfig = surroundings.standardConfig();
  }

  /// Opens the datastore the options name.
  ///
  /// @throws IllegalArgumentException if they name none
  public Datastore open() throws DatastoreException {
    return opener.open(settings());
  }

  private DatastoreSettings settings() {
    CalicoctlConfig known =
        CalicoctlConfig.read(Optional.ofNullable(config), standardConfig, environment);
    Optional<String> named =
        Optional.ofNullable(endpoints)
            .or(() -> Optional.ofNullable(environment.get(MARGAY_ENDPOINTS)));
    if (named.isEmpty()) {
      known.requireEtcd();
    }
    List<String> urls =
        Arrays.stream(
                named.or(() -> known.get(Field.ENDPOINTS)).orElse(DEFAULT_ENDPOINT).split(","))
            .map(String::strip)
            .filter(url -> !url.isEmpty())
            .toList();
    Optional<DatastoreSettings.User> user =
        known
            .get(Field.USERNAME)
            .map(name -> new DatastoreSettings.User(name, known.get(Field.PASSWORD).orElse("")));
    return new DatastoreSettings(urls, user, tls(urls, known));
  }

  private Optional<DatastoreSettings.Tls> tls(List<String> urls, CalicoctlConfig known) {
    if (urls.stream().noneMatch(url -> url.startsWith("https:"))) {
      return Optional.empty();
    }
    Path ca =
        pem(caFile, known, Field.CA_CERT_FILE, Field.CA_CERT)
            .or(() -> SYSTEM_CERTIFICATES.stream().filter(Files::exists).findFirst())
            .orElseThrow(
                () ->
                    new IllegalArgumentException(
                        "https needs --etcd-ca-cert-file: this system keeps no certificates"));
    return Optional.of(
        new DatastoreSettings.Tls(
            ca,
            pem(certificateFile, known, Field.CERT_FILE, Field.CERT),
            pem(keyFile, known, Field.KEY_FILE, Field.KEY)));
  }

  /// The file an option names, else the one the configuration names, else what it holds itself.
  private static Optional<Path> pem(
      @Nullable Path option, CalicoctlConfig known, Field file, Field inline) {
    return Optional.ofNullable(option)
        .or(() -> known.get(file).map(Path::of))
        .or(() -> known.get(inline).map(text -> privateFile(inline, text)));
  }

  /// A file that nobody else can read and that goes with this process.
  private static Path privateFile(Field field, String text) {
    try {
      // Temporary files are their owner's alone.
      Path file = Files.createTempFile("margay-" + field, ".pem");
      file.toFile().deleteOnExit();
      return Files.writeString(file, text, StandardCharsets.US_ASCII);
    } catch (IOException full) {
      throw new IllegalArgumentException(field + ": can't be put into a file: " + full, full);
    }
  }
}
