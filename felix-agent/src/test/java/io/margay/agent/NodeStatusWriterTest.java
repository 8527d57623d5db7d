package io.margay.agent;

import static io.margay.agent.calc.Documents.document;
import static org.assertj.core.api.Assertions.assertThat;

import io.margay.agent.calc.Documents;
import io.margay.datastore.InMemoryDatastore;
import io.margay.datastore.KeyValue;
import io.margay.datastore.Txn;
import io.margay.datastore.json.Decoded;
import io.margay.datastore.json.ResourceJson;
import io.margay.datastore.json.ResourceKeys;
import io.margay.model.resource.CalicoNodeStatus;
import io.margay.model.resource.NodeStatusClass;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class NodeStatusWriterTest {

  private static final String KEY = ResourceKeys.ROOT + "caliconodestatuses/mine";

  private final InMemoryDatastore store = new InMemoryDatastore();
  private Instant now = Instant.parse("2026-11-29T11:20:00Z");
  private final NodeStatusWriter writer =
      new NodeStatusWriter("n1", store, this::report, () -> now);

  private boolean speakerClosed;

  private Map<String, Object> report(Set<NodeStatusClass> classes) {
    if (speakerClosed) {
      throw new IllegalStateException("the BGP speaker does not answer: is it closed?");
    }
    return Map.of("lastUpdated", now.toString(), "classes", List.copyOf(classes).toString());
  }

  @AfterEach
  void close() {
    writer.close();
    store.close();
  }

  private void ask(String spec) throws Exception {
    CalicoNodeStatus wanted =
        (CalicoNodeStatus) Documents.read(document("CalicoNodeStatus", "mine", spec)).getFirst();
    store.commit(Txn.builder().put(KEY, ResourceJson.encode(wanted)).build());
    writer.onUpdate("mine", wanted);
  }

  private CalicoNodeStatus stored() throws Exception {
    KeyValue item = store.get(KEY).orElseThrow();
    return (CalicoNodeStatus)
        ((Decoded.Valid) ResourceJson.decode(KEY, item.value(), item.modRevision()).orElseThrow())
            .resource();
  }

  private Object updated() throws Exception {
    return Objects.requireNonNull(stored().status().get("lastUpdated"));
  }

  @Test
  void a_report_is_written_at_once_and_each_period_and_for_the_classes_wanted() throws Exception {
    ask("{node: n1, classes: [BGP], updatePeriodSeconds: 20}");
    writer.writeDue();
    assertThat(updated()).isEqualTo("2026-11-29T11:20:00Z");
    assertThat(stored().status()).containsEntry("classes", "[BGP]");
    // Its own write comes back.
    writer.onUpdate("mine", stored());
    now = now.plusSeconds(19);
    writer.writeDue();
    assertThat(updated()).isEqualTo("2026-11-29T11:20:00Z");
    now = now.plusSeconds(1);
    writer.writeDue();
    assertThat(updated()).isEqualTo("2026-11-29T11:20:20Z");
  }

  @Test
  void a_period_of_zero_is_once_until_something_else_is_wanted() throws Exception {
    ask("{node: n1, classes: [Agent], updatePeriodSeconds: 0}");
    writer.writeDue();
    now = now.plusSeconds(86_400);
    writer.writeDue();
    assertThat(updated()).isEqualTo("2026-11-29T11:20:00Z");
    // Another wish is another report.
    ask("{node: n1, classes: [Agent, Routes], updatePeriodSeconds: 0}");
    writer.writeDue();
    assertThat(updated()).isEqualTo(now.toString());
  }

  @Test
  void what_names_another_node_or_is_gone_is_left_alone() throws Exception {
    ask("{node: n2, classes: [BGP], updatePeriodSeconds: 1}");
    long before = store.revision();
    writer.writeDue();
    assertThat(store.revision()).isEqualTo(before);
    ask("{node: n1, classes: [BGP], updatePeriodSeconds: 1}");
    store.commit(Txn.builder().delete(KEY).build());
    before = store.revision();
    writer.writeDue();
    assertThat(store.revision()).isEqualTo(before);
    writer.onUpdate("mine", null);
    writer.writeDue();
    assertThat(store.get(KEY)).isEmpty();
  }

  @Test
  void a_report_that_cannot_be_made_now_is_made_soon() throws Exception {
    for (int period : new int[] {0, 5, 86_400}) {
      ask("{node: n1, classes: [BGP], updatePeriodSeconds: " + period + "}");
      speakerClosed = true;
      writer.writeDue();
      speakerClosed = false;
      now = now.plus(NodeStatusWriter.RETRY).minusMillis(1);
      writer.writeDue();
      assertThat(stored().status()).isNotEqualTo(Map.of("lastUpdated", now.toString()));
      now = now.plusMillis(1);
      writer.writeDue();
      assertThat(updated()).as("period %s", period).isEqualTo(now.toString());
      now = now.plusSeconds(1);
    }
  }
}
