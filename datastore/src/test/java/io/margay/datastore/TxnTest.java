package io.margay.datastore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class TxnTest {

  @Test
  void a_key_is_written_once_at_most() {
    assertThatThrownBy(() -> Txn.builder().put("/a", "1").delete("/a").build())
        .hasMessageContaining("/a twice");
  }

  @Test
  void keys_are_absolute_and_revisions_positive() {
    assertThatThrownBy(() -> Txn.create("a", "1")).hasMessageContaining("must start with /");
    assertThatThrownBy(() -> Txn.builder().ifAtRevision("/a", 0))
        .hasMessageContaining("use Absent");
  }

  @Test
  void settings_name_the_bad_endpoint_and_hide_the_password() {
    assertThatThrownBy(() -> DatastoreSettings.of("127.0.0.1:2379"))
        .hasMessageContaining("127.0.0.1:2379");
    assertThatThrownBy(() -> DatastoreSettings.of("https://a:1"))
        .hasMessageContaining("for https set datastore.tls");
    assertThatThrownBy(() -> DatastoreSettings.of())
        .hasMessageContaining("datastore.endpoints is empty");
    DatastoreSettings settings =
        new DatastoreSettings(
            List.of("http://a:1"),
            Optional.of(new DatastoreSettings.User("root", "s3cret")),
            Optional.empty());
    assertThat(settings.toString()).contains("root").doesNotContain("s3cret");
  }
}
