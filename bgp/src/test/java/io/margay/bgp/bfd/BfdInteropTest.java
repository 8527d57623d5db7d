package io.margay.bgp.bfd;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.model.net.IpAddress;
import io.margay.model.net.ScopedAddress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// Sessions with BIRD and with FRR's bfdd, as their own command lines see them.
@Tag("interop")
class BfdInteropTest {

  private static final Duration INTERVAL = Duration.ofMillis(300);
  private static final BfdParameters QUICK = new BfdParameters(INTERVAL, 3);
  private static final String NEIGHBOUR4 = "10.211.1.1";
  private static final String NEIGHBOUR6 = "fd00:211:1::1";
  private static final String DISTANT4 = "10.211.2.2";
  private static final String DISTANT6 = "fd00:211:2::2";

  private static final Set<BfdPeer> NEIGHBOURS = Set.of(single(NEIGHBOUR4), single(NEIGHBOUR6));
  private final BfdLab lab;
  private final BfdLab.Node node;

  BfdInteropTest() throws Exception {
    lab = new BfdLab();
    node = lab.node(lab.near);
  }

  @AfterEach
  void tearDown() {
    lab.close();
  }

  private static BfdPeer single(String peer) {
    return new BfdPeer(ScopedAddress.parse(peer), null, new BfdPeer.Hops.Single(), QUICK);
  }

  private static Set<BfdPeer> distant(int minTtl) {
    return Set.of(multi(DISTANT4, "10.211.1.2", minTtl), multi(DISTANT6, "fd00:211:1::2", minTtl));
  }

  private static BfdPeer multi(String peer, String local, int minTtl) {
    return new BfdPeer(
        ScopedAddress.parse(peer), IpAddress.parse(local), new BfdPeer.Hops.Multi(minTtl), QUICK);
  }

  /// A BFD daemon in a namespace, with sessions to 10.211.1.2 and fd00:211:1::2.
  private interface Daemon {
    Process process();

    String sessions();

    /// Whether it says that both sessions are up.
    default boolean bothUp() {
      return count(sessions(), up()) == 2;
    }

    default boolean bothDown() {
      return count(sessions(), up()) == 0;
    }

    String up();
  }

  private static int count(String text, String word) {
    return text.split(word, -1).length - 1;
  }

  private final class Bird implements Daemon {
    private final String namespace;
    private final Path config = lab.directory.resolve("bird.conf");
    private final Path socket = lab.directory.resolve("bird.ctl");
    private final Process process;

    Bird(String namespace, boolean multihop) throws Exception {
      this.namespace = namespace;
      String local4 = multihop ? DISTANT4 : NEIGHBOUR4;
      String local6 = multihop ? DISTANT6 : NEIGHBOUR6;
      String how = multihop ? " multihop yes" : " dev \"near\"";
      String timing = "{ interval 300 ms; multiplier 3; };\n";
      Files.writeString(
          config,
          "router id 10.211.0.1;\nprotocol device {}\nprotocol bfd liveness {\n"
              + (multihop ? "multihop " : "interface \"near\" ")
              + timing
              + ("neighbor 10.211.1.2 " + (multihop ? "local " + local4 : "") + how + ";\n")
              + ("neighbor fd00:211:1::2 " + (multihop ? "local " + local6 : "") + how + ";\n")
              + "}\n");
      process =
          lab.daemon(
              namespace,
              "bird.out",
              "bird",
              "-f",
              "-c",
              config.toString(),
              "-s",
              socket.toString(),
              "-P",
              lab.directory.resolve("bird.pid").toString());
      BfdLab.await("BIRD's socket", () -> log("bird.out"), () -> Files.exists(socket));
    }

    String birdc(String... command) {
      List<String> all = new ArrayList<>(List.of("birdc", "-s", socket.toString()));
      all.addAll(Arrays.asList(command));
      return BfdLab.inside(namespace, all.toArray(String[]::new));
    }

    @Override
    public Process process() {
      return process;
    }

    @Override
    public String sessions() {
      return birdc("show", "bfd", "sessions");
    }

    @Override
    public String up() {
      return "Up  ";
    }
  }

  private final class Frr implements Daemon {
    private final String namespace;
    private final Process process;

    Frr(String namespace, boolean multihop) throws Exception {
      this.namespace = namespace;
      Path zserv = lab.directory.resolve("zserv");
      Files.writeString(lab.directory.resolve("zebra.conf"), "");
      StringBuilder config = new StringBuilder("bfd\n");
      for (String[] pair :
          new String[][] {
            {"10.211.1.2", multihop ? DISTANT4 : NEIGHBOUR4},
            {"fd00:211:1::2", multihop ? DISTANT6 : NEIGHBOUR6}
          }) {
        config.append(" peer " + pair[0]);
        config.append(multihop ? " multihop" : "");
        config.append(" local-address " + pair[1]);
        config.append(multihop ? "" : " interface near");
        config.append("\n  receive-interval 300\n  transmit-interval 300\n");
        config.append("  detect-multiplier 3\n");
        config.append(multihop ? "  minimum-ttl 254\n" : "");
        config.append("  no shutdown\n");
      }
      Files.writeString(lab.directory.resolve("bfdd.conf"), config);
      start("zebra");
      BfdLab.await("zebra's socket", () -> log("zebra.out"), () -> Files.exists(zserv));
      process = start("bfdd", "--bfdctl", lab.directory.resolve("bfdd.sock").toString());
      BfdLab.await(
          "bfdd's socket",
          () -> log("bfdd.out"),
          () -> Files.exists(lab.directory.resolve("bfdd.vty")));
    }

    private Process start(String daemon, String... further) throws IOException {
      List<String> command =
          new ArrayList<>(
              List.of(
                  "/usr/lib/frr/" + daemon,
                  "-f",
                  lab.directory.resolve(daemon + ".conf").toString(),
                  "-i",
                  lab.directory.resolve(daemon + ".pid").toString(),
                  "--vty_socket",
                  lab.directory.toString(),
                  "-z",
                  lab.directory.resolve("zserv").toString()));
      command.addAll(Arrays.asList(further));
      return lab.daemon(namespace, daemon + ".out", command.toArray(String[]::new));
    }

    String vtysh(String... commands) {
      List<String> all =
          new ArrayList<>(List.of("vtysh", "--vty_socket", lab.directory.toString(), "-d", "bfdd"));
      for (String command : commands) {
        all.add("-c");
        all.add(command);
      }
      return BfdLab.inside(namespace, all.toArray(String[]::new));
    }

    @Override
    public Process process() {
      return process;
    }

    @Override
    public String sessions() {
      return vtysh("show bfd peers json");
    }

    @Override
    public String up() {
      return "\"status\":\"up\"";
    }
  }

  private String log(String file) {
    try {
      return Files.readString(lab.directory.resolve(file));
    } catch (IOException unreadable) {
      return unreadable.toString();
    }
  }

  private void comesUp(Daemon daemon, Set<BfdPeer> peers) throws Exception {
    node.sessions.desire(peers);
    assertThat(node.event().change()).isEqualTo(new BfdChange.Up());
    assertThat(node.event().change()).isEqualTo(new BfdChange.Up());
    BfdLab.await("both sessions up at the daemon", daemon::sessions, daemon::bothUp);
    BfdLab.await(
        "300 ms x 3",
        node.sessions::status,
        () ->
            node.sessions.status().stream()
                .allMatch(
                    status ->
                        status.detectionTime().equals(Duration.ofMillis(900))
                            && status.sendInterval().equals(INTERVAL)));
  }

  private void killIsNoticed(String name, Daemon daemon) throws Exception {
    long killed = System.nanoTime();
    daemon.process().destroyForcibly();
    for (int i = 0; i < 2; i++) {
      BfdLab.Node.Event down = node.event();
      assertThat(down.change())
          .isInstanceOfSatisfying(
              BfdChange.Down.class,
              it -> assertThat(it.diagnostic()).isEqualTo(BfdDiagnostic.DETECTION_TIME_EXPIRED));
      System.out.printf(
          "%s %s down %d ms after kill -9%n",
          name, down.peer().peer(), (down.nanos() - killed) / 1_000_000);
    }
  }

  private void ourEndIsNoFailure(Daemon daemon, Predicate<String> saysAdminDown) throws Exception {
    node.sessions.desire(Set.of());
    BfdLab.await("both sessions not up at the daemon", daemon::sessions, daemon::bothDown);
    BfdLab.await(
        "admin down at the daemon", daemon::sessions, () -> saysAdminDown.test(daemon.sessions()));
    assertThat(node.events).isEmpty();
  }

  @Test
  void bird_and_we_watch_each_other_on_a_link() throws Exception {
    Bird bird = new Bird(lab.middle, false);
    comesUp(bird, NEIGHBOURS);
    killIsNoticed("BIRD", bird);
  }

  @Test
  void bird_and_we_watch_each_other_over_a_router() throws Exception {
    Bird bird = new Bird(lab.far, true);
    // BIRD leaves the hop limit of multihop packets to the kernel: 64, less one.
    comesUp(bird, distant(63));
    killIsNoticed("BIRD over a router", bird);
  }

  @Test
  void bird_is_told_of_our_end_and_notices_our_silence() throws Exception {
    Bird bird = new Bird(lab.middle, false);
    comesUp(bird, NEIGHBOURS);
    lab.ip(lab.near, "link set end down");
    BfdLab.await("BIRD notices", bird::sessions, bird::bothDown);
    lab.ip(lab.near, "link set end up");
    lab.ip(lab.near, "addr replace fd00:211:1::2/64 dev end nodad");
    BfdLab.await("both sessions up again", bird::sessions, bird::bothUp);
    BfdLab.await(
        "both up here",
        node.sessions::status,
        () -> node.sessions.status().stream().allMatch(it -> it.state() == BfdState.UP));
    node.events.clear();
    ourEndIsNoFailure(bird, _ -> true);
  }

  @Test
  void frr_and_we_watch_each_other_on_a_link() throws Exception {
    Frr frr = new Frr(lab.middle, false);
    comesUp(frr, NEIGHBOURS);
    frr.vtysh(
        "configure terminal",
        "bfd",
        "peer 10.211.1.2 local-address 10.211.1.1 interface near",
        "shutdown");
    assertThat(node.event().change()).isEqualTo(new BfdChange.AdminDown());
    assertThat(node.status(NEIGHBOUR4).remoteState()).isEqualTo(BfdState.ADMIN_DOWN);
    frr.vtysh(
        "configure terminal",
        "bfd",
        "peer 10.211.1.2 local-address 10.211.1.1 interface near",
        "no shutdown");
    assertThat(node.event().change()).isEqualTo(new BfdChange.Up());
    killIsNoticed("FRR", frr);
  }

  @Test
  void frr_and_we_watch_each_other_over_a_router() throws Exception {
    Frr frr = new Frr(lab.far, true);
    comesUp(frr, distant(254));
    killIsNoticed("FRR over a router", frr);
  }

  @Test
  void frr_is_told_of_our_end() throws Exception {
    Frr frr = new Frr(lab.middle, false);
    comesUp(frr, NEIGHBOURS);
    ourEndIsNoFailure(
        frr, sessions -> count(sessions, "\"remote-diagnostic\":\"administratively down\"") == 2);
  }
}
