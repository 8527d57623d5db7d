package io.margay.agent.overlay;

import io.margay.linux.netns.Netns;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/// Three nodes with a pod each, on two subnets that a router joins which knows no pod: node 1 is
/// 192.0.2.1 and 2001:db8:1::1, node 2 its neighbour .2, node 3 is 198.51.100.3 and 2001:db8:3::3.
/// Pod n is 10.65.n.5 and fd00:65:n::5.
final class OverlayRack implements AutoCloseable {

  private static final AtomicInteger NEXT = new AtomicInteger();
  private static final int NODES = 3;

  private final String base =
      "mgyt-ov-" + ProcessHandle.current().pid() + "-" + NEXT.incrementAndGet() + "-";
  private final Map<String, Netns> namespaces = new TreeMap<>();

  OverlayRack() throws IOException {
    try {
      add("r");
      in("r", "sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1");
      in("r", "ip link add near type bridge");
      in("r", "ip link set near up");
      gateway("near", "192.0.2.254/24", "2001:db8:1::fe/64");
      // What comes unwrapped between the subnets goes nowhere.
      in("r", "ip route add unreachable 10.65.0.0/16");
      in("r", "ip -6 route add unreachable fd00:65::/32");
      for (int node = 1; node <= NODES; node++) {
        addNode(node);
        addPod(node);
      }
    } catch (IOException failed) {
      close();
      throw failed;
    }
  }

  private void gateway(String device, String v4, String v6) throws IOException {
    in("r", "ip addr add " + v4 + " dev " + device);
    in("r", "ip addr add " + v6 + " dev " + device + " nodad");
  }

  private void addNode(int node) throws IOException {
    String name = "n" + node;
    add(name);
    in(name, "sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1");
    in(name, "ip link set lo up");
    in("r", "ip link add " + name + " type veth peer name up0 netns " + base + name);
    in("r", "ip link set " + name + " up");
    boolean isNear = node < NODES;
    if (isNear) {
      in("r", "ip link set " + name + " master near");
    } else {
      gateway(name, "198.51.100.254/24", "2001:db8:3::fe/64");
    }
    in(name, "ip link set up0 up");
    in(name, "ip addr add " + machine4(node) + "/24 dev up0");
    in(name, "ip addr add " + machine6(node) + "/64 dev up0 nodad");
    in(name, "ip route add default via " + (isNear ? "192.0.2.254" : "198.51.100.254"));
    in(name, "ip -6 route add default via " + (isNear ? "2001:db8:1::fe" : "2001:db8:3::fe"));
  }

  private void addPod(int node) throws IOException {
    String name = "p" + node;
    String host = "n" + node;
    add(name);
    in(host, "ip link add cali1 type veth peer name eth0 netns " + base + name);
    in(host, "ip link set cali1 address ee:ee:ee:ee:ee:ee");
    in(host, "ip addr add fe80::1/64 dev cali1 nodad");
    in(host, "ip link set cali1 up");
    in(host, "ip route add " + pod4(node) + " dev cali1");
    in(host, "ip -6 route add " + pod6(node) + " dev cali1");
    in(name, "ip link set eth0 up");
    in(name, "ip addr add " + pod4(node) + "/32 dev eth0");
    in(name, "ip addr add " + pod6(node) + "/128 dev eth0 nodad");
    in(name, "ip neigh add 169.254.1.1 lladdr ee:ee:ee:ee:ee:ee nud permanent dev eth0");
    in(name, "ip route add 169.254.1.1 dev eth0");
    in(name, "ip route add default via 169.254.1.1 dev eth0");
    in(name, "ip -6 route add default via fe80::1 dev eth0");
  }

  static String machine4(int node) {
    return node < NODES ? "192.0.2." + node : "198.51.100." + node;
  }

  static String machine6(int node) {
    return node < NODES ? "2001:db8:1::" + node : "2001:db8:3::" + node;
  }

  static String pod4(int node) {
    return "10.65." + node + ".5";
  }

  static String pod6(int node) {
    return "fd00:65:" + node + "::5";
  }

  private void add(String name) throws IOException {
    run(List.of("ip", "netns", "add", base + name));
    namespaces.put(name, Netns.open(path(name)));
    // Nobody else is there who could have an address, and waiting for that takes a second.
    in(name, "sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0");
  }

  Path path(String name) {
    return Path.of("/run/netns", base + name);
  }

  int fd(int node) {
    Netns netns = namespaces.get("n" + node);
    if (netns == null) {
      throw new IllegalArgumentException("no node " + node);
    }
    return netns.fd();
  }

  /// Runs a command in `r`, `n<node>` or `p<node>`.
  String in(String name, String command) throws IOException {
    return run(inside(name, command));
  }

  private List<String> inside(String name, String command) {
    List<String> words = new ArrayList<>(List.of("ip", "netns", "exec", base + name));
    words.addAll(List.of(command.split(" ")));
    return words;
  }

  /// Starts a command there and goes on.
  ///
  /// @param output what it says
  Process start(String name, String command, Path output) throws IOException {
    return new ProcessBuilder(inside(name, command))
        .redirectErrorStream(true)
        .redirectOutput(output.toFile())
        .start();
  }

  /// Whether each of three packets was answered.
  boolean pings(String from, String to, String... options) throws IOException {
    List<String> words = inside(from, "ping -c 3 -i 0.05 -W 1 " + String.join(" ", options));
    List<String> command = new ArrayList<>(words);
    command.removeIf(String::isEmpty);
    command.add(to);
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    try {
      process.waitFor();
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new IOException(interrupted);
    }
    return said.contains(" 0% packet loss");
  }

  private static String run(List<String> command) throws IOException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    try {
      if (!process.waitFor(30, TimeUnit.SECONDS) || process.exitValue() != 0) {
        process.destroyForcibly();
        throw new IOException(command + " failed: " + output);
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new IOException(interrupted);
    }
    return output;
  }

  @Override
  public void close() throws IOException {
    for (Map.Entry<String, Netns> namespace : namespaces.entrySet()) {
      namespace.getValue().close();
      if (Files.exists(Path.of("/run/netns", base + namespace.getKey()))) {
        run(List.of("ip", "netns", "del", base + namespace.getKey()));
      }
    }
  }
}
