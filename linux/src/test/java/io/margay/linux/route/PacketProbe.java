package io.margay.linux.route;

import io.margay.linux.netns.Netns;
import io.margay.linux.netns.TestNetns;
import io.margay.model.net.IpAddress;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;

/// Sends packets all the time: the kernel refuses one for which it finds no way.
final class PacketProbe implements AutoCloseable {

  private static final int DISCARD = 9;

  private final DatagramChannel socket;
  private final ConcurrentLinkedQueue<String> refused = new ConcurrentLinkedQueue<>();
  private final AtomicInteger sent = new AtomicInteger();
  private final Thread thread;
  private volatile boolean isStopped;

  private PacketProbe(DatagramChannel socket, List<InetSocketAddress> destinations) {
    this.socket = socket;
    thread = Thread.ofPlatform().name("packet-probe").unstarted(() -> run(destinations));
  }

  static PacketProbe start(TestNetns netns, IpAddress... destinations) throws IOException {
    List<InetSocketAddress> sockets = new ArrayList<>();
    for (IpAddress destination : destinations) {
      sockets.add(new InetSocketAddress(InetAddress.getByAddress(destination.toBytes()), DISCARD));
    }
    PacketProbe probe = new PacketProbe(Netns.callIn(netns.fd(), PacketProbe::open), sockets);
    probe.thread.start();
    return probe;
  }

  private static DatagramChannel open() {
    try {
      return DatagramChannel.open();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void run(List<InetSocketAddress> destinations) {
    while (!isStopped) {
      for (InetSocketAddress destination : destinations) {
        try {
          socket.send(ByteBuffer.wrap(new byte[1]), destination);
          sent.incrementAndGet();
        } catch (IOException noWay) {
          refused.add(destination + ": " + noWay.getMessage());
        }
      }
    }
  }

  /// The packets that had no way.
  List<String> refused() {
    return List.copyOf(refused);
  }

  int sent() {
    return sent.get();
  }

  @Override
  public void close() throws IOException {
    isStopped = true;
    boolean hasEnded;
    try {
      hasEnded = thread.join(Duration.ofSeconds(20));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException(e);
    }
    socket.close();
    if (!hasEnded) {
      throw new IOException("the probe does not end");
    }
  }
}
