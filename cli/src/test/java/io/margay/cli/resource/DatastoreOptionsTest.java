package io.margay.cli.resource;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.datastore.DatastoreSettings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Who says where etcd is: an option, Margay's variable, calicoctl's file, calicoctl's variables.
class DatastoreOptionsTest {

  private static final String FILE =
      """
      apiVersion: projectcalico.org/v3
      kind: CalicoAPIConfig
      metadata:
      spec:
        datastoreType: etcdv3
        etcdEndpoints: https://file:2379,https://file2:2379
        etcdUsername: root
        etcdPassword: very-secret
        etcdCACertFile: /file/ca
        etcdCert: |
          inline certificate
        etcdKey: |
          inline key
      """;

  private final MargayRun margay = new MargayRun();
  private final AtomicReference<DatastoreSettings> opened = new AtomicReference<>();

  private DatastoreSettings settings(String... options) {
    margay.opener =
        settings -> {
          opened.set(settings);
          return new MargayRun.Forwarding(margay.store);
        };
    String[] all = new String[options.length + 2];
    all[0] = "get";
    all[1] = "nodes";
    System.arraycopy(options, 0, all, 2, options.length);
    assertThat(margay.margay("", all)).as(margay.err).isZero();
    return opened.get();
  }

  private String refusal(String... options) {
    String[] all = new String[options.length + 2];
    all[0] = "get";
    all[1] = "nodes";
    System.arraycopy(options, 0, all, 2, options.length);
    assertThat(margay.margay("", all)).isEqualTo(2);
    return margay.err;
  }

  @Test
  void without_a_word_it_is_this_machines() {
    assertThat(settings().endpoints()).containsExactly("http://127.0.0.1:2379");
  }

  @Test
  void calicoctls_variables_with_and_without_prefix() {
    margay.environment.put("ETCD_ENDPOINTS", "https://plain:2379");
    margay.environment.put("ETCD_CA_CERT_FILE", "/env/ca");
    margay.environment.put("ETCD_USERNAME", "u");
    margay.environment.put("ETCD_PASSWORD", "p");
    assertThat(settings().endpoints()).containsExactly("https://plain:2379");
    assertThat(opened.get().tls().orElseThrow().caFile()).isEqualTo(Path.of("/env/ca"));
    assertThat(opened.get().user().orElseThrow()).isEqualTo(new DatastoreSettings.User("u", "p"));

    margay.environment.put("CALICO_ETCD_ENDPOINTS", "https://prefixed:2379");
    assertThat(settings().endpoints()).containsExactly("https://prefixed:2379");
  }

  @Test
  void a_file_wins_over_the_environment_and_an_option_over_both(@TempDir Path folder)
      throws Exception {
    margay.environment.put("ETCD_ENDPOINTS", "http://plain:2379");
    margay.environment.put("ETCD_USERNAME", "other");
    String file = Files.writeString(folder.resolve("calicoctl.cfg"), FILE).toString();

    DatastoreSettings settings = settings("-c", file);
    assertThat(settings.endpoints()).containsExactly("https://file:2379", "https://file2:2379");
    assertThat(settings.user().orElseThrow().name()).isEqualTo("root");
    DatastoreSettings.Tls tls = settings.tls().orElseThrow();
    assertThat(tls.caFile()).isEqualTo(Path.of("/file/ca"));
    assertThat(tls.certificateFile().orElseThrow()).hasContent("inline certificate\n");
    assertThat(Files.getPosixFilePermissions(tls.keyFile().orElseThrow()))
        .isEqualTo(PosixFilePermissions.fromString("rw-------"));

    margay.environment.put("MARGAY_ETCD_ENDPOINTS", "https://ours:2379");
    assertThat(settings("-c", file).endpoints()).containsExactly("https://ours:2379");
    assertThat(
            settings(
                    "-c",
                    file,
                    "--etcd-endpoints",
                    "https://option:2379",
                    "--etcd-ca-cert-file",
                    "/o")
                .endpoints())
        .containsExactly("https://option:2379");
    assertThat(opened.get().tls().orElseThrow().caFile()).isEqualTo(Path.of("/o"));
  }

  @Test
  void what_can_not_work_says_so_and_never_the_password(@TempDir Path folder) throws Exception {
    Path file = folder.resolve("calicoctl.cfg");
    assertThat(refusal("-c", file.toString())).isEqualTo(file + ": can't be read: no such file\n");

    Files.writeString(file, FILE.replace("etcdv3", "kubernetes"));
    assertThat(refusal("-c", file.toString()))
        .startsWith(file + ": datastoreType is \"kubernetes\"; only etcdv3 is supported.");

    Files.writeString(file, FILE.replace("etcdEndpoints: https://", "etcdDiscoverySrv: "));
    assertThat(refusal("-c", file.toString())).contains("etcdDiscoverySrv is not supported");

    Files.writeString(file, FILE.replace("etcdPassword", "etcdPasword"));
    assertThat(refusal("-c", file.toString()))
        .contains("spec.etcdPasword: is not a field of CalicoAPIConfig")
        .doesNotContain("very-secret");

    Files.writeString(file, FILE.replace("CalicoAPIConfig", "Config"));
    assertThat(refusal("-c", file.toString())).contains("kind: expected CalicoAPIConfig");

    Files.writeString(file, FILE.replace("  datastoreType: etcdv3", "  : ["));
    assertThat(refusal("-c", file.toString())).contains("expected YAML").doesNotContain("secret");
  }
}
