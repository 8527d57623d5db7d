package io.margay.cli.resource;

import io.margay.cli.yaml.StrictYaml;
import io.margay.cli.yaml.YamlException;
import io.margay.model.resource.Kind;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/// How calicoctl is told where the datastore is: by its configuration file, or by its environment
/// variables when there is no such file.
final class CalicoctlConfig {

  /// Where calicoctl looks for the file.
  static final Path DEFAULT_FILE = Path.of("/etc/calico/calicoctl.cfg");

  private static final String KIND = "CalicoAPIConfig";

  /// What can be said, with its name in the file and in the environment.
  enum Field {
    DATASTORE_TYPE("datastoreType", "DATASTORE_TYPE"),
    ENDPOINTS("etcdEndpoints", "ETCD_ENDPOINTS"),
    DISCOVERY("etcdDiscoverySrv", "ETCD_DISCOVERY_SRV"),
    USERNAME("etcdUsername", "ETCD_USERNAME"),
    PASSWORD("etcdPassword", "ETCD_PASSWORD"),
    KEY_FILE("etcdKeyFile", "ETCD_KEY_FILE"),
    CERT_FILE("etcdCertFile", "ETCD_CERT_FILE"),
    CA_CERT_FILE("etcdCACertFile", "ETCD_CA_CERT_FILE"),
    KEY("etcdKey", ""),
    CERT("etcdCert", ""),
    CA_CERT("etcdCACert", "");

    private final String inFile;
    private final String inEnvironment;

    Field(String inFile, String inEnvironment) {
      this.inFile = inFile;
      this.inEnvironment = inEnvironment;
    }

    @Override
    public String toString() {
      return inFile;
    }
  }

  private final String source;
  private final Map<Field, String> values;

  private CalicoctlConfig(String source, Map<Field, String> values) {
    this.source = source;
    this.values = values;
  }

  /// @param given the file that must be there; empty = that at `standard` if it is there, else the
  ///   environment
  /// @throws IllegalArgumentException if it can't be used
  static CalicoctlConfig read(
      Optional<Path> given, Path standard, Map<String, String> environment) {
    if (given.isEmpty() && !Files.exists(standard)) {
      return environment(environment);
    }
    Path file = given.orElse(standard);
    try {
      return file(file.toString(), Files.readString(file, StandardCharsets.UTF_8));
    } catch (IOException unreadable) {
      throw new IllegalArgumentException(
          FileOptions.unreadable(file.toString(), unreadable), unreadable);
    } catch (YamlException malformed) {
      throw new IllegalArgumentException(malformed.getMessage(), malformed);
    }
  }

  private static CalicoctlConfig file(String source, String text) throws YamlException {
    StrictYaml document =
        StrictYaml.parse(source, text).mappingOf("apiVersion", "kind", "metadata", "spec");
    word(document, "apiVersion", Kind.API_VERSION);
    word(document, "kind", KIND);
    Map<Field, String> values = new EnumMap<>(Field.class);
    if (document.has("spec")) {
      StrictYaml spec = document.child("spec");
      for (Field field : Field.values()) {
        spec.optional(field.inFile, "a text", Function.identity())
            .filter(value -> !value.isEmpty())
            .ifPresent(value -> values.put(field, value));
      }
      for (String name : spec.names()) {
        boolean known =
            List.of(Field.values()).stream().anyMatch(field -> field.inFile.equals(name));
        if (!known && !name.startsWith("k8s") && !name.equals("kubeconfig")) {
          throw spec.child(name).problem("is not a field of " + KIND);
        }
      }
    }
    return new CalicoctlConfig(source, values);
  }

  private static void word(StrictYaml document, String key, String wanted) throws YamlException {
    StrictYaml value = document.child(key);
    if (!value.scalar(wanted, Function.identity()).equals(wanted)) {
      throw value.expected(wanted);
    }
  }

  /// Each variable also as `CALICO_…`, which wins.
  private static CalicoctlConfig environment(Map<String, String> environment) {
    Map<Field, String> values = new EnumMap<>(Field.class);
    for (Field field : Field.values()) {
      String plain = environment.getOrDefault(field.inEnvironment, "");
      String value = environment.getOrDefault("CALICO_" + field.inEnvironment, plain);
      if (!field.inEnvironment.isEmpty() && !value.isEmpty()) {
        values.put(field, value);
      }
    }
    return new CalicoctlConfig("the environment", values);
  }

  Optional<String> get(Field field) {
    return Optional.ofNullable(values.get(field));
  }

  /// Refuses what leads to no etcd.
  ///
  /// @throws IllegalArgumentException if it says so
  void requireEtcd() {
    String type = values.getOrDefault(Field.DATASTORE_TYPE, "etcdv3");
    if (!type.equals("etcdv3")) {
      throw new IllegalArgumentException(
          source
              + ": datastoreType is \""
              + type
              + "\"; only etcdv3 is supported. Set it (or DATASTORE_TYPE) to etcdv3 and name"
              + " etcdEndpoints");
    }
    if (values.containsKey(Field.DISCOVERY)) {
      throw new IllegalArgumentException(
          source
              + ": etcdDiscoverySrv is not supported; list the members in etcdEndpoints (or"
              + " ETCD_ENDPOINTS)");
    }
  }
}
