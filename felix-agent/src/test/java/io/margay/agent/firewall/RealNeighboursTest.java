package io.margay.agent.firewall;

import static io.margay.agent.firewall.FirewallNamespaces.echoes;
import static io.margay.agent.firewall.FirewallNamespaces.v4;
import static io.margay.agent.firewall.FirewallNamespaces.v6;
import static io.margay.agent.firewall.PolicyFixtures.endpoint;
import static io.margay.agent.firewall.PolicyFixtures.inSet;
import static io.margay.agent.firewall.PolicyFixtures.ingress;
import static io.margay.agent.firewall.PolicyFixtures.ports;
import static io.margay.agent.firewall.PolicyFixtures.profile;
import static io.margay.agent.firewall.PolicyFixtures.set;
import static io.margay.agent.firewall.PolicyFixtures.tcp;
import static io.margay.agent.firewall.PolicyFixtures.tier;
import static org.assertj.core.api.Assertions.assertThat;

import io.margay.linux.nft.KernelNftables;
import io.margay.linux.nft.NftHookedChain;
import io.margay.linux.nft.NftOutcome;
import io.margay.linux.nft.NftTable;
import io.margay.linux.nft.NftTable.Ownership;
import io.margay.policy.PolicyUpdate;
import io.margay.policy.RuleAction;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// dockerd and firewalld themselves, started, reloaded and restarted beside ours: what policy
/// denies never passes, what it allows passes with the way out that `margay doctor` tells, and
/// nothing of ours is touched though every writer may.
@Tag("netns")
final class RealNeighboursTest {

  private static final int WEB = 80;
  private static final int OUTSIDE = 4;

  @TempDir Path logs;

  private FirewallNamespaces lab;
  private NftTable table;
  private FirewallManager firewall;
  private KernelNftables reader;
  private NeighbourMachine machine;

  /// An allowed connection, open all the time.
  private SocketChannel client;

  private SocketChannel server;

  @BeforeEach
  void raise() throws Exception {
    lab = new FirewallNamespaces(3);
    lab.addOutside();
    lab.in("o", "ip route add 10.65.0.0/24 via 192.0.2.1");
    lab.listen(1, WEB);
    table = new NftTable(lab.nftables(), "margay", Ownership.NEVER);
    firewall = new FirewallManager(table, FirewallSettings.DEFAULT);
    List.<PolicyUpdate>of(
            profile("open", RuleAction.ALLOW),
            set("s:friends", "10.65.0.2", "fd00:65::2", "192.0.2.2"),
            ingress("friends", tcp(0, RuleAction.ALLOW, inSet("s:friends"), ports(WEB))),
            endpoint(1, List.of(tier("friends")), List.of(), "open"),
            endpoint(2, List.of(), List.of(), "open"),
            endpoint(3, List.of(), List.of(), "open"))
        .forEach(firewall::onUpdate);
    firewall.apply();
    reader = lab.nftables();
    machine = new NeighbourMachine(lab, logs);
    client = lab.open(2, v4(1), WEB);
    server = lab.accept(0);
    assertThat(passes(2, v4(1))).isTrue();
    assertThat(passes(OUTSIDE, v4(1))).isTrue();
  }

  @AfterEach
  void clean() throws Exception {
    machine.close();
    reader.close();
    table.close();
    lab.close();
  }

  /// Pod 3, which policy denies, tries again and again until this is closed.
  private final class Denied implements AutoCloseable {
    private final AtomicInteger tries = new AtomicInteger();
    private final AtomicInteger passed = new AtomicInteger();
    private volatile boolean over;
    private final Thread thread = Thread.ofPlatform().start(this::run);

    private void run() {
      try {
        while (!over) {
          for (InetAddress one : List.of(v4(1), v6(1))) {
            tries.incrementAndGet();
            if (passes(3, one)) {
              passed.incrementAndGet();
            }
          }
        }
      } catch (IOException unexpected) {
        passed.incrementAndGet();
      }
    }

    @Override
    public void close() throws IOException {
      over = true;
      try {
        thread.join();
      } catch (InterruptedException interrupted) {
        Thread.currentThread().interrupt();
        throw new IOException(interrupted);
      }
      assertThat(tries.get()).isPositive();
      assertThat(passed.get()).as("denied connections that passed of %s", tries).isZero();
    }
  }

  @Test
  void firewalld_started_reloaded_and_restarted() throws Exception {
    try (Denied _ = new Denied()) {
      machine.start(
          "test -S /run/dbus/system_bus_socket",
          "dbus-daemon",
          "--system",
          "--nofork",
          "--nopidfile");
      Process daemon = firewalld();
      assertThat(closed()).containsExactly("chain filter_FORWARD of table inet firewalld");
      assertThat(passes(2, v4(1))).as("rejected, as doctor warns").isFalse();
      assertThat(echoes(client, server)).as("what is open goes on").isTrue();

      for (String pods : List.of("10.65.0.0/24", "fd00:65::/64")) {
        machine.run("firewall-cmd", "--permanent", "--zone=trusted", "--add-source=" + pods);
      }
      machine.run("firewall-cmd", "--reload");
      requireAllowed();
      assertThat(passes(OUTSIDE, v4(1))).as("no pod, and no zone lets it forward").isFalse();
      machine.run("firewall-cmd", "--reload");
      requireAllowed();
      assertThat(echoes(client, server)).isTrue();
      machine.stop(daemon);
      requireAllowed();
      firewalld();
      requireAllowed();
      assertThat(echoes(server, client)).isTrue();
    }
    assertThat(firewall.resync()).isEqualTo(new NftOutcome.Unchanged());
    assertThat(firewall.tampering().repairs()).isZero();
  }

  private Process firewalld() throws IOException {
    return machine.start("firewall-cmd --state", "firewalld", "--nofork", "--nopid");
  }

  private void requireAllowed() throws IOException {
    for (InetAddress one : List.of(v4(1), v6(1))) {
      assertThat(passes(2, one)).as("%s", one).isTrue();
    }
  }

  @Test
  void dockerd_started_and_restarted() throws Exception {
    try (Denied _ = new Denied()) {
      Process daemon = dockerd();
      assertThat(closed()).as("of a node that forwards already").isEmpty();
      requireAllowed();
      machine.stop(daemon);

      // As at boot, before an agent made the node a router.
      lab.in("r", "sysctl -qw net.ipv4.ip_forward=0");
      daemon = dockerd();
      assertThat(closed()).contains("chain FORWARD of table ip filter");
      assertThat(passes(2, v4(1))).as("dropped, as doctor warns").isFalse();

      machine.run("iptables", "-I", "DOCKER-USER", "-i", "cali+", "-j", "ACCEPT");
      requireAllowed();
      assertThat(passes(OUTSIDE, v4(1))).as("one direction is not enough from outside").isFalse();
      machine.run("iptables", "-I", "DOCKER-USER", "-o", "cali+", "-j", "ACCEPT");
      assertThat(passes(OUTSIDE, v4(1))).isTrue();
      assertThat(echoes(client, server)).isTrue();
      machine.stop(daemon);
      requireAllowed();
      dockerd();
      requireAllowed();
      assertThat(passes(OUTSIDE, v4(1))).isTrue();
      assertThat(echoes(server, client)).isTrue();
    }
    assertThat(firewall.resync()).isEqualTo(new NftOutcome.Unchanged());
    assertThat(firewall.tampering().repairs()).isZero();
  }

  private Process dockerd() throws IOException {
    return machine.start(
        "docker -H unix:///run/d.sock info",
        "dockerd",
        "--data-root=/run/d",
        "--exec-root=/run/dx",
        "--pidfile=/run/d.pid",
        "--host=unix:///run/d.sock",
        "--storage-driver=vfs");
  }

  private List<String> closed() throws Exception {
    return reader.hookedChains().stream()
        .filter(NftHookedChain::isClosed)
        .filter(chain -> chain.hook().equals("forward"))
        .map(NftHookedChain::toString)
        .toList();
  }

  /// Dropped or rejected is the same to policy.
  private boolean passes(int from, InetAddress to) {
    try {
      return !lab.dropped(from, to, WEB);
    } catch (IOException rejected) {
      return false;
    }
  }
}
