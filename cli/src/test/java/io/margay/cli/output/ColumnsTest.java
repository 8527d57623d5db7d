package io.margay.cli.output;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.model.resource.Kind;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ColumnsTest {

  @ParameterizedTest
  @EnumSource(Kind.class)
  void every_kind_has_columns_and_every_heading_a_cell(Kind kind) {
    assertThat(Columns.has(kind.plural())).isTrue();
    Columns columns = Columns.of(kind);
    assertThat(columns.cells().keySet()).containsAll(columns.narrow()).containsAll(columns.wide());
  }
}
