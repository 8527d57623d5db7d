package io.margay.it.bgp;

import java.io.DataInputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.file.Path;

/// A BGP speaker of a few lines that does what no daemon can be configured to do: it offers a
/// capability nobody knows, and stops reading while its keepalives go on.
final class RawPeer {

  private static final int MARKER_LENGTH = 16;
  private static final int OPEN = 1;
  private static final int NOTIFICATION = 3;
  private static final int KEEPALIVE = 4;
  private static final int HOLD_SECONDS = 3;

  private final Path log;

  private RawPeer(Path log) {
    this.log = log;
  }

  /// Starts it in router `number`'s namespace.
  static RawPeer start(Lab lab, int number, int asn, boolean reads) {
    String name = "raw" + number;
    lab.start(
        lab.router(number),
        name,
        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-cp",
        Bgpd.classPath(),
        RawPeer.class.getName(),
        Lab.ours(number),
        Integer.toString(asn),
        Integer.toString(number),
        Boolean.toString(reads));
    return new RawPeer(lab.directory.resolve(name));
  }

  /// What it has printed.
  String said() {
    return Lab.read(log);
  }

  /// Arguments: address to call, own AS, last octet of the router id, whether to go on reading.
  public static void main(String[] args) throws IOException {
    try (Socket socket = new Socket()) {
      socket.setReceiveBufferSize(4096);
      socket.setTcpNoDelay(true);
      socket.connect(new InetSocketAddress(args[0], 179), 10_000);
      socket.getOutputStream().write(open(Integer.parseInt(args[1]), Integer.parseInt(args[2])));
      DataInputStream in = new DataInputStream(socket.getInputStream());
      while (message(in) != KEEPALIVE) {
        socket.getOutputStream().write(message(KEEPALIVE, new byte[0]));
      }
      System.out.println("established");
      long start = System.nanoTime();
      Thread reader = Thread.ofPlatform().daemon().unstarted(() -> drain(in));
      if (Boolean.parseBoolean(args[3])) {
        reader.start();
      }
      while (true) {
        Waiting.pause(java.time.Duration.ofSeconds(1));
        try {
          socket.getOutputStream().write(message(KEEPALIVE, new byte[0]));
        } catch (IOException closed) {
          System.out.println(
              "closed after "
                  + (System.nanoTime() - start) / 1_000_000
                  + " ms: "
                  + closed.getMessage());
          return;
        }
      }
    }
  }

  private static void drain(DataInputStream in) {
    try {
      while (true) {
        int type = message(in);
        if (type == NOTIFICATION) {
          System.out.println("notification");
        }
      }
    } catch (IOException closed) {
      System.out.println("closed: " + closed.getMessage());
    }
  }

  private static int message(DataInputStream in) throws IOException {
    in.skipNBytes(MARKER_LENGTH);
    int length = in.readUnsignedShort();
    int type = in.readUnsignedByte();
    in.skipNBytes(length - MARKER_LENGTH - 3);
    return type;
  }

  /// Multiprotocol IPv4 unicast, 4-octet AS, and capability 200 that nobody has registered.
  private static byte[] open(int asn, int id) {
    byte[] capabilities = {
      2,
      20,
      1,
      4,
      0,
      1,
      0,
      1,
      65,
      4,
      0,
      0,
      (byte) (asn >> 8),
      (byte) asn,
      (byte) 200,
      6,
      1,
      2,
      3,
      4,
      5,
      6
    };
    return message(
        OPEN,
        ByteBuffer.allocate(10 + capabilities.length)
            .put((byte) 4)
            .putShort((short) asn)
            .putShort((short) HOLD_SECONDS)
            .put(new byte[] {10, (byte) 203, (byte) id, 2})
            .put((byte) capabilities.length)
            .put(capabilities)
            .array());
  }

  private static byte[] message(int type, byte[] body) {
    ByteBuffer bytes = ByteBuffer.allocate(MARKER_LENGTH + 3 + body.length);
    for (int index = 0; index < MARKER_LENGTH; index++) {
      bytes.put((byte) 0xff);
    }
    return bytes.putShort((short) bytes.capacity()).put((byte) type).put(body).array();
  }
}
