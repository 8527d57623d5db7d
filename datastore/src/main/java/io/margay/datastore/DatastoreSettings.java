package io.margay.datastore;

import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// Where the store is and who we are there.
///
/// @param endpoints URLs, tried in turn: `http://host:port` or, with `tls`, `https://host:port`
/// @param user etcd user and password, unless the client certificate's common name says who we are
public record DatastoreSettings(List<String> endpoints, Optional<User> user, Optional<Tls> tls) {

  public DatastoreSettings {
    endpoints = List.copyOf(endpoints);
    if (endpoints.isEmpty()) {
      throw new IllegalArgumentException(
          "datastore.endpoints is empty; expected at least one URL such as http://127.0.0.1:2379");
    }
    for (String endpoint : endpoints) {
      requireEndpoint(endpoint, tls.isPresent());
    }
  }

  /// Plain HTTP without a user.
  public static DatastoreSettings of(String... endpoints) {
    return new DatastoreSettings(List.of(endpoints), Optional.empty(), Optional.empty());
  }

  private static void requireEndpoint(String endpoint, boolean tls) {
    URI uri;
    try {
      uri = URI.create(endpoint);
    } catch (IllegalArgumentException malformed) {
      throw new IllegalArgumentException(
          "datastore.endpoints: \"" + endpoint + "\" is not a URL", malformed);
    }
    String scheme = tls ? "https" : "http";
    if (!scheme.equals(uri.getScheme())
        || uri.getHost() == null
        || uri.getPort() < 1
        || uri.getPort() > 65535) {
      throw new IllegalArgumentException(
          "datastore.endpoints: \""
              + endpoint
              + "\" is not "
              + scheme
              + "://HOST:PORT"
              + (tls ? " (datastore.tls is set)" : " (for https set datastore.tls)"));
    }
  }

  /// The endpoints as one word for messages.
  public String endpointText() {
    return String.join(",", endpoints);
  }

  /// An etcd user. The password never appears in `toString`.
  public record User(String name, String password) {

    @Override
    public String toString() {
      return "User[name=" + name + "]";
    }
  }

  /// PEM files of a TLS connection.
  ///
  /// @param caFile certificates that sign the servers'
  /// @param certificateFile our certificate, with `keyFile`; both or neither
  /// @param keyFile our private key, PKCS#8
  public record Tls(Path caFile, Optional<Path> certificateFile, Optional<Path> keyFile) {

    public Tls {
      if (certificateFile.isPresent() != keyFile.isPresent()) {
        throw new IllegalArgumentException(
            "datastore.tls: a client certificate needs both certificateFile and keyFile");
      }
    }
  }
}
