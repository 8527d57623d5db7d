package io.margay.datastore;

import org.junit.jupiter.api.AfterEach;

class InMemoryLeasesTest extends LeasesContract {

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
  protected Leases leases() {
    return store;
  }

  @Override
  protected void expire() throws DatastoreException {
    store.expireLeases();
  }
}
