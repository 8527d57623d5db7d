package io.margay.cli.node;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.agent.bgp.DrainOrder;
import io.margay.agent.http.Answer;
import io.margay.cli.http.HttpAddress;
import io.margay.cli.http.HttpServer;
import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.KeyValue;
import io.margay.datastore.Txn;
import io.margay.datastore.file.FileDatastore;
import io.margay.datastore.json.Decoded;
import io.margay.datastore.json.ResourceJson;
import io.margay.model.resource.Node;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/// Both commands on a datastore in memory and an agent's answers over a Unix socket.
class DrainCommandTest {

  @CommandLine.Command(name = "margay")
  private static final class Margay {}

  private static final String KEY = "/calico/resources/v3/projectcalico.org/nodes/n1";
  private static final Instant NOW = Instant.parse("2026-11-29T11:20:00Z");

  @TempDir private Path directory;
  private final Deque<String> states = new ArrayDeque<>();
  private Instant now = NOW;
  private String node = "n1";
  private String api = "";
  private HttpServer server;
  private String out = "";
  private String err = "";

  @BeforeEach
  void serve() throws Exception {
    change(
        Txn.builder()
            .put(
                KEY,
                "{\"kind\":\"Node\",\"apiVersion\":\"projectcalico.org/v3\",\"metadata\":{\"name\":\"n1\","
                    + "\"annotations\":{\"mine\":\"stays\"}},\"spec\":{}}")
            .build());
    Path socket = directory.resolve("agent.sock");
    api = "unix:" + socket;
    server = HttpServer.start(new HttpAddress.Unix(socket), (_, _) -> status());
  }

  /// Commands close what they open.
  private Datastore open() throws DatastoreException {
    return FileDatastore.open(directory.resolve("store"));
  }

  private void change(Txn txn) throws DatastoreException {
    try (Datastore store = open()) {
      store.commit(txn);
    }
  }

  @AfterEach
  void stop() {
    server.close();
  }

  /// Each question finds the next state; the last one stays.
  private Answer status() {
    String state = states.size() > 1 ? states.poll() : states.element();
    return new Answer(
        200,
        Answer.JSON,
        to ->
            to.write(
                "{\"nodeName\":\"%s\",\"drain\":{\"state\":\"%s\"}}"
                    .formatted(node, state)
                    .getBytes(StandardCharsets.UTF_8)));
  }

  private int margay(String... arguments) {
    CommandLine margay = new CommandLine(new Margay());
    NodeCommand.register(
        margay,
        new DrainCommand.Surroundings(
            _ -> open(), () -> now, duration -> now = now.plus(duration)));
    String[] whole = new String[arguments.length + 1];
    whole[0] = "node";
    System.arraycopy(arguments, 0, whole, 1, arguments.length);
    StringWriter outText = new StringWriter();
    StringWriter errText = new StringWriter();
    margay.setOut(new PrintWriter(outText));
    margay.setErr(new PrintWriter(errText));
    int code = margay.execute(whole);
    out = outText.toString();
    err = errText.toString();
    return code;
  }

  private Map<String, String> annotations() throws Exception {
    KeyValue stored;
    try (Datastore store = open()) {
      stored = store.get(KEY).orElseThrow();
    }
    return ((Node)
            ((Decoded.Valid)
                    ResourceJson.decode(KEY, stored.value(), stored.modRevision()).orElseThrow())
                .resource())
        .metadata()
        .annotations();
  }

  @Test
  void the_order_is_kept_in_the_node_and_waited_for_until_the_agent_has_done_it() throws Exception {
    states.addAll(List.of("none", "marked", "marked", "withdrawing", "drained"));
    assertThat(margay("drain", "n1", "--wait", "1m", "--api", api)).isZero();
    assertThat(annotations())
        .containsEntry("mine", "stays")
        .containsEntry(DrainOrder.ANNOTATION, "2026-11-29T11:20:00Z wait 60s");
    assertThat(out.lines())
        .containsExactly(
            "n1: announces its routes",
            "n1: what it announces is marked GRACEFUL_SHUTDOWN",
            "n1: withdraws its routes",
            "n1: drained, no peer has a route of it");

    states.clear();
    states.addAll(List.of("drained", "none"));
    assertThat(margay("undrain", "n1", "--api", api)).isZero();
    assertThat(annotations()).containsOnlyKeys("mine");
    assertThat(out).endsWith("n1: announces its routes\n");
  }

  @Test
  void a_node_that_is_drained_already_is_not_let_announce_for_another_wait() throws Exception {
    states.add("drained");
    assertThat(margay("drain", "n1", "--api", api)).isZero();
    now = now.plusSeconds(600);
    assertThat(margay("drain", "n1", "--wait", "10s", "--api", api)).isZero();
    assertThat(annotations()).containsEntry(DrainOrder.ANNOTATION, "2026-11-29T11:20:00Z wait 10s");
  }

  @Test
  void where_the_agent_cannot_be_asked_it_says_how_to_see_it() throws Exception {
    states.add("none");
    node = "n2";
    assertThat(margay("drain", "n1", "--api", api)).isZero();
    assertThat(annotations()).containsKey(DrainOrder.ANNOTATION);
    assertThat(out).contains("is that of node n2", "in 30 s", "drain.state drained");
    assertThat(margay("undrain", "n1", "--api", "unix:" + directory.resolve("nobody"))).isZero();
    assertThat(out).contains("can't be asked", "at once", "drain.state none");
    assertThat(annotations()).containsOnlyKeys("mine");
  }

  @Test
  void an_agent_that_does_not_do_it_is_given_up() {
    states.add("marked");
    assertThat(margay("drain", "n1", "--wait", "5s", "--api", api)).isEqualTo(1);
    assertThat(err).contains("the order is written, but its agent has not done it");
    assertThat(Duration.between(NOW, now)).isBetween(Duration.ofSeconds(35), Duration.ofMinutes(1));
  }

  @Test
  void a_node_that_is_not_there_and_times_that_are_none_are_refused() throws Exception {
    states.add("none");
    assertThat(margay("drain", "n9", "--api", api)).isEqualTo(1);
    assertThat(err).contains("Node n9: does not exist");
    assertThat(margay("drain", "n1", "--wait", "soon", "--api", api)).isEqualTo(2);
    assertThat(err).contains("--wait soon");
    assertThat(margay("drain", "n1", "--wait", "120m", "--api", api)).isEqualTo(2);
    assertThat(annotations()).containsOnlyKeys("mine");
  }
}
