package io.margay.datastore.json;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.datastore.Datastore;
import io.margay.datastore.InMemoryDatastore;
import io.margay.datastore.json.PodDocuments.PodName;
import io.margay.datastore.json.PodDocuments.Stored;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PodDocumentsTest extends PodDocumentsContract {

  private final InMemoryDatastore store = new InMemoryDatastore();

  @Override
  Datastore store() {
    return store;
  }

  @Test
  void a_key_names_a_pod() {
    PodName name = new PodName("shop", "web-0.a");

    assertThat(PodDocuments.key(name)).isEqualTo("/margay/v1/pods/shop/web-0.a");
    assertThat(PodDocuments.parseKey(PodDocuments.key(name))).contains(name);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/margay/v1/pods/",
        "/margay/v1/pods/shop",
        "/margay/v1/pods/shop/",
        "/margay/v1/pods//a",
        "/margay/v1/pods/a/b/c",
        "/margay/v1/other/a/b"
      })
  void other_keys_name_none(String key) {
    assertThat(PodDocuments.parseKey(key)).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '^',
      value = {
        "[]|document: expected",
        "{|document: is not JSON: ",
        "{}|document: metadata is required",
        "null|document: is empty",
        "{\"metadata\":{\"name\":\"b\",\"namespace\":\"n\"}}|metadata: is of Pod(n/b), stored as",
        "{\"metadata\":{\"name\":\"a\",\"labels\":{\"x\":\"a b\"}}}|metadata.labels: ",
        "{\"metadata\":{\"name\":\"a\"},\"spec\":{\"hostNetwork\":true}}|spec.hostNetwork: ",
      })
  void what_is_no_document_says_why(String value, String reason) {
    assertThat(PodDocuments.decode(new PodName("n", "a"), value))
        .isInstanceOfSatisfying(
            Stored.Unreadable.class,
            unreadable -> assertThat(unreadable.reason()).startsWith(reason));
  }
}
