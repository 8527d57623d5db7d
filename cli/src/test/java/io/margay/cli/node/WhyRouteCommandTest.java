package io.margay.cli.node;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.agent.http.Answer;
import io.margay.cli.ExitCodes;
import io.margay.cli.http.HttpAddress;
import io.margay.cli.http.HttpServer;
import io.margay.linux.route.NextHop;
import io.margay.linux.route.Route;
import io.margay.linux.route.RouteSpec;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class WhyRouteCommandTest {

  private static final String DETAIL =
      """
      {"prefix": "10.65.0.64/26",
       "paths": [
         {"role": "best", "peer": "10.0.0.0", "nextHop": "10.0.0.0", "asPath": "64601 65002",
          "reason": "oldest"},
         {"role": "candidate", "peer": "10.0.0.2", "nextHop": "10.0.0.2",
          "asPath": "64602 64610 65002", "reason": "longer AS path"}],
       "advertisedTo": [],
       "notAdvertisedTo": [
         {"peer": "10.0.0.0", "reason": "learned from this peer", "detail": ""},
         {"peer": "10.0.0.2", "reason": "not originated here", "detail": "own routes only"}]}
      """;
  private static final String PEERS =
      """
      [{"neighbor": "10.0.0.0", "state": "Established"},
       {"neighbor": "10.0.0.2", "state": "Active", "lastError": "Connection refused"}]
      """;
  private static final Route ROUTE =
      RouteSpec.through(List.of(NextHop.via(IpAddress.parse("10.0.0.0"), 2)))
          .toRoute(Prefix.parse("10.65.0.64/26"));

  @TempDir private Path directory;
  private String api = "";
  private HttpServer server;
  private String out = "";
  private String err = "";

  @BeforeEach
  void serve() throws Exception {
    Path socket = directory.resolve("agent.sock");
    api = "unix:" + socket;
    server = HttpServer.start(new HttpAddress.Unix(socket), (target, _) -> answer(target));
  }

  @AfterEach
  void stop() {
    server.close();
  }

  private static Answer answer(String target) {
    return switch (target) {
      case "/api/v1/bgp/rib?prefix=10.65.0.64/26", "/api/v1/bgp/rib?lookup=10.65.0.65" ->
          answer(200, DETAIL);
      case "/api/v1/bgp/peers" -> answer(200, PEERS);
      default -> answer(404, "{\"error\": \"no route\"}");
    };
  }

  private static Answer answer(int status, String body) {
    return new Answer(status, Answer.JSON, to -> to.write(body.getBytes(StandardCharsets.UTF_8)));
  }

  private int run(String... arguments) {
    CommandLine line =
        new CommandLine(
            new WhyRouteCommand(
                address -> Optional.of(ROUTE).filter(route -> route.prefix().contains(address))));
    StringWriter outText = new StringWriter();
    StringWriter errText = new StringWriter();
    line.setOut(new PrintWriter(outText));
    line.setErr(new PrintWriter(errText));
    String[] all = new String[arguments.length + 2];
    all[0] = "--api";
    all[1] = api;
    System.arraycopy(arguments, 0, all, 2, arguments.length);
    int code = line.execute(all);
    out = outText.toString();
    err = errText.toString();
    return code;
  }

  @Test
  void every_path_every_peer_and_the_kernel_are_told_of() {
    assertThat(run("10.65.0.64/26")).as(err).isZero();
    assertThat(out)
        .isEqualTo(
            """
            10.65.0.64/26
              best: from 10.0.0.0, next hop 10.0.0.0, path 64601 65002: oldest
              not used: from 10.0.0.2, next hop 10.0.0.2, path 64602 64610 65002: longer AS path
              not told to 10.0.0.0: learned from this peer
              not told to 10.0.0.2: not originated here (own routes only)
              the kernel sends packets to 10.65.0.64 by 10.65.0.64/26 via 10.0.0.0 dev 2 proto 117\
             metric 0
            """);
  }

  @Test
  void one_peer_is_asked_about_alone() {
    assertThat(run("10.65.0.65", "10.0.0.2")).as(err).isZero();
    assertThat(out).contains("not told to 10.0.0.2").doesNotContain("10.0.0.0:", "best");
    assertThat(run("10.65.0.65", "10.0.0.9")).isZero();
    assertThat(out).contains("10.0.0.9 is no peer of this node");
  }

  @Test
  void without_a_path_it_is_said_whose_silence_that_is() {
    assertThat(run("10.66.0.0/26")).isEqualTo(ExitCodes.FAILED);
    assertThat(out)
        .isEqualTo(
            """
            10.66.0.0/26: no path is known
              10.0.0.0 is connected and has not announced it
              10.0.0.2 is not connected (Active: Connection refused), so that it can't announce it
              the kernel has no way to 10.66.0.0, or drops what goes there
            """);
    assertThat(err).isEmpty();
  }

  @Test
  void what_is_no_prefix_is_refused() {
    assertThat(run("10.66.0.1/26")).isEqualTo(ExitCodes.USAGE);
    assertThat(err).contains("host bits");
    assertThat(run("10.66.0.0/26", "tor")).isEqualTo(ExitCodes.USAGE);
  }
}
