package io.margay.agent.firewall.rack;

import io.margay.linux.LibC;
import io.margay.linux.LinuxException;
import io.margay.linux.NativeBuffer;
import io.margay.linux.netns.Netns;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import java.util.function.IntConsumer;

/// The far end of a wire on which nobody else speaks: every frame is made and read here
/// (packet(7)).
final class WirePort implements Port {

  private static final int AF_PACKET = 17;
  private static final int ETH_P_ALL_BIG_ENDIAN = 0x0300;
  private static final int SOCKADDR_LL_OCTETS = 20;
  private static final int RECEIVE_BUFFER_OCTETS = 16 << 20;

  private final IpAddress ipv4;
  private final IpAddress ipv6;
  private final long mac;
  private final int socket;
  private final NativeBuffer out = NativeBuffer.allocate(Frames.MAX_OCTETS);
  private final NativeBuffer in = NativeBuffer.allocate(2048);

  /// @param namespace where the device is
  /// @param device its number
  WirePort(Netns namespace, int device, long mac, IpAddress ipv4, IpAddress ipv6)
      throws LinuxException {
    this.ipv4 = ipv4;
    this.ipv6 = ipv6;
    this.mac = mac;
    this.socket =
        namespace.callIn(
            () ->
                LibC.socket(AF_PACKET, LibC.SOCK_RAW | LibC.SOCK_CLOEXEC | LibC.SOCK_NONBLOCK, 0));
    LibC.setsockopt(socket, LibC.SOL_SOCKET, LibC.SO_RCVBUFFORCE, RECEIVE_BUFFER_OCTETS);
    NativeBuffer address = NativeBuffer.allocate(SOCKADDR_LL_OCTETS);
    address.bytes().putShort(0, (short) AF_PACKET).putShort(2, (short) ETH_P_ALL_BIG_ENDIAN);
    address.bytes().putInt(4, device);
    LibC.bind(socket, address, SOCKADDR_LL_OCTETS);
  }

  @Override
  public IpAddress address(IpFamily family) {
    return family == IpFamily.IPV4 ? ipv4 : ipv6;
  }

  @Override
  public void send(Datagram packet) throws LinuxException {
    LibC.send(socket, out, Frames.frame(out.bytes(), packet, mac), 0);
  }

  /// A packet to be sent again and again under new numbers.
  Repeated repeat(Packet packet) {
    NativeBuffer frame = NativeBuffer.allocate(Frames.MAX_OCTETS);
    return new Repeated(frame, Frames.frame(frame.bytes(), packet, mac));
  }

  /// See [#repeat].
  final class Repeated {
    private final NativeBuffer frame;
    private final int length;

    private Repeated(NativeBuffer frame, int length) {
      this.frame = frame;
      this.length = length;
    }

    void send(int id) throws LinuxException {
      Frames.renumber(frame.bytes(), length, id);
      LibC.send(socket, frame, length, 0);
    }
  }

  @Override
  public void drain(IntConsumer ids) throws LinuxException {
    Sockets.drain(socket, in, ids);
  }

  @Override
  public void close() {
    LibC.close(socket);
  }
}
