package io.margay.cli.resource;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.datastore.CommitResult;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.InMemoryDatastore;
import io.margay.datastore.Txn;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BadInputTest {

  private static final String SET =
      """
      apiVersion: projectcalico.org/v3
      kind: GlobalNetworkSet
      metadata: {name: s%d}
      spec: {nets: [10.0.0.0/8]}
      """;

  private final MargayRun margay = new MargayRun();

  private static String sets(int count) {
    StringBuilder text = new StringBuilder();
    for (int i = 1; i <= count; i++) {
      text.append("---\n").append(SET.formatted(i));
    }
    return text.toString();
  }

  @Test
  void of_a_thousand_documents_three_bad_ones_are_three_lines_and_nothing_is_written(
      @TempDir Path folder) throws Exception {
    String text =
        sets(1000)
            .replace(
                "name: s17}\nspec: {nets: [10.0.0.0/8]}", "name: s17}\nspec: {nets: [10.0.0.0/33]}")
            .replace("name: s400}", "name: S400}")
            .replace(
                "kind: GlobalNetworkSet\nmetadata: {name: s999}",
                "kind: GlobalNetworkSit\nmetadata: {name: s999}");
    Path file = Files.writeString(folder.resolve("sets.yaml"), text);

    assertThat(margay.margay("", "apply", "-f", file.toString())).isEqualTo(1);

    assertThat(margay.out).isEmpty();
    assertThat(margay.err.lines()).hasSize(4);
    assertThat(margay.err.lines().toList().get(0))
        .startsWith(file + ": document 17: spec.nets[0]: ");
    assertThat(margay.err.lines().toList().get(1))
        .startsWith(file + ": document 400: metadata.name: \"S400\" is not a name");
    assertThat(margay.err.lines().toList().get(2))
        .startsWith(file + ": document 999: kind: \"GlobalNetworkSit\"");
    assertThat(margay.err.lines().toList().get(3)).isEqualTo("nothing was written");
    assertThat(margay.store.list("/").items()).isEmpty();
  }

  @Test
  void what_the_store_refuses_is_counted_and_the_rest_is_written() throws Exception {
    margay.margay(SET.formatted(2), "create", "-f", "-");

    assertThat(margay.margay(sets(3), "create", "-f", "-")).isEqualTo(4);

    assertThat(margay.out)
        .isEqualTo("GlobalNetworkSet(s1) created\nGlobalNetworkSet(s3) created\n");
    assertThat(margay.err)
        .isEqualTo(
            "-: document 2: GlobalNetworkSet(s2): already exists\nof 3: 2 created, 1 refused\n");
  }

  @Test
  void a_store_that_goes_away_midway_is_told_exactly() {
    margay.opener = _ -> new DyingAfter(margay.store, 2);

    assertThat(margay.margay(sets(5), "apply", "-f", "-")).isEqualTo(3);

    assertThat(margay.out)
        .isEqualTo("GlobalNetworkSet(s1) created\nGlobalNetworkSet(s2) created\n");
    assertThat(margay.err)
        .startsWith(
            """
            GlobalNetworkSet(s3): may or may not have been written; get it before trying again
            of 5: 2 applied, 0 refused, 2 not tried
            """);
  }

  @Test
  void broken_yaml_names_the_line() {
    assertThat(margay.margay("kind: [", "apply", "-f", "-")).isEqualTo(1);
    assertThat(margay.err).startsWith("-: document 1: document: line ");
  }

  @Test
  void what_nobody_writes_is_refused() {
    assertThat(
            margay.margay(
                """
                apiVersion: projectcalico.org/v3
                kind: ClusterInformation
                metadata: {name: default}
                """,
                "apply",
                "-f",
                "-"))
        .isEqualTo(1);
    assertThat(margay.err).contains("ClusterInformation(default): is read-only: nodes keep it");
    assertThat(margay.margay("", "delete", "profile", "projectcalico-default-allow")).isEqualTo(1);
  }

  @Test
  void files_below_and_files_without_resources(@TempDir Path folder) throws Exception {
    Path below = Files.createDirectory(folder.resolve("below"));
    Files.writeString(below.resolve("s.yaml"), SET.formatted(1));

    assertThat(margay.margay("", "apply", "-f", folder.toString())).isEqualTo(1);
    assertThat(margay.err).isEqualTo("No resources specified in " + folder + "\n");
    assertThat(margay.margay("", "apply", "--skip-empty", "-f", folder.toString())).isZero();
    assertThat(margay.margay("", "apply", "-R", "-f", folder.toString())).isZero();
    assertThat(margay.out).startsWith("GlobalNetworkSet(s1) created\n");
  }

  /// A store that dies at a later commit.
  private static final class DyingAfter extends MargayRun.Forwarding {
    private int left;

    DyingAfter(InMemoryDatastore store, int commits) {
      super(store);
      this.left = commits;
    }

    @Override
    public CommitResult commit(Txn txn) throws DatastoreException {
      if (left-- <= 0) {
        throw new DatastoreException(
            DatastoreException.Kind.DEADLINE, "http://192.0.2.1:2379", "no answer within 3 s");
      }
      return store.commit(txn);
    }
  }
}
