package io.margay.agent.firewall;

import io.margay.linux.conntrack.Conntrack;
import io.margay.linux.netlink.NetlinkSocket;
import io.margay.linux.netns.Netns;
import io.margay.linux.nft.KernelNftables;
import io.margay.linux.nft.NftException;
import io.margay.linux.nft.NftFeatures;
import io.margay.linux.nft.NftLogListener;
import io.margay.linux.route.Rtnetlink;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramPacket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.net.StandardProtocolFamily;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/// Pods 1 to n, each a namespace, joined to a router namespace the way real pods are: a veth whose
/// router end is `cali<n>`, addresses 10.65.0.n and fd00:65::n, gateways 169.254.1.1 and fe80::1.
final class FirewallNamespaces implements AutoCloseable {

  /// Long enough for any allowed connection on a busy machine.
  private static final int ALLOWED_MILLIS = 20_000;

  /// A dropped SYN is not answered at any time; a longer wait would show the same.
  private static final int DROPPED_MILLIS = 400;

  private static final AtomicInteger NEXT = new AtomicInteger();

  private final String base =
      "mgyt-fw-" + ProcessHandle.current().pid() + "-" + NEXT.incrementAndGet() + "-";
  private final List<String> names = new ArrayList<>();
  private final List<Netns> namespaces = new ArrayList<>();
  private final List<AutoCloseable> sockets = new ArrayList<>();

  FirewallNamespaces(int pods) throws IOException {
    try {
      add("r");
      in("r", "ip link set lo up");
      in("r", "ip addr add 10.99.0.1/32 dev lo");
      in("r", "sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1");
      for (int pod = 1; pod <= pods; pod++) {
        addPod(pod);
      }
    } catch (IOException failed) {
      close();
      throw failed;
    }
  }

  private void add(String name) throws IOException {
    run(List.of("ip", "netns", "add", base + name));
    names.add(base + name);
    namespaces.add(Netns.open(Path.of("/run/netns", base + name)));
  }

  private void addPod(int pod) throws IOException {
    String name = "p" + pod;
    String host = "cali" + pod;
    add(name);
    in("r", "ip link add " + host + " type veth peer name eth0 netns " + base + name);
    in("r", "ip link set " + host + " address ee:ee:ee:ee:ee:ee");
    in("r", "ip addr add fe80::1/64 dev " + host + " nodad");
    in("r", "ip link set " + host + " up");
    in("r", "ip route add 10.65.0." + pod + " dev " + host);
    in("r", "ip -6 route add fd00:65::" + pod + " dev " + host);
    in(name, "sysctl -qw net.ipv6.conf.eth0.accept_dad=0 net.ipv4.conf.eth0.rp_filter=0");
    in(name, "ip link set lo up");
    in(name, "ip link set eth0 up");
    in(name, "ip addr add 10.65.0." + pod + "/32 dev eth0");
    in(name, "ip addr add fd00:65::" + pod + "/128 dev eth0 nodad");
    in(name, "ip neigh add 169.254.1.1 lladdr ee:ee:ee:ee:ee:ee nud permanent dev eth0");
    in(name, "ip route add 169.254.1.1 dev eth0");
    in(name, "ip route add default via 169.254.1.1 dev eth0");
    in(name, "ip -6 route add default via fe80::1 dev eth0");
  }

  /// A machine outside, 192.0.2.2 and 2001:db8::2, on a link where the router is .1; it counts as
  /// the pod after the last.
  void addOutside() throws IOException {
    add("o");
    in("r", "ip link add name up0 type veth peer name eth0 netns " + base + "o");
    in("r", "ip addr add 192.0.2.1/24 dev up0");
    in("r", "ip addr add 2001:db8::1/64 dev up0 nodad");
    in("r", "ip link set up0 up");
    in("o", "ip addr add 192.0.2.2/24 dev eth0");
    in("o", "ip addr add 2001:db8::2/64 dev eth0 nodad");
    in("o", "ip link set eth0 up");
  }

  Conntrack conntrack() throws IOException {
    return Conntrack.inNetns(namespaces.getFirst().fd());
  }

  Rtnetlink rtnetlink() throws IOException {
    return Rtnetlink.inNetns(namespaces.getFirst().fd());
  }

  /// A netlink socket of the router.
  NetlinkSocket netfilter() throws IOException {
    return NetlinkSocket.openIn(namespaces.getFirst().fd(), NetlinkSocket.NETFILTER);
  }

  /// A UDP socket of pod `pod` (0: the router).
  DatagramChannel udp(int pod, InetSocketAddress local) throws IOException {
    DatagramChannel channel =
        Netns.callIn(
            namespaces.get(pod).fd(),
            () -> {
              try {
                return DatagramChannel.open(
                    local.getAddress().getAddress().length == 4
                        ? StandardProtocolFamily.INET
                        : StandardProtocolFamily.INET6);
              } catch (IOException failed) {
                throw new UncheckedIOException(failed);
              }
            });
    sockets.add(channel);
    channel.bind(local);
    channel.socket().setSoTimeout(ALLOWED_MILLIS);
    return channel;
  }

  /// Asks, answers, and says whether the answer came from whom was asked.
  static boolean answers(DatagramChannel client, InetSocketAddress to, DatagramChannel server)
      throws IOException {
    client.send(ByteBuffer.wrap(new byte[] {1}), to);
    DatagramPacket question = new DatagramPacket(new byte[9], 9);
    server.socket().receive(question);
    server.send(ByteBuffer.wrap(new byte[] {2}), question.getSocketAddress());
    DatagramPacket answer = new DatagramPacket(new byte[9], 9);
    client.socket().receive(answer);
    return answer.getSocketAddress().equals(to);
  }

  /// Runs a command in namespace `r` or `p<n>`.
  String in(String name, String command) throws IOException {
    List<String> words = new ArrayList<>(List.of("ip", "netns", "exec", base + name));
    words.addAll(List.of(command.split(" ")));
    return run(words);
  }

  /// Starts a process in a namespace that sees the machine's own /sys, as daemons want it.
  Process start(String name, List<String> command) throws IOException {
    List<String> words = new ArrayList<>(List.of("nsenter", "--net=/run/netns/" + base + name));
    words.addAll(command);
    return new ProcessBuilder(words)
        .redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .start();
  }

  KernelNftables nftables() throws NftException {
    return nftables(NftFeatures.ALL);
  }

  KernelNftables nftables(NftFeatures allowed) throws NftException {
    return KernelNftables.openIn(namespaces.getFirst().fd(), allowed);
  }

  /// Listens to what the router's rules log.
  NftLogListener logListener(int group) throws IOException {
    return Netns.callIn(
        namespaces.getFirst().fd(),
        () -> {
          try {
            return NftLogListener.open(group);
          } catch (NftException failed) {
            throw new UncheckedIOException(new IOException(failed));
          }
        });
  }

  static InetAddress v4(int pod) throws IOException {
    return InetAddress.getByName("10.65.0." + pod);
  }

  static InetAddress v6(int pod) throws IOException {
    return InetAddress.getByName("fd00:65::" + pod);
  }

  /// Makes pod `pod` (0: the router) accept connections of both families to the port.
  void listen(int pod, int port) throws IOException {
    for (StandardProtocolFamily family :
        List.of(StandardProtocolFamily.INET, StandardProtocolFamily.INET6)) {
      String any = family == StandardProtocolFamily.INET ? "0.0.0.0" : "fd00:65::" + pod;
      if (pod == 0 && family == StandardProtocolFamily.INET6) {
        return;
      }
      listenAt(pod, InetAddress.getByName(any), port);
    }
  }

  /// Makes namespace `where` accept connections to one of its addresses.
  void listenAt(int where, InetAddress address, int port) throws IOException {
    ServerSocketChannel server =
        Netns.callIn(
            namespaces.get(where).fd(),
            () -> {
              try {
                return ServerSocketChannel.open(
                    address.getAddress().length == 4
                        ? StandardProtocolFamily.INET
                        : StandardProtocolFamily.INET6);
              } catch (IOException failed) {
                throw new UncheckedIOException(failed);
              }
            });
    sockets.add(server);
    server.bind(new InetSocketAddress(address, port), 64);
  }

  /// A connection from a pod, or null if nothing answered.
  private @Nullable SocketChannel connect(
      int from, @Nullable InetAddress source, InetAddress to, int port, int millis)
      throws IOException {
    SocketChannel client =
        Netns.callIn(
            namespaces.get(from).fd(),
            () -> {
              try {
                return SocketChannel.open(
                    to.getAddress().length == 4
                        ? StandardProtocolFamily.INET
                        : StandardProtocolFamily.INET6);
              } catch (IOException failed) {
                throw new UncheckedIOException(failed);
              }
            });
    try {
      if (source != null) {
        client.bind(new InetSocketAddress(source, 0));
      }
      client.socket().connect(new InetSocketAddress(to, port), millis);
      sockets.add(client);
      return client;
    } catch (SocketTimeoutException dropped) {
      client.close();
      return null;
    }
  }

  boolean allowed(int from, InetAddress to, int port) throws IOException {
    try (SocketChannel client = connect(from, null, to, port, ALLOWED_MILLIS)) {
      return client != null;
    }
  }

  boolean dropped(int from, InetAddress to, int port) throws IOException {
    return dropped(from, null, to, port);
  }

  boolean dropped(int from, @Nullable InetAddress source, InetAddress to, int port)
      throws IOException {
    try (SocketChannel client = connect(from, source, to, port, DROPPED_MILLIS)) {
      return client == null;
    }
  }

  SocketChannel open(int from, InetAddress to, int port) throws IOException {
    return open(from, null, to, port);
  }

  SocketChannel open(int from, @Nullable InetAddress source, InetAddress to, int port)
      throws IOException {
    SocketChannel client = connect(from, source, to, port, ALLOWED_MILLIS);
    if (client == null) {
      throw new IOException("pod " + from + " cannot connect to " + to + " port " + port);
    }
    return client;
  }

  /// The other end of the last connection to a pod's IPv4 listener, in the order of `listen` calls.
  SocketChannel accept(int listener) throws IOException {
    List<ServerSocketChannel> servers =
        sockets.stream()
            .filter(ServerSocketChannel.class::isInstance)
            .map(ServerSocketChannel.class::cast)
            .toList();
    SocketChannel accepted = servers.get(listener).accept();
    sockets.add(accepted);
    return accepted;
  }

  /// Whether what one end says reaches the other.
  static boolean echoes(SocketChannel from, SocketChannel to) throws IOException {
    from.write(ByteBuffer.wrap("hello".getBytes(StandardCharsets.UTF_8)));
    to.socket().setSoTimeout(ALLOWED_MILLIS);
    byte[] got = to.socket().getInputStream().readNBytes(5);
    return new String(got, StandardCharsets.UTF_8).equals("hello");
  }

  /// Whether so many octets come in.
  static boolean arrives(SocketChannel at, int octets) throws IOException {
    at.socket().setSoTimeout(ALLOWED_MILLIS);
    return at.socket().getInputStream().readNBytes(octets).length == octets;
  }

  static String run(List<String> command) throws IOException {
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
    @Nullable IOException failure = null;
    for (AutoCloseable socket : sockets) {
      try {
        socket.close();
      } catch (Exception failed) {
        failure = new IOException(failed);
      }
    }
    namespaces.forEach(Netns::close);
    for (String name : names) {
      if (Files.exists(Path.of("/run/netns", name))) {
        run(List.of("ip", "netns", "del", name));
      }
    }
    if (failure != null) {
      throw failure;
    }
  }
}
