package io.margay.bgp.speaker;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// Our speaker against BIRD, judged by what `birdc` and BIRD's kernel say.
@Tag("interop")
class BirdInteropTest {

  private static final String THEIRS = "{10.99.0.0/26=[10.201.1.2], fd00:99::/122=[fd00:201:1::2]}";

  @SuppressWarnings("NullAway.Init") // set before each test
  private InteropLab lab;

  @BeforeEach
  void build() throws IOException {
    lab = new InteropLab(2);
  }

  @AfterEach
  void tearDown() {
    lab.close();
  }

  private InteropLab.Speaker speaker(boolean gracefulRestart, boolean restarting, String... more)
      throws IOException {
    String[] settings = {
      "peers=10.201.1.2@65100",
      "originate=10.65.0.0/26,fd00:10:65::/122",
      "gr=" + gracefulRestart,
      "restarting=" + restarting
    };
    String[] all = new String[settings.length + more.length];
    System.arraycopy(settings, 0, all, 0, settings.length);
    System.arraycopy(more, 0, all, settings.length, more.length);
    return lab.speaker(all);
  }

  private String kernel(String family) {
    return InteropLab.run(InteropLab.router(1), "ip", family, "route", "show", "proto", "bird");
  }

  private void awaitBothBlocks() {
    Waiting.until(
        "blocks in BIRD's kernel",
        () -> kernel("-4") + kernel("-6") + lab.bird(1, "show protocols all node"),
        () ->
            kernel("-4").contains("10.65.0.0/26 via 10.201.1.1")
                && kernel("-6").contains("fd00:10:65::/122 via fd00:201:1::1"));
  }

  @Test
  void both_families_flow_both_ways_over_one_ipv4_session() throws Exception {
    lab.startBird(1, "graceful restart on;");
    InteropLab.Speaker speaker = speaker(true, false);
    awaitBothBlocks();
    speaker.awaitFib(THEIRS);
    speaker.awaitSwept();
    assertThat(lab.bird(1, "show route 10.65.0.0/26 all"))
        .contains("BGP.as_path: 65001")
        .contains("BGP.origin: IGP")
        .contains("BGP.next_hop: 10.201.1.1")
        .contains("BGP.community: (65001,100)");
    assertThat(lab.bird(1, "show protocols all node"))
        .contains("Established")
        .contains("4-octet AS numbers")
        .contains("Graceful restart");

    lab.bird(1, "reload out node");
    speaker.tell("originate 10.65.0.0/26,10.65.0.64/26");
    Waiting.until(
        "withdraw and announce",
        () -> kernel("-4") + kernel("-6"),
        () -> kernel("-4").contains("10.65.0.64/26") && !kernel("-6").contains("fd00:10:65::"));

    speaker.stop();
    Waiting.until("withdrawn", () -> kernel("-4"), () -> kernel("-4").isBlank());
    assertThat(Files.readString(lab.directory.resolve("bird1.log")))
        .contains("Received: Administrative shutdown");
  }

  @Test
  void a_passive_speaker_waits_for_bird_and_md5_keys_must_match() throws Exception {
    lab.startBird(1, "password \"s3cret\";");
    InteropLab.Speaker speaker = speaker(true, false, "passive=true", "password=s3cret");
    awaitBothBlocks();
    speaker.awaitFib(THEIRS);
    speaker.kill();

    InteropLab.Speaker wrong = speaker(true, false, "password=0th3r");
    Waiting.until(
        "attempts time out",
        () -> wrong.last("STATUS "),
        () -> {
          try {
            wrong.tell("status");
          } catch (IOException ended) {
            throw new AssertionError(ended);
          }
          return wrong.last("STATUS ").contains("timed out");
        });
    assertThat(wrong.last("STATUS ")).doesNotContain("phase=ESTABLISHED").doesNotContain("0th3r");
  }

  @Test
  void a_killed_speaker_keeps_its_routes_at_bird_until_it_is_back() throws Exception {
    lab.startBird(1, "graceful restart on;");
    InteropLab.Speaker first = speaker(true, false);
    awaitBothBlocks();
    first.awaitFib(THEIRS);
    lab.start(InteropLab.router(1), "monitor", "ip", "monitor", "route");

    first.kill();
    Waiting.until(
        "BIRD notices",
        () -> lab.bird(1, "show protocols node"),
        () -> !lab.bird(1, "show protocols node").contains("Established"));
    assertThat(kernel("-4")).contains("10.65.0.0/26");
    assertThat(kernel("-6")).contains("fd00:10:65::/122");

    InteropLab.Speaker second = speaker(true, true);
    second.awaitFib(THEIRS);
    second.awaitSwept();
    Waiting.until(
        "Established, no longer in graceful restart",
        () -> lab.bird(1, "show protocols all node"),
        () -> {
          String state = lab.bird(1, "show protocols all node");
          return state.contains("Established") && !state.contains("graceful restart active");
        });
    awaitBothBlocks();
    assertThat(Files.readString(lab.directory.resolve("monitor"))).doesNotContain("Deleted");
  }

  @Test
  void without_graceful_restart_a_killed_speaker_loses_its_routes_at_bird() throws Exception {
    lab.startBird(1, "graceful restart on;");
    InteropLab.Speaker first = speaker(false, false);
    awaitBothBlocks();
    first.kill();
    Waiting.until(
        "BIRD drops the routes",
        () -> kernel("-4") + kernel("-6"),
        () -> kernel("-4").isBlank() && kernel("-6").isBlank());
    InteropLab.Speaker second = speaker(false, true);
    awaitBothBlocks();
    second.awaitFib(THEIRS);
  }

  @Test
  void two_routers_share_the_load_and_one_that_dies_leaves_the_other() throws Exception {
    lab.startBird(1, "hold time 3;");
    lab.startBird(2, "hold time 3;");
    InteropLab.Speaker speaker =
        lab.speaker(
            "peers=10.201.1.2@65100,10.201.2.2@65100",
            "originate=10.65.0.0/26",
            "gr=true",
            "restarting=false");
    speaker.awaitFib(
        "{10.99.0.0/26=[10.201.1.2, 10.201.2.2], fd00:99::/122=[fd00:201:1::2, fd00:201:2::2]}");
    // Each router has the node's address on its own link as next hop.
    Waiting.until(
        "second router",
        () -> lab.bird(2, "show route all"),
        () -> lab.bird(2, "show route 10.65.0.0/26 all").contains("BGP.next_hop: 10.201.2.1"));
    InteropLab.host("ip", "-n", InteropLab.router(2), "link", "set", "node", "down");
    speaker.awaitFib(THEIRS);
  }
}
