package io.margay.cli.node;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.json.JsonMapper;
import io.margay.agent.http.Answer;
import io.margay.cli.http.HttpAddress;
import io.margay.cli.http.HttpServer;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.InMemoryDatastore;
import io.margay.datastore.KeyValue;
import io.margay.datastore.Txn;
import io.margay.ipam.care.Pause;
import io.margay.model.net.IpFamily;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/// Both commands against an agent's answers over a Unix socket.
class NodeStatusAndVersionTest {

  private static final String PEERS =
      """
      [{"neighbor":"10.0.0.1","desc":"tor-a","expectedAs":"65001","state":"Established",
        "sinceEpoch":1769860200},
       {"neighbor":"10.0.0.22","desc":"","expectedAs":"65002","state":"Active",
        "sinceEpoch":1769000000,"lastError":"Connection refused"}]
      """;
  private static final String STATUS =
      "{\"nodeName\":\"n1\",\"version\":\"0.1.0\",\"health\":{\"bgp\":\"1 of 2 peers established\"}}";

  private static final String INFORMATION =
      "/calico/resources/v3/projectcalico.org/clusterinformations/default";
  private static final Pause NEVER =
      _ -> {
        throw new AssertionError("waited");
      };

  @TempDir private Path directory;
  private String api = "";
  private HttpServer server;
  private String out = "";
  private String err = "";

  @BeforeEach
  void serve() throws Exception {
    Path socket = directory.resolve("agent.sock");
    api = "unix:" + socket;
    server =
        HttpServer.start(
            new HttpAddress.Unix(socket),
            (target, _) -> answer(target.equals("/api/v1/status") ? STATUS : PEERS));
  }

  @AfterEach
  void stop() {
    server.close();
  }

  private static Answer answer(String body) {
    return new Answer(200, Answer.JSON, to -> to.write(body.getBytes(StandardCharsets.UTF_8)));
  }

  private int run(Object command, String... arguments) {
    CommandLine line = new CommandLine(command);
    StringWriter outText = new StringWriter();
    StringWriter errText = new StringWriter();
    line.setOut(new PrintWriter(outText));
    line.setErr(new PrintWriter(errText));
    int code = line.execute(arguments);
    out = outText.toString();
    err = errText.toString();
    return code;
  }

  @Test
  void peers_are_shown_as_calicoctl_does() throws Exception {
    assertThat(
            NodeStatusCommand.peers(
                IpFamily.IPV4,
                new JsonMapper().readTree(PEERS),
                Instant.parse("2026-01-31T18:00:00Z"),
                ZoneOffset.UTC))
        .isEqualTo(
            """
            IPv4 BGP status
            +--------------+---------------+-------+------------+----------------------------+
            | PEER ADDRESS |   PEER TYPE   | STATE |   SINCE    |            INFO            |
            +--------------+---------------+-------+------------+----------------------------+
            | 10.0.0.1     | BGPPeer tor-a | up    | 11:50:00   | Established                |
            | 10.0.0.22    | AS 65002      | start | 2026-01-21 | Active: Connection refused |
            +--------------+---------------+-------+------------+----------------------------+
            """);
  }

  @Test
  void status_says_that_the_process_runs_and_what_it_says_of_itself() {
    assertThat(run(new NodeStatusCommand(), "--api", api)).isZero();
    assertThat(out)
        .startsWith("Margay process is running.\n\nIPv4 BGP status\n+---")
        .contains("\n\nIPv6 BGP status\nNo IPv6 peers found.\n\nWHAT")
        .contains("health.bgp  1 of 2 peers established\n");
  }

  @Test
  void without_an_agent_status_is_one_line_and_exit_code_3() {
    assertThat(run(new NodeStatusCommand(), "--api", "unix:" + directory.resolve("none")))
        .isEqualTo(3);
    assertThat(out).isEmpty();
    assertThat(err).startsWith("Margay process is not running: nobody answers at unix:");
    assertThat(err.lines()).hasSize(1);
  }

  private static InMemoryDatastore cluster() throws DatastoreException {
    InMemoryDatastore store = new InMemoryDatastore();
    store.commit(
        Txn.create(
            INFORMATION,
            "{\"kind\":\"ClusterInformation\",\"apiVersion\":\"projectcalico.org/v3\",\"metadata\":"
                + "{\"name\":\"default\"},\"spec\":{\"clusterType\":\"k8s,bgp\","
                + "\"calicoVersion\":\"v3.31.2\"}}"));
    return store;
  }

  @Test
  void version_tells_of_client_cluster_and_agent() {
    assertThat(run(new VersionCommand(_ -> cluster(), NEVER), "--api", api)).isZero();
    assertThat(out)
        .containsPattern("Client Version: +\\S")
        .contains(
            "Cluster Version:   v3.31.2\n",
            "Cluster Type:      k8s,bgp\n",
            "Agent Version:     0.1.0\n");
  }

  @Test
  void version_polls_and_prints_what_changes() throws Exception {
    InMemoryDatastore store = cluster();
    KeyValue first = store.get(INFORMATION).orElseThrow();
    Deque<Callable<?>> meanwhile =
        new ArrayDeque<>(
            List.of(
                () -> null,
                () -> store.commit(Txn.replace(first, first.value().replace("31.2", "32.1"))),
                () -> store.commit(Txn.builder().delete(INFORMATION).build())));
    List<Duration> pauses = new ArrayList<>();
    VersionCommand command =
        new VersionCommand(
            _ -> store,
            duration -> {
              pauses.add(duration);
              Callable<?> next = meanwhile.poll();
              if (next == null) {
                throw new InterruptedException();
              }
              try {
                next.call();
              } catch (Exception failed) {
                throw new AssertionError(failed);
              }
            });

    run(command, "--poll=1m30s", "--api", api);
    assertThat(Thread.interrupted()).isTrue();
    assertThat(pauses).hasSize(4).containsOnly(Duration.ofSeconds(90));
    assertThat(out.lines().filter(line -> line.startsWith("Cluster")))
        .containsExactly(
            "Cluster Version:   v3.31.2",
            "Cluster Type:      k8s,bgp",
            "Cluster Version:   v3.32.1",
            "Cluster Version:   unknown: it has no ClusterInformation");
    assertThat(run(new VersionCommand(_ -> cluster(), NEVER), "--poll", "soon")).isEqualTo(2);
    assertThat(run(new VersionCommand(_ -> cluster(), NEVER), "--poll", "-1s")).isEqualTo(2);
  }

  @Test
  void version_of_the_client_alone_asks_nobody() {
    VersionCommand command =
        new VersionCommand(
            _ -> {
              throw new AssertionError("asked the datastore");
            },
            NEVER);
    assertThat(run(command, "--client", "--api", "unix:/none")).isZero();
    assertThat(out).contains("Client Version:").doesNotContain("Cluster", "Agent");
  }

  @Test
  void version_without_a_cluster_says_so_and_still_tells_the_rest() {
    VersionCommand command =
        new VersionCommand(
            _ -> {
              throw new DatastoreException(
                  DatastoreException.Kind.UNREACHABLE, "http://x:1", "no connection");
            },
            NEVER);
    assertThat(run(command, "--api", "unix:" + directory.resolve("none"))).isEqualTo(3);
    assertThat(out).contains("Cluster Version:   unknown\n", "Agent Version:     none answers at");
    assertThat(err).isEqualTo("no connection (datastore http://x:1)\n");
  }
}
