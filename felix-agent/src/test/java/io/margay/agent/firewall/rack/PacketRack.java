package io.margay.agent.firewall.rack;

import io.margay.linux.conntrack.Conntrack;
import io.margay.linux.netns.Netns;
import io.margay.linux.nft.KernelNftables;
import io.margay.linux.nft.NftException;
import io.margay.linux.nft.NftFeatures;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import io.margay.model.resource.WorkloadEndpoint;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/// Two nodes, `n1` and `n2`, each a namespace that routes; the wires of their pods, whose far ends
/// lie in a third namespace where no stack answers; and a machine outside, on a link of `n1`.
/// Raised once, used for any number of policies.
final class PacketRack implements AutoCloseable {

  static final List<String> NODES = List.of("n1", "n2");

  /// The node that uses nothing of its kernel that is probed, as on one of 5.15. So every matrix is
  /// tried on both kinds, and between them, in the time of one.
  static final String BARE = "n2";

  /// The machine that is no pod: 192.0.2.2, 2001:db8::2.
  static final String OUTSIDE = "outside";

  private static final String WIRES = "w";
  private static final String GATEWAY_MAC = "ee:ee:ee:ee:ee:ee";
  private static final AtomicInteger NEXT = new AtomicInteger();

  private final String base =
      "mgyt-rack-" + ProcessHandle.current().pid() + "-" + NEXT.incrementAndGet() + "-";
  private final Map<String, Netns> namespaces = new LinkedHashMap<>();
  private final Map<String, Port> ports = new LinkedHashMap<>();

  /// One wire of a node.
  private record Wire(
      String end, String node, String hostEnd, String device, long mac, List<IpAddress> addresses) {

    IpAddress address(IpFamily family) {
      return addresses.stream().filter(own -> own.family() == family).findFirst().orElseThrow();
    }

    String macText() {
      return "02:00:00:00:00:%02x".formatted(mac & 0xff);
    }
  }

  /// @param endpoints whose wires there are, named `namespace/pod`; each has an address of either
  ///   family
  PacketRack(List<WorkloadEndpoint> endpoints) throws IOException {
    List<Wire> wires = new ArrayList<>();
    for (WorkloadEndpoint endpoint : endpoints) {
      wires.add(wire(endpoint, wires.size() + 1));
    }
    wires.add(
        new Wire(
            OUTSIDE,
            "n1",
            "out0",
            "w" + (wires.size() + 1),
            mac(wires.size() + 1),
            List.of(IpAddress.parse("192.0.2.2"), IpAddress.parse("2001:db8::2"))));
    try {
      raise(wires);
    } catch (IOException failed) {
      close();
      throw failed;
    }
  }

  private static long mac(int number) {
    return 0x0200_0000_0000L | number;
  }

  private static Wire wire(WorkloadEndpoint endpoint, int number) {
    return new Wire(
        endpoint.metadata().namespace() + "/" + endpoint.spec().pod(),
        String.valueOf(endpoint.spec().node()),
        String.valueOf(endpoint.spec().interfaceName()),
        "w" + number,
        mac(number),
        endpoint.spec().ipNetworks().stream().map(Prefix::address).toList());
  }

  private void raise(List<Wire> wires) throws IOException {
    add(WIRES);
    // No router solicitations, no neighbour discovery: the wires carry what tests send.
    in(WIRES, "sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1");
    for (String node : NODES) {
      add(node);
      in(
          node,
          "sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1"
              + " net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0"
              + " net.ipv6.conf.default.accept_dad=0 net.ipv4.icmp_ratelimit=0");
    }
    for (String node : NODES) {
      batch(node, links(node, wires));
    }
    for (String node : NODES) {
      batch(node, routes(node, wires));
    }
    Map<String, Integer> devices = devices();
    for (Wire wire : wires) {
      ports.put(
          wire.end(),
          new WirePort(
              namespace(WIRES),
              devices.getOrDefault(wire.device(), 0),
              wire.mac(),
              wire.address(IpFamily.IPV4),
              wire.address(IpFamily.IPV6)));
    }
    for (String node : NODES) {
      ports.put(
          node,
          new NodePort(
              namespace(node), nodeAddress(node, IpFamily.IPV4), nodeAddress(node, IpFamily.IPV6)));
    }
  }

  private static int number(String node) {
    return NODES.indexOf(node) + 1;
  }

  static IpAddress nodeAddress(String node, IpFamily family) {
    return IpAddress.parse((family == IpFamily.IPV4 ? "10.99.0." : "fd00:99::") + number(node));
  }

  private List<String> links(String node, List<Wire> wires) {
    List<String> lines = new ArrayList<>();
    lines.add("link set lo up");
    lines.add("addr add " + nodeAddress(node, IpFamily.IPV4) + "/32 dev lo");
    lines.add("addr add " + nodeAddress(node, IpFamily.IPV6) + "/128 dev lo nodad");
    if (node.equals("n1")) {
      lines.add("link add up0 type veth peer name up0 netns " + base + "n2");
    }
    for (Wire wire : wires) {
      if (wire.node().equals(node)) {
        lines.add(
            "link add "
                + wire.hostEnd()
                + (" address " + GATEWAY_MAC + " type veth peer name ")
                + wire.device()
                + (" address " + wire.macText() + " netns ")
                + base
                + WIRES);
      }
    }
    return lines;
  }

  private List<String> routes(String node, List<Wire> wires) throws IOException {
    int other = 3 - number(node);
    List<String> lines = new ArrayList<>();
    lines.add("link set up0 up");
    lines.add("addr add 172.31.0." + number(node) + "/24 dev up0");
    lines.add("addr add fd00:31::" + number(node) + "/64 dev up0 nodad");
    lines.add("route add 10.99.0." + other + "/32 via 172.31.0." + other);
    lines.add("route add fd00:99::" + other + "/128 via fd00:31::" + other);
    for (Wire wire : wires) {
      boolean isHere = wire.node().equals(node);
      if (isHere) {
        lines.add("link set " + wire.hostEnd() + " up");
        batch(WIRES, List.of("link set " + wire.device() + " up"));
      }
      if (wire.end().equals(OUTSIDE) && isHere) {
        lines.add("addr add 192.0.2.1/24 dev out0");
        lines.add("addr add 2001:db8::1/64 dev out0 nodad");
      }
      for (IpAddress address : wire.addresses()) {
        boolean isV4 = address.family() == IpFamily.IPV4;
        String via = (isV4 ? " via 172.31.0." : " via fd00:31::") + other;
        lines.add(
            "route add " + address.toHostPrefix() + (isHere ? " dev " + wire.hostEnd() : via));
        if (isHere) {
          lines.add(
              "neigh add "
                  + address
                  + (" lladdr " + wire.macText() + " nud permanent dev ")
                  + wire.hostEnd());
        }
      }
    }
    return lines;
  }

  private Map<String, Integer> devices() throws IOException {
    Map<String, Integer> devices = new HashMap<>();
    for (String line : in(WIRES, "ip -o link").lines().toList()) {
      String[] words = line.split(": ", 3);
      devices.put(words[1].replaceAll("@.*", ""), Integer.parseInt(words[0]));
    }
    return devices;
  }

  /// The places where packets begin and end: pods, the machine outside, the nodes themselves.
  Map<String, Port> ports() {
    return ports;
  }

  Port port(String end) {
    Port port = ports.get(end);
    if (port == null) {
      throw new IllegalArgumentException("no end " + end + " among " + ports.keySet());
    }
    return port;
  }

  /// With what the node uses of its kernel; see [#BARE].
  KernelNftables nftables(String node) throws IOException, NftException {
    return nftables(node, BARE);
  }

  /// @param bare the node that uses nothing
  KernelNftables nftables(String node, String bare) throws IOException, NftException {
    return KernelNftables.openIn(
        namespace(node).fd(), node.equals(bare) ? NftFeatures.NONE : NftFeatures.ALL);
  }

  Conntrack conntrack(String node) throws IOException {
    return Conntrack.inNetns(namespace(node).fd());
  }

  private Netns namespace(String name) throws IOException {
    Netns namespace = namespaces.get(name);
    if (namespace == null) {
      throw new IOException("no namespace " + name);
    }
    return namespace;
  }

  private void add(String name) throws IOException {
    run("", List.of("ip", "netns", "add", base + name));
    namespaces.put(name, Netns.open(Path.of("/run/netns", base + name)));
  }

  /// Runs a command in a namespace.
  String in(String name, String command) throws IOException {
    List<String> words = new ArrayList<>(List.of("ip", "netns", "exec", base + name));
    words.addAll(List.of(command.split(" ")));
    return run("", words);
  }

  private void batch(String name, List<String> lines) throws IOException {
    run(String.join("\n", lines) + "\n", List.of("ip", "-n", base + name, "-batch", "-"));
  }

  private static String run(String input, List<String> command) throws IOException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    process.getOutputStream().write(input.getBytes(StandardCharsets.UTF_8));
    process.getOutputStream().close();
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
    ports.values().forEach(Port::close);
    namespaces.values().forEach(Netns::close);
    for (String name : namespaces.keySet()) {
      if (Files.exists(Path.of("/run/netns", base + name))) {
        run("", List.of("ip", "netns", "del", base + name));
      }
    }
  }
}
