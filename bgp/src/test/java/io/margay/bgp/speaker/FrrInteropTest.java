package io.margay.bgp.speaker;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// Our speaker against FRR, judged by what `vtysh` says.
@Tag("interop")
class FrrInteropTest {

  private static final String THEIRS = "{10.99.0.0/26=[10.201.1.2], fd00:99::/122=[fd00:201:1::2]}";

  @SuppressWarnings("NullAway.Init") // set before each test
  private InteropLab lab;

  @BeforeEach
  void build() throws IOException {
    lab = new InteropLab(1);
  }

  @AfterEach
  void tearDown() {
    lab.close();
  }

  private InteropLab.Speaker speaker(boolean gracefulRestart, boolean restarting)
      throws IOException {
    return lab.speaker(
        "peers=10.201.1.2@65100",
        "originate=10.65.0.0/26,fd00:10:65::/122",
        "gr=" + gracefulRestart,
        "restarting=" + restarting);
  }

  private String routes() {
    return lab.vtysh("show bgp ipv4 unicast 10.65.0.0/26")
        + lab.vtysh("show bgp ipv6 unicast fd00:10:65::/122");
  }

  private void awaitBothBlocks() {
    Waiting.until(
        "blocks at FRR",
        () -> routes() + lab.vtysh("show bgp summary"),
        () ->
            routes().contains("10.201.1.1 from 10.201.1.1 (10.201.1.1)")
                && routes().contains("fd00:201:1::1 from 10.201.1.1 (10.201.1.1)"));
  }

  @Test
  void both_families_flow_both_ways_over_one_ipv4_session() throws Exception {
    lab.startFrr(1, "");
    InteropLab.Speaker speaker = speaker(true, false);
    awaitBothBlocks();
    speaker.awaitFib(THEIRS);
    speaker.awaitSwept();
    assertThat(routes()).contains("65001").contains("Community: 65001:100").contains("Origin IGP");

    lab.vtysh("clear bgp * soft in");
    speaker.tell("originate 10.65.0.0/26");
    Waiting.until(
        "IPv6 block withdrawn",
        this::routes,
        () -> routes().contains("10.201.1.1 from") && !routes().contains("fd00:201:1::1 from"));

    speaker.stop();
    Waiting.until("withdrawn", this::routes, () -> !routes().contains("10.201.1.1 from"));
    assertThat(lab.vtysh("show bgp neighbors 10.201.1.1"))
        .contains("Notification received (Cease/Administrative Shutdown/Hard Reset)");
  }

  @Test
  void a_killed_speaker_keeps_its_routes_at_frr_until_it_is_back() throws Exception {
    lab.startFrr(1, "bgp graceful-restart");
    InteropLab.Speaker first = speaker(true, false);
    awaitBothBlocks();
    first.awaitFib(THEIRS);

    first.kill();
    Waiting.until("stale", this::routes, () -> routes().contains("stale"));
    assertThat(routes()).contains("10.201.1.1 from").contains("fd00:201:1::1 from");

    InteropLab.Speaker second = speaker(true, true);
    second.awaitFib(THEIRS);
    second.awaitSwept();
    Waiting.until("fresh again", this::routes, () -> !routes().contains("stale"));
    awaitBothBlocks();
  }

  @Test
  void without_graceful_restart_a_killed_speaker_loses_its_routes_at_frr() throws Exception {
    lab.startFrr(1, "bgp graceful-restart");
    InteropLab.Speaker first = speaker(false, false);
    awaitBothBlocks();
    first.kill();
    Waiting.until(
        "FRR drops the routes", this::routes, () -> !routes().contains("10.201.1.1 from"));
  }
}
