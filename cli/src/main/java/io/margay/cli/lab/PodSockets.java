package io.margay.cli.lab;

import io.margay.linux.LinuxException;
import io.margay.linux.netns.Netns;
import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.nio.channels.DatagramChannel;
import java.nio.channels.SelectableChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;

/// Opens sockets inside a pod's namespace. They keep that namespace for life and are used by
/// ordinary threads afterwards; the thread that went in dies there, having done nothing but open
/// them.
public final class PodSockets {

  private PodSockets() {}

  /// A socket to open.
  public sealed interface Wanted {}

  /// Listens on all addresses of the pod.
  public record TcpServer(int port) implements Wanted {}

  /// Receives on all addresses of the pod.
  public record UdpServer(int port) implements Wanted {}

  public record TcpClient() implements Wanted {}

  public record UdpClient(StandardProtocolFamily family) implements Wanted {}

  /// Opens `wanted` in `namespace`, all non-blocking, in the same order.
  public static List<SelectableChannel> open(String namespace, List<Wanted> wanted)
      throws LabException {
    List<SelectableChannel> opened = new ArrayList<>();
    try (Netns netns = Netns.open(Namespaces.path(namespace))) {
      return netns.callIn(
          () -> {
            try {
              for (Wanted socket : wanted) {
                SelectableChannel channel = open(socket);
                opened.add(channel);
                channel.configureBlocking(false);
                bind(channel, socket);
              }
              return opened;
            } catch (IOException failed) {
              throw new UncheckedIOException(failed);
            }
          });
    } catch (LinuxException | UncheckedIOException failed) {
      opened.forEach(PodSockets::close);
      throw new LabException(
          "can't open sockets in "
              + namespace
              + ": "
              + failed.getMessage()
              + "; does the pod exist, and is the port free in it?",
          failed);
    }
  }

  private static SelectableChannel open(Wanted wanted) throws IOException {
    return switch (wanted) {
      case TcpServer _ -> ServerSocketChannel.open();
      case UdpServer _ -> DatagramChannel.open();
      case TcpClient _ -> SocketChannel.open();
      case UdpClient(StandardProtocolFamily family) -> DatagramChannel.open(family);
    };
  }

  private static void bind(SelectableChannel channel, Wanted wanted) throws IOException {
    switch (wanted) {
      case TcpServer(int port) ->
          ((ServerSocketChannel) channel).bind(new InetSocketAddress(port), 512);
      case UdpServer(int port) -> ((DatagramChannel) channel).bind(new InetSocketAddress(port));
      case TcpClient _, UdpClient _ -> {}
    }
  }

  /// Whether something in `namespace` accepts TCP connections on `port` of the loopback address.
  static boolean isListening(String namespace, int port) {
    try (Netns netns = Netns.open(Namespaces.path(namespace))) {
      return netns.callIn(
          () -> {
            try (SocketChannel probe =
                SocketChannel.open(new InetSocketAddress(InetAddress.getLoopbackAddress(), port))) {
              return probe.isConnected();
            } catch (IOException refused) {
              return false;
            }
          });
    } catch (LinuxException noNamespace) {
      return false;
    }
  }

  static void close(Closeable channel) {
    try {
      channel.close();
    } catch (IOException alreadyGone) {
      // Nothing is lost: the socket carried probes only.
      return;
    }
  }
}
