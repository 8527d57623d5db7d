package io.margay.cli.lab;

import io.margay.cli.lab.PodSockets.Wanted;
import io.margay.cli.lab.Topology.Pod;
import io.margay.cli.lab.Topology.Port;
import io.margay.cli.lab.Topology.Protocol;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.channels.SelectableChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/// Tries every pod against every port of every pod, over both families, all at once on one thread.
/// A try counts as open only when the wanted pod answered with its own name.
public final class Probe {

  /// A datagram is sent again after this.
  private static final Duration RESEND = Duration.ofMillis(200);

  /// Tries still unanswered when nothing has happened for this long are closed.
  private static final Duration QUIET = Duration.ofMillis(700);

  private static final Duration LIMIT = Duration.ofSeconds(10);
  private static final int MESSAGE_OCTETS = 128;

  /// How a try ended.
  public enum Seen {
    OPEN,
    REFUSED,
    TIMEOUT,
    UNREACHABLE,
    /// Somebody answered, but not the pod that has the address.
    WRONG_POD
  }

  /// One try and its end.
  public record Try(Pod from, Pod to, Port port, IpFamily family, Seen seen) {}

  private final Lab lab;
  private final List<Pod> pods;
  private final List<Port> ports;
  private final List<Attempt> attempts = new ArrayList<>();
  private final List<SelectableChannel> channels = new ArrayList<>();

  /// What a socket is there for.
  private sealed interface Role {}

  private record TcpAnswerer(Pod pod) implements Role {}

  private record UdpAnswerer(Pod pod) implements Role {}

  /// A try under way.
  private static final class Attempt implements Role {
    final Pod from;
    final Pod to;
    final Port port;
    final IpFamily family;
    final InetSocketAddress target;
    Seen seen = Seen.TIMEOUT;
    boolean decided;

    Attempt(Pod from, Pod to, Port port, IpFamily family, InetSocketAddress target) {
      this.from = from;
      this.to = to;
      this.port = port;
      this.family = family;
      this.target = target;
    }

    void decide(Seen outcome) {
      seen = outcome;
      decided = true;
    }
  }

  /// @param ports what is tried on every pod; empty = the ports of the topology
  public Probe(Lab lab, List<Port> ports) {
    this(lab, lab.plan().topology().pods(), ports);
  }

  /// @param pods those that are wired
  /// @param ports what is tried on every pod; empty = the ports of the pods
  public Probe(Lab lab, List<Pod> pods, List<Port> ports) {
    this.lab = lab;
    this.pods = List.copyOf(pods);
    this.ports = ports.isEmpty() ? portsOf(pods) : List.copyOf(ports);
  }

  private static List<Port> portsOf(List<Pod> pods) {
    Set<Port> ports = new LinkedHashSet<>();
    pods.forEach(pod -> ports.addAll(pod.ports()));
    return List.copyOf(ports);
  }

  public List<Port> ports() {
    return ports;
  }

  /// Runs all tries.
  public List<Try> run() throws LabException {
    try (Selector selector = Selector.open()) {
      listen(selector);
      connect(selector);
      loop(selector);
    } catch (IOException failed) {
      throw new LabException("the probe failed: " + failed, failed);
    } finally {
      channels.forEach(PodSockets::close);
    }
    return attempts.stream().map(a -> new Try(a.from, a.to, a.port, a.family, a.seen)).toList();
  }

  /// Tries as a matrix.
  public Matrix matrix(List<Try> tries) {
    Matrix matrix = new Matrix(pods.stream().map(Pod::name).toList(), ports);
    for (Port port : ports) {
      for (int i = 0; i < pods.size(); i++) {
        for (int j = 0; j < pods.size(); j++) {
          Pod from = pods.get(i);
          Pod to = pods.get(j);
          if (i != j) {
            matrix.set(
                port,
                i,
                j,
                cell(
                    tries.stream()
                        .filter(
                            t ->
                                t.port().equals(port) && t.from().equals(from) && t.to().equals(to))
                        .toList()));
          }
        }
      }
    }
    return matrix;
  }

  private static char cell(List<Try> tries) {
    Set<IpFamily> tried = EnumSet.noneOf(IpFamily.class);
    Set<IpFamily> open = EnumSet.noneOf(IpFamily.class);
    for (Try one : tries) {
      tried.add(one.family());
      if (one.seen() == Seen.OPEN) {
        open.add(one.family());
      }
    }
    if (tried.isEmpty()) {
      return '?';
    }
    if (open.isEmpty()) {
      return 'x';
    }
    return open.equals(tried) ? '+' : open.contains(IpFamily.IPV4) ? '4' : '6';
  }

  private void listen(Selector selector) throws LabException, IOException {
    for (Pod pod : pods) {
      List<Wanted> wanted = new ArrayList<>();
      for (Port port : ports) {
        wanted.add(
            port.protocol() == Protocol.TCP
                ? new PodSockets.TcpServer(port.number())
                : new PodSockets.UdpServer(port.number()));
      }
      for (SelectableChannel channel : PodSockets.open(lab.plan().podNamespace(pod), wanted)) {
        channels.add(channel);
        if (channel instanceof ServerSocketChannel) {
          channel.register(selector, SelectionKey.OP_ACCEPT, new TcpAnswerer(pod));
        } else {
          channel.register(selector, SelectionKey.OP_READ, new UdpAnswerer(pod));
        }
      }
    }
  }

  private void connect(Selector selector) throws LabException, IOException {
    for (Pod from : pods) {
      List<Attempt> own = attempts(from);
      List<Wanted> wanted = new ArrayList<>();
      own.forEach(attempt -> wanted.add(client(attempt)));
      List<SelectableChannel> opened = PodSockets.open(lab.plan().podNamespace(from), wanted);
      channels.addAll(opened);
      attempts.addAll(own);
      for (int i = 0; i < own.size(); i++) {
        begin(selector, own.get(i), opened.get(i));
      }
    }
  }

  private List<Attempt> attempts(Pod from) throws LabException {
    List<Attempt> own = new ArrayList<>();
    for (Pod to : pods) {
      if (to.equals(from)) {
        continue;
      }
      boolean wired = false;
      for (IpFamily family : IpFamily.values()) {
        var address = lab.runtime().address(to, family);
        if (address.isPresent()) {
          wired = true;
          for (Port port : ports) {
            own.add(
                new Attempt(from, to, port, family, socketAddress(address.get(), port.number())));
          }
        }
      }
      if (!wired) {
        throw new LabException("pod " + to.name() + " has no address: it is not wired");
      }
    }
    return own;
  }

  static InetSocketAddress socketAddress(IpAddress address, int port) {
    try {
      return new InetSocketAddress(InetAddress.getByAddress(address.toBytes()), port);
    } catch (IOException impossible) {
      throw new IllegalStateException("4 or 16 octets are an address", impossible);
    }
  }

  private static Wanted client(Attempt attempt) {
    return attempt.port.protocol() == Protocol.TCP
        ? new PodSockets.TcpClient()
        : new PodSockets.UdpClient(
            attempt.family == IpFamily.IPV4
                ? StandardProtocolFamily.INET
                : StandardProtocolFamily.INET6);
  }

  private static void begin(Selector selector, Attempt attempt, SelectableChannel channel)
      throws IOException {
    try {
      switch (channel) {
        case SocketChannel tcp -> {
          boolean done = tcp.connect(attempt.target);
          tcp.register(selector, done ? SelectionKey.OP_READ : SelectionKey.OP_CONNECT, attempt);
        }
        case DatagramChannel udp -> {
          udp.connect(attempt.target);
          udp.register(selector, SelectionKey.OP_READ, attempt);
          udp.write(ByteBuffer.wrap(new byte[] {'?'}));
        }
        default -> throw new IllegalStateException("not a client: " + channel);
      }
    } catch (IOException refused) {
      attempt.decide(outcome(refused));
    }
  }

  private static Seen outcome(IOException failure) {
    String text = String.valueOf(failure.getMessage()).toLowerCase(Locale.ROOT);
    if (text.contains("unreachable") || text.contains("no route")) {
      return Seen.UNREACHABLE;
    }
    if (text.contains("timed out")) {
      return Seen.TIMEOUT;
    }
    return failure instanceof ConnectException || text.contains("refused")
        ? Seen.REFUSED
        : Seen.UNREACHABLE;
  }

  private void loop(Selector selector) throws IOException {
    long start = System.nanoTime();
    long lastEvent = start;
    long lastSend = start;
    while (attempts.stream().anyMatch(attempt -> !attempt.decided)) {
      selector.select(RESEND.toMillis() / 4);
      long now = System.nanoTime();
      for (SelectionKey key : selector.selectedKeys()) {
        if (key.isValid() && serve(key)) {
          lastEvent = now;
        }
      }
      selector.selectedKeys().clear();
      if (now - lastEvent > QUIET.toNanos() || now - start > LIMIT.toNanos()) {
        return;
      }
      if (now - lastSend > RESEND.toNanos()) {
        lastSend = now;
        resend(selector);
      }
    }
  }

  private static void resend(Selector selector) {
    for (SelectionKey key : selector.keys()) {
      if (key.isValid()
          && key.attachment() instanceof Attempt attempt
          && !attempt.decided
          && key.channel() instanceof DatagramChannel udp) {
        try {
          udp.write(ByteBuffer.wrap(new byte[] {'?'}));
        } catch (IOException failed) {
          attempt.decide(outcome(failed));
        }
      }
    }
  }

  /// @return whether something was learnt
  private boolean serve(SelectionKey key) throws IOException {
    return switch ((Role) key.attachment()) {
      case TcpAnswerer(Pod pod) -> {
        answerTcp((ServerSocketChannel) key.channel(), pod);
        yield false;
      }
      case UdpAnswerer(Pod pod) -> {
        answerUdp((DatagramChannel) key.channel(), pod);
        yield false;
      }
      case Attempt attempt -> {
        try {
          yield advance(key, attempt);
        } catch (IOException failed) {
          attempt.decide(outcome(failed));
          key.cancel();
          yield true;
        }
      }
    };
  }

  private static void answerTcp(ServerSocketChannel server, Pod pod) throws IOException {
    SocketChannel accepted = server.accept();
    while (accepted != null) {
      try (SocketChannel one = accepted) {
        one.write(ByteBuffer.wrap(pod.name().getBytes(StandardCharsets.US_ASCII)));
      } catch (IOException hungUp) {
        // The client's own try says how it ended.
        accepted = null;
      }
      accepted = server.accept();
    }
  }

  private static void answerUdp(DatagramChannel server, Pod pod) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(MESSAGE_OCTETS);
    while (true) {
      try {
        buffer.clear();
        SocketAddress client = server.receive(buffer);
        if (client == null) {
          return;
        }
        server.send(ByteBuffer.wrap(pod.name().getBytes(StandardCharsets.US_ASCII)), client);
      } catch (IOException noWayBack) {
        // The client hears nothing and its try says so.
        return;
      }
    }
  }

  private static boolean advance(SelectionKey key, Attempt attempt) throws IOException {
    if (key.channel() instanceof SocketChannel tcp && key.isConnectable()) {
      tcp.finishConnect();
      key.interestOps(SelectionKey.OP_READ);
      return true;
    }
    ByteBuffer buffer = ByteBuffer.allocate(MESSAGE_OCTETS);
    int read =
        switch (key.channel()) {
          case SocketChannel tcp -> tcp.read(buffer);
          case DatagramChannel udp -> udp.read(buffer);
          default -> throw new IllegalStateException("not a client: " + key.channel());
        };
    if (read == 0) {
      return false;
    }
    String name = new String(buffer.array(), 0, Math.max(0, read), StandardCharsets.US_ASCII);
    attempt.decide(name.equals(attempt.to.name()) ? Seen.OPEN : Seen.WRONG_POD);
    key.cancel();
    return true;
  }
}
