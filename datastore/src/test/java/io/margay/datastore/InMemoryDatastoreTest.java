package io.margay.datastore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class InMemoryDatastoreTest extends DatastoreContract {

  private final InMemoryDatastore store = new InMemoryDatastore();

  @AfterEach
  void close() {
    store.close();
  }

  @Override
  protected Datastore store() {
    return store;
  }

  @Override
  protected void compact(long revision) {
    store.compact(revision);
  }

  @Test
  void a_closed_store_is_unreachable() {
    store.close();
    assertThatThrownBy(() -> store.get("/a"))
        .isInstanceOfSatisfying(
            DatastoreException.class, failure -> assertThat(failure.isOutcomeUnknown()).isTrue());
  }

  @Test
  void pages_are_of_the_moment_of_the_first() throws Exception {
    pagesAreOfOneMoment();
  }
}
