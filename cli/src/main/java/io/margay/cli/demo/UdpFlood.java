package io.margay.cli.demo;

import io.margay.cli.lab.Command;
import io.margay.cli.lab.LabException;
import io.margay.cli.lab.PodSockets;
import io.margay.model.net.IpAddress;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.DatagramChannel;
import java.time.Duration;
import java.util.BitSet;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/// A steady stream of numbered datagrams between two pods, each counted on arrival: what is missing
/// in the end was lost on the way, to the packet.
public final class UdpFlood {

  /// Datagrams still under way get this long after the last was sent.
  private static final Duration STRAGGLERS = Duration.ofMillis(500);

  private static final int RECEIVE_BUFFER_OCTETS = 4 << 20;
  private static final int MAGIC = 0x6d617267;
  private static final int MESSAGE_OCTETS = 12;

  private final String toNamespace;
  private final int port;
  private final DatagramChannel sender;
  private final DatagramChannel receiver;
  private final InetSocketAddress target;
  private final long intervalNanos;
  private final Thread sending;
  private final Thread receiving;
  private volatile boolean stopped;

  // Written by the sending thread, read after it ended.
  private int sent;
  private long firstSentNanos;
  private long lastSentNanos;

  // Written by the receiving thread, read after it ended.
  private final BitSet arrived = new BitSet();
  private final AtomicInteger received = new AtomicInteger();
  private int duplicates;
  private long lastArrivalNanos;
  private long largestGapNanos;

  /// How a stream fared.
  ///
  /// @param sent datagrams the sender's kernel took
  /// @param received different ones that arrived
  /// @param lost sent, and neither arrived nor dropped by the receiving socket itself
  /// @param overflowed arrived in the pod, but its socket's buffer was full
  /// @param largestGap the longest time between two arrivals
  /// @param rate datagrams a second
  public record Report(
      int sent,
      int received,
      int lost,
      int overflowed,
      int duplicates,
      Duration largestGap,
      double rate) {

    @Override
    public String toString() {
      return String.format(
          Locale.ROOT,
          "%d sent at %.0f/s, %d lost, longest gap %d ms%s",
          sent,
          rate,
          lost,
          largestGap.toMillis(),
          overflowed == 0 ? "" : ", " + overflowed + " dropped by the receiving socket");
    }
  }

  private UdpFlood(
      String toNamespace,
      int port,
      DatagramChannel sender,
      DatagramChannel receiver,
      InetSocketAddress target,
      int packetsPerSecond) {
    this.toNamespace = toNamespace;
    this.port = port;
    this.sender = sender;
    this.receiver = receiver;
    this.target = target;
    this.intervalNanos = 1_000_000_000L / packetsPerSecond;
    this.sending = Thread.ofPlatform().daemon().name("flood-send").unstarted(this::send);
    this.receiving = Thread.ofPlatform().daemon().name("flood-receive").unstarted(this::receive);
  }

  /// Starts sending from one pod's namespace to a port of another pod.
  public static UdpFlood start(
      String fromNamespace, String toNamespace, IpAddress to, int port, int packetsPerSecond)
      throws LabException {
    StandardProtocolFamily family =
        to.family().bits() == 32 ? StandardProtocolFamily.INET : StandardProtocolFamily.INET6;
    DatagramChannel receiver =
        (DatagramChannel)
            PodSockets.open(toNamespace, List.of(new PodSockets.UdpServer(port))).getFirst();
    DatagramChannel sender =
        (DatagramChannel)
            PodSockets.open(fromNamespace, List.of(new PodSockets.UdpClient(family))).getFirst();
    try {
      receiver.setOption(StandardSocketOptions.SO_RCVBUF, RECEIVE_BUFFER_OCTETS);
      receiver.configureBlocking(true);
      sender.configureBlocking(true);
      InetSocketAddress target =
          new InetSocketAddress(InetAddress.getByAddress(to.toBytes()), port);
      UdpFlood flood = new UdpFlood(toNamespace, port, sender, receiver, target, packetsPerSecond);
      flood.receiving.start();
      flood.sending.start();
      return flood;
    } catch (IOException failed) {
      throw new LabException("the stream to " + to + " can't be started: " + failed, failed);
    }
  }

  private void send() {
    ByteBuffer message = ByteBuffer.allocate(MESSAGE_OCTETS);
    long next = System.nanoTime();
    firstSentNanos = next;
    while (!stopped) {
      long now = System.nanoTime();
      while (next <= now) {
        message.clear().putInt(MAGIC).putLong(sent).flip();
        try {
          // Not connected: what a router says about a lost route must not end the stream.
          sender.send(message, target);
        } catch (IOException noRoute) {
          // The pod's own kernel took nothing: counts as sent and lost.
        }
        sent++;
        next += intervalNanos;
      }
      lastSentNanos = now;
      LockSupport.parkNanos(next - System.nanoTime());
    }
  }

  private void receive() {
    ByteBuffer message = ByteBuffer.allocate(MESSAGE_OCTETS * 2);
    try {
      while (true) {
        message.clear();
        SocketAddress from = receiver.receive(message);
        message.flip();
        if (from != null && message.remaining() == MESSAGE_OCTETS && message.getInt() == MAGIC) {
          count((int) message.getLong());
        }
      }
    } catch (ClosedChannelException stoppedReceiving) {
      return;
    } catch (IOException failed) {
      throw new IllegalStateException("receiving failed; the count is worthless", failed);
    }
  }

  private void count(int number) {
    long now = System.nanoTime();
    if (arrived.get(number)) {
      duplicates++;
      return;
    }
    arrived.set(number);
    received.incrementAndGet();
    if (lastArrivalNanos != 0) {
      largestGapNanos = Math.max(largestGapNanos, now - lastArrivalNanos);
    }
    lastArrivalNanos = now;
  }

  /// How many different datagrams have arrived so far.
  public int received() {
    return received.get();
  }

  /// Ends the stream and counts.
  public Report stop() throws LabException {
    stopped = true;
    try {
      sending.join();
      Thread.sleep(STRAGGLERS);
      int overflowed = socketDrops();
      receiver.close();
      receiving.join();
      sender.close();
      double seconds = Math.max(1, lastSentNanos - firstSentNanos) / 1e9;
      return new Report(
          sent,
          received.get(),
          Math.max(0, sent - received.get() - overflowed),
          overflowed,
          duplicates,
          Duration.ofNanos(Math.max(largestGapNanos, lastSentNanos - lastArrivalNanos)),
          sent / seconds);
    } catch (IOException failed) {
      throw new LabException("the stream can't be ended: " + failed, failed);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new LabException("interrupted", interrupted);
    }
  }

  /// The last column of `/proc/net/udp6` (a socket for both families is listed there): what the
  /// kernel dropped because nobody read the socket in time.
  private int socketDrops() throws LabException {
    String local = String.format(Locale.ROOT, ":%04X", port);
    return Command.in(toNamespace, "cat", "/proc/net/udp", "/proc/net/udp6")
        .output()
        .lines()
        .map(line -> line.strip().split("\\s+"))
        .filter(columns -> columns.length > 10 && columns[1].endsWith(local))
        .mapToInt(columns -> Integer.parseInt(columns[columns.length - 1]))
        .sum();
  }
}
