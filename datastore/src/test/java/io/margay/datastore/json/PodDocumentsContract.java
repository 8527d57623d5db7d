package io.margay.datastore.json;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.KeyValue;
import io.margay.datastore.json.PodDocuments.PodName;
import io.margay.datastore.json.PodDocuments.Stored;
import io.margay.datastore.json.WholeDocuments.Outcome;
import io.margay.model.k8s.KubernetesPod;
import io.margay.model.resource.Metadata;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// What becomes of users' Pod documents in any store.
abstract class PodDocumentsContract {

  private static final KubernetesPod.Spec NOTHING =
      new KubernetesPod.Spec(null, null, null, List.of(), List.of());

  private final String namespace = "n" + System.nanoTime();

  abstract Datastore store();

  private PodDocuments pods() {
    return new PodDocuments(store());
  }

  private KubernetesPod pod(String name, String... label) {
    Map<String, String> labels = label.length == 0 ? Map.of() : Map.of(label[0], label[1]);
    return new KubernetesPod(Metadata.named(namespace, name).withLabels(labels), NOTHING);
  }

  private PodName name(String name) {
    return new PodName(namespace, name);
  }

  @Test
  void apply_creates_then_leaves_alone_then_replaces() throws DatastoreException {
    assertThat(pods().apply(pod("a", "app", "x"))).isEqualTo(Outcome.CREATED);
    assertThat(pods().apply(pod("a", "app", "x"))).isEqualTo(Outcome.UNCHANGED);
    assertThat(pods().apply(pod("a", "app", "y"))).isEqualTo(Outcome.REPLACED);

    KeyValue stored = store().get("/margay/v1/pods/" + namespace + "/a").orElseThrow();
    assertThat(PodDocuments.decode(name("a"), stored.value()))
        .isEqualTo(new Stored.Document(pod("a", "app", "y")));
  }

  @Test
  void create_and_replace_want_it_absent_and_present() throws DatastoreException {
    assertThat(pods().replace(pod("a"))).isEqualTo(Outcome.MISSING);
    assertThat(pods().create(pod("a"))).isEqualTo(Outcome.CREATED);
    assertThat(pods().create(pod("a", "app", "y"))).isEqualTo(Outcome.EXISTS);
    assertThat(pods().replace(pod("a", "app", "y"))).isEqualTo(Outcome.REPLACED);
  }

  @Test
  void delete_removes_it_once() throws DatastoreException {
    assertThat(pods().delete(name("a"))).isEqualTo(Outcome.MISSING);
    pods().apply(pod("a"));
    assertThat(pods().delete(name("a"))).isEqualTo(Outcome.DELETED);
    assertThat(store().get(PodDocuments.key(name("a")))).isEmpty();
  }

  @Test
  void the_documents_of_a_namespace_are_listed_by_name() throws DatastoreException {
    pods().apply(pod("b"));
    pods().apply(pod("a"));
    new PodDocuments(store())
        .apply(new KubernetesPod(Metadata.named(namespace + "x", "c"), NOTHING));

    assertThat(pods().list(namespace))
        .extracting(item -> PodDocuments.parseKey(item.key()).orElseThrow())
        .containsExactly(name("a"), name("b"));
    assertThat(pods().list(null)).hasSizeGreaterThanOrEqualTo(3);
  }

  @Test
  void writers_at_the_same_time_all_end_and_one_of_them_is_last() throws Exception {
    try (ExecutorService writers = Executors.newFixedThreadPool(4)) {
      List<Future<Outcome>> results =
          writers.invokeAll(
              IntStream.range(0, 4)
                  .mapToObj(
                      i -> (Callable<Outcome>) () -> pods().apply(pod("a", "writer", "w" + i)))
                  .toList());
      int created = 0;
      for (Future<Outcome> result : results) {
        assertThat(result.get()).isIn(Outcome.CREATED, Outcome.REPLACED);
        created += result.get() == Outcome.CREATED ? 1 : 0;
      }
      assertThat(created).isEqualTo(1);
    }
  }
}
