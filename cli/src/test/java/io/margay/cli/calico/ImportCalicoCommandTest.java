package io.margay.cli.calico;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.margay.datastore.InMemoryDatastore;
import io.margay.datastore.Txn;
import io.margay.model.resource.Kind;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvFileSource;
import picocli.CommandLine;

/// The check on a cluster transcribed from Calico's types (cluster.txt; docs/migration.md says from
/// which), and one row of [Support] at a time.
@TestMethodOrder(MethodOrderer.MethodName.class)
class ImportCalicoCommandTest {

  private static final Set<Support> SHOWN = EnumSet.noneOf(Support.class);

  @CommandLine.Command(name = "margay")
  private static final class Margay {}

  private final InMemoryDatastore store = new InMemoryDatastore();
  private String out = "";
  private String err = "";

  private int margay(String... arguments) {
    CommandLine line = new CommandLine(new Margay());
    ImportCommands.register(line, _ -> store);
    StringWriter outText = new StringWriter();
    StringWriter errText = new StringWriter();
    line.setOut(new PrintWriter(outText));
    line.setErr(new PrintWriter(errText));
    int code = line.execute(arguments);
    out = outText.toString();
    err = errText.toString();
    return code;
  }

  private static String resource(String name) throws Exception {
    try (InputStream in =
        Objects.requireNonNull(ImportCalicoCommandTest.class.getResourceAsStream(name))) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  private void put(String key, String value) throws Exception {
    store.commit(Txn.builder().put(key, value).build());
  }

  private void fill(String dump) throws Exception {
    for (String line : dump.lines().toList()) {
      String[] parts = line.split("\t", 2);
      put(parts[0], parts[1]);
    }
  }

  @Test
  void a_grown_calico_cluster_is_told_everything_that_would_differ() throws Exception {
    fill(resource("cluster.txt"));
    long revision = store.revision();
    int code = margay("import", "calico");
    assertThat(err).isEmpty();
    assertThat(out).isEqualTo(resource("cluster-findings.txt"));
    assertThat(code).isZero();
    assertThat(store.revision()).as("nothing is written").isEqualTo(revision);
    assertThat(out.lines()).allSatisfy(line -> assertThat(line).hasSizeLessThanOrEqualTo(100));
  }

  @Test
  void an_as_of_0_is_no_session() throws Exception {
    String resources = "/calico/resources/v3/projectcalico.org/";
    put(
        resources + "bgpconfigurations/default",
        "{\"metadata\":{\"name\":\"default\"},\"spec\":{\"asNumber\":0}}");
    put(
        resources + "ippools/p",
        "{\"metadata\":{\"name\":\"p\"},\"spec\":{\"cidr\":\"10.65.0.0/16\"}}");
    assertThat(margay("import", "calico")).as(err).isEqualTo(1);
    assertThat(out).contains("no BGP session would come up");
  }

  @Test
  void json_has_every_finding_with_its_severity() throws Exception {
    fill(resource("cluster.txt"));
    assertThat(margay("import", "calico", "-o", "json", "--node", "worker-1")).isZero();
    JsonNode document = new JsonMapper().readTree(out);
    assertThat(document.path("canJoin").asBoolean()).isTrue();
    assertThat(document.path("findings"))
        .anySatisfy(
            finding -> {
              assertThat(finding.path("id").asText()).isEqualTo("taken-over-node");
              assertThat(finding.path("severity").asText()).isEqualTo("informs");
              assertThat(finding.path("object").asText()).isEqualTo("Node(worker-1)");
              assertThat(finding.path("detail").asText()).isEqualTo("1 blocks");
            });
  }

  /// A pool and a peer: nothing to differ but what is said of every cluster.
  private void fillPlain() throws Exception {
    put(
        "/calico/resources/v3/projectcalico.org/ippools/p",
        "{\"kind\":\"IPPool\",\"apiVersion\":\"projectcalico.org/v3\",\"metadata\":{\"name\":\"p\"},"
            + "\"spec\":{\"cidr\":\"10.65.0.0/16\"}}");
    put(
        "/calico/resources/v3/projectcalico.org/bgppeers/tor",
        "{\"kind\":\"BGPPeer\",\"apiVersion\":\"projectcalico.org/v3\",\"metadata\":{\"name\":\"tor\"},"
            + "\"spec\":{\"peerIP\":\"10.0.0.1\",\"asNumber\":65001}}");
  }

  @Test
  void a_plain_cluster_can_be_joined() throws Exception {
    fillPlain();
    assertThat(margay("import", "calico")).isZero();
    assertThat(out).endsWith("0 blocking, 0 differing, 2 to know: a Margay node can join\n");
  }

  @Test
  void a_cluster_whose_packets_are_all_wrapped_in_vxlan_needs_no_bgp() throws Exception {
    put(
        "/calico/resources/v3/projectcalico.org/ippools/p",
        "{\"kind\":\"IPPool\",\"apiVersion\":\"projectcalico.org/v3\",\"metadata\":{\"name\":\"p\"},"
            + "\"spec\":{\"cidr\":\"10.65.0.0/16\",\"vxlanMode\":\"Always\"}}");
    assertThat(margay("import", "calico")).isZero();
    assertThat(out).contains("wrapped in VXLAN").doesNotContain("no BGP session would");
  }

  @ParameterizedTest(name = "{0}: {1}")
  @CsvFileSource(resources = "rows.csv", delimiter = '|', quoteCharacter = '\0')
  void each_row_is_found_by_what_it_is_about(
      Support row, String key, String value, @Nullable String detail) throws Exception {
    if (!key.startsWith("!")) {
      fillPlain();
    }
    String place = key.substring(key.startsWith("!") ? 1 : 0);
    String[] parts = place.substring(place.lastIndexOf(':') + 1).split("/", -1);
    if (place.startsWith("v3:")) {
      put(
          "/calico/resources/v3/projectcalico.org/" + place.substring("v3:".length()),
          value.startsWith("{\"")
              ? value
              : "{\"apiVersion\":\"projectcalico.org/v3\",\"kind\":\"%s\",\"metadata\":{\"name\":\"%s\"},\"spec\":%s}"
                  .formatted(
                      Kind.ofPlural(parts[0]).map(Kind::kindName).orElse("Unknown"),
                      parts[parts.length - 1],
                      value.replace('\'', '"').replace("`", "'")));
    } else {
      put(place, value);
    }
    int code = margay("import", "calico", "-o", "json", "--node", "n1");
    assertThat(err).isEmpty();
    assertThat(new JsonMapper().readTree(out).path("findings"))
        .anySatisfy(
            finding -> {
              assertThat(finding.path("id").asText())
                  .isEqualTo(row.name().toLowerCase(Locale.ROOT).replace('_', '-'));
              assertThat(finding.path("detail").asText()).contains(detail == null ? "" : detail);
            });
    assertThat(code).isEqualTo(row.severity() == Severity.BLOCKS ? 1 : 0);
    SHOWN.add(row);
  }

  @AfterAll
  static void every_row_was_shown() {
    assertThat(SHOWN).isEqualTo(EnumSet.allOf(Support.class));
  }

  @Test
  void the_guide_lists_every_row() throws Exception {
    String guide =
        Files.readString(
            Path.of(System.getProperty("margay.root", "..")).resolve("docs/migration.md"));
    for (Support row : Support.values()) {
      assertThat(guide)
          .contains(
              "| `%s` | %s | %s |"
                  .formatted(
                      row.name().toLowerCase(Locale.ROOT).replace('_', '-'),
                      row.severity().words(),
                      row.what()));
    }
  }
}
