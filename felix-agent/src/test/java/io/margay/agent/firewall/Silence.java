package io.margay.agent.firewall;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.channels.SocketChannel;

/// Whether what one end of a connection sends arrives at the other.
final class Silence {

  private static final int MILLIS = 400;

  private Silence() {}

  static boolean isSilent(SocketChannel from, SocketChannel to) throws IOException {
    from.write(ByteBuffer.wrap(new byte[] {1, 2, 3, 4, 5}));
    to.socket().setSoTimeout(MILLIS);
    try {
      to.socket().getInputStream().readNBytes(5);
      return false;
    } catch (SocketTimeoutException nothing) {
      return true;
    }
  }

  static boolean isSilent(DatagramChannel from, InetSocketAddress to, DatagramChannel at)
      throws IOException {
    from.send(ByteBuffer.wrap(new byte[] {3}), to);
    at.socket().setSoTimeout(MILLIS);
    try {
      at.socket().receive(new DatagramPacket(new byte[9], 9));
      return false;
    } catch (SocketTimeoutException nothing) {
      return true;
    }
  }
}
