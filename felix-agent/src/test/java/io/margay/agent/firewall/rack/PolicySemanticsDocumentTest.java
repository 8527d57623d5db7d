package io.margay.agent.firewall.rack;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

final class PolicySemanticsDocumentTest {

  private static final Path DOCUMENT =
      Path.of(System.getProperty("margay.root", ".."), "docs", "policy-semantics.md");

  @Test
  void the_document_names_every_rule_that_has_a_row() throws Exception {
    String text = Files.readString(DOCUMENT);
    assertThat(PolicyMatrixTest.rows())
        .isNotEmpty()
        .allSatisfy(row -> assertThat(text).contains("| " + row.name() + " |"));
  }

  @Test
  void every_rule_is_named_once() throws Exception {
    assertThat(PolicyMatrixTest.rows().map(MatrixRow::name)).doesNotHaveDuplicates();
  }
}
