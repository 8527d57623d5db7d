package io.margay.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.margay.agent.http.BgpApi;
import io.margay.bgp.message.Community;
import io.margay.bgp.policy.ExportMode;
import io.margay.bgp.policy.ImportMode;
import io.margay.bgp.policy.PeerPolicy;
import io.margay.bgp.speaker.BgpSpeaker;
import io.margay.bgp.speaker.CloseMode;
import io.margay.bgp.speaker.FibListener;
import io.margay.bgp.speaker.OriginatedRoute;
import io.margay.bgp.speaker.PeerConfig;
import io.margay.bgp.speaker.SpeakerConfig;
import io.margay.cli.http.HttpAddress;
import io.margay.cli.http.HttpServer;
import io.margay.model.net.Asn;
import io.margay.model.net.Prefix;
import io.margay.model.net.RouterId;
import io.margay.model.net.ScopedAddress;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// `margay bgp` against a speaker of this process, over a Unix socket.
class BgpCommandsTest {

  private static final PeerPolicy POLICY =
      PeerPolicy.builder().importMode(ImportMode.ACCEPT).exportMode(ExportMode.ALL).build();

  @TempDir private static Path directory;
  private static BgpSpeaker speaker;
  private static HttpServer server;

  private record Run(int exit, String out, String err) {}

  @BeforeAll
  static void speak() throws IOException {
    speaker =
        BgpSpeaker.start(
            SpeakerConfig.builder(Asn.of(65001), RouterId.parse("1.1.1.1")).build(),
            FibListener.NONE,
            InstantSource.system(),
            new Random(1));
    speaker.originate(
        Set.of(
            new OriginatedRoute(Prefix.parse("10.65.0.0/26"), Set.of(Community.parse("65001:100"))),
            OriginatedRoute.of(Prefix.parse("10.65.0.64/26")),
            OriginatedRoute.of(Prefix.parse("fd00:65::/122"))));
    speaker.configure(
        List.of(
            PeerConfig.builder(ScopedAddress.parse("192.0.2.1"), Asn.of(65002), POLICY)
                .description("tor-a")
                .passive(true)
                .build()));
    server =
        HttpServer.start(
            HttpAddress.parse("unix:" + directory.resolve("api")),
            (target, _) -> new BgpApi(() -> Optional.of(speaker)).answer(target));
  }

  @AfterAll
  static void end() {
    server.close();
    speaker.close(CloseMode.SHUTDOWN);
  }

  private static Run margay(String... words) {
    List<String> arguments = new ArrayList<>(List.of("bgp"));
    arguments.addAll(List.of(words));
    arguments.addAll(List.of("--api", server.address().toString()));
    PrintStream out = System.out;
    PrintStream err = System.err;
    ByteArrayOutputStream said = new ByteArrayOutputStream();
    ByteArrayOutputStream complained = new ByteArrayOutputStream();
    try {
      System.setOut(new PrintStream(said, true, StandardCharsets.UTF_8));
      System.setErr(new PrintStream(complained, true, StandardCharsets.UTF_8));
      int exit = Main.run(arguments.toArray(String[]::new));
      return new Run(
          exit, said.toString(StandardCharsets.UTF_8), complained.toString(StandardCharsets.UTF_8));
    } finally {
      System.setOut(out);
      System.setErr(err);
    }
  }

  private static JsonNode json(String... words) throws IOException {
    List<String> arguments = new ArrayList<>(List.of(words));
    arguments.addAll(List.of("-o", "json"));
    return new JsonMapper().readTree(margay(arguments.toArray(String[]::new)).out());
  }

  @Test
  void peers_are_a_table_within_a_hundred_columns() {
    Run run = margay("peers");
    assertThat(run.exit()).isZero();
    assertThat(run.out()).contains("NEIGHBOR", "192.0.2.1", "65002", "Active", "0/0/0");
    assertThat(run.out().lines()).allMatch(line -> line.length() <= 100);
  }

  @Test
  void one_peer_is_shown_whole() throws IOException {
    assertThat(margay("peers", "192.0.2.1").out())
        .contains("BGP neighbor 192.0.2.1, remote AS 65002, local AS 65001 (tor-a)")
        .contains("passive")
        .contains("export all");
    JsonNode peer = json("peers", "192.0.2.1");
    assertThat(peer.path("neighbor").asText()).isEqualTo("192.0.2.1");
    assertThat(peer.path("state").asText()).isEqualTo("Active");
    assertThat(peer.path("msgRcvd").isNumber()).isTrue();
    assertThat(peer.path("families").path("ipv4").path("pfxRcd").asInt(-1)).isZero();
    assertThat(margay("peers", "192.0.2.9"))
        .isEqualTo(new Run(ExitCodes.FAILED, "", "no peer 192.0.2.9\n"));
  }

  @Test
  void routes_are_listed_in_order_and_filtered() throws IOException {
    JsonNode all = json("routes");
    assertThat(all.findValuesAsText("prefix"))
        .containsExactly("10.65.0.0/26", "10.65.0.64/26", "fd00:65::/122");
    assertThat(all.path(0).path("paths").path(0).path("role").asText()).isEqualTo("best");
    assertThat(all.path(0).path("paths").path(0).path("communities").path(0).asText())
        .isEqualTo("65001:100");
    assertThat(json("routes", "--family", "ipv6").findValuesAsText("prefix"))
        .containsExactly("fd00:65::/122");
    assertThat(json("routes", "--best", "--prefix", "10.65.0.64/26").findValuesAsText("prefix"))
        .containsExactly("10.65.0.64/26");
    assertThat(json("routes", "--received", "--peer", "192.0.2.1")).isEmpty();
    assertThat(json("routes", "--advertised", "--peer", "192.0.2.1")).isEmpty();
    assertThat(margay("routes").out()).contains("10.65.0.0/26", "local", "only path");
  }

  @Test
  void a_lookup_finds_the_longest_prefix() throws IOException {
    assertThat(margay("rib", "10.65.0.70").out())
        .startsWith("10.65.0.64/26\n")
        .contains("from local");
    assertThat(json("rib", "10.65.0.0/26").path("paths")).hasSize(1);
    assertThat(margay("rib", "9.9.9.9"))
        .isEqualTo(new Run(ExitCodes.FAILED, "", "no route for 9.9.9.9\n"));
  }

  @ParameterizedTest
  @CsvSource({
    "'routes,--advertised', --advertised needs --peer",
    "'routes,--family,ipv5', ipv5 is not ipv4 or ipv6",
    "'routes,--peer,tor', tor",
    "'rib,10.0.0.1/8', host bits",
    "'peers,tor', tor",
    "'peers,-o,yaml', expected text or json"
  })
  void what_makes_no_sense_is_exit_code_2_and_one_line(String words, String says) {
    Run run = margay(words.split(",", -1));
    assertThat(run.exit()).isEqualTo(ExitCodes.USAGE);
    assertThat(run.err()).contains(says);
    assertThat(run.err().lines()).hasSize(1);
  }

  @Test
  void where_nobody_listens_is_said() {
    assertThat(Main.run(new String[] {"bgp", "peers", "--api", "unix:" + directory.resolve("no")}))
        .isEqualTo(ExitCodes.UNREACHABLE);
    assertThat(Main.run(new String[] {"bgp", "peers", "--api", "tor"})).isEqualTo(ExitCodes.USAGE);
  }
}
