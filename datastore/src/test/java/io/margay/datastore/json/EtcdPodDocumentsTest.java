package io.margay.datastore.json;

import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreSettings;
import io.margay.datastore.etcd.EtcdDatastore;
import io.margay.datastore.testing.EtcdProcess;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;

@Tag("etcd")
class EtcdPodDocumentsTest extends PodDocumentsContract {

  @TempDir private static Path directory;

  private static EtcdProcess etcd;
  private static EtcdDatastore store;

  @BeforeAll
  static void start() throws Exception {
    etcd = new EtcdProcess(directory);
    store = EtcdDatastore.open(DatastoreSettings.of(etcd.endpoint()));
  }

  @AfterAll
  static void stop() {
    store.close();
    etcd.close();
  }

  @Override
  Datastore store() {
    return store;
  }
}
