package io.margay.agent.firewall.rack;

import io.margay.linux.Errno;
import io.margay.linux.LibC;
import io.margay.linux.LinuxException;
import io.margay.linux.NativeBuffer;
import io.margay.linux.netns.Netns;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntConsumer;

/// A node's own network stack: what it sends passes its output hook, what it receives has passed
/// its input hook (raw(7)).
final class NodePort implements Port {

  private static final int IPPROTO_RAW = 255;
  private static final int RECEIVE_BUFFER_OCTETS = 4 << 20;

  private final IpAddress ipv4;
  private final IpAddress ipv6;
  private final Map<IpFamily, Integer> senders = new EnumMap<>(IpFamily.class);
  private final List<Integer> receivers = new ArrayList<>();
  private final NativeBuffer out = NativeBuffer.allocate(Frames.MAX_OCTETS);
  private final NativeBuffer in = NativeBuffer.allocate(2048);

  NodePort(Netns namespace, IpAddress ipv4, IpAddress ipv6) throws LinuxException {
    this.ipv4 = ipv4;
    this.ipv6 = ipv6;
    for (IpFamily family : IpFamily.values()) {
      senders.put(family, open(namespace, family, IPPROTO_RAW));
      for (Transport transport : Transport.values()) {
        listen(namespace, family, transport.number(family));
      }
      listen(namespace, family, Tunnelled.IPIP);
    }
  }

  private void listen(Netns namespace, IpFamily family, int protocol) throws LinuxException {
    int receiver = open(namespace, family, protocol);
    LibC.setsockopt(receiver, LibC.SOL_SOCKET, LibC.SO_RCVBUFFORCE, RECEIVE_BUFFER_OCTETS);
    receivers.add(receiver);
  }

  private static int open(Netns namespace, IpFamily family, int protocol) throws LinuxException {
    int domain = family == IpFamily.IPV4 ? LibC.AF_INET : LibC.AF_INET6;
    return namespace.callIn(
        () ->
            LibC.socket(domain, LibC.SOCK_RAW | LibC.SOCK_CLOEXEC | LibC.SOCK_NONBLOCK, protocol));
  }

  @Override
  public IpAddress address(IpFamily family) {
    return family == IpFamily.IPV4 ? ipv4 : ipv6;
  }

  @Override
  public void send(Datagram packet) throws LinuxException {
    int sender = senders.getOrDefault(packet.family(), -1);
    NativeBuffer address = NativeBuffer.allocate(28);
    byte[] octets = packet.destination().toBytes();
    int length =
        switch (packet.family()) {
          case IPV4 -> {
            address.bytes().putShort(0, (short) LibC.AF_INET).put(4, octets);
            yield 16; // struct sockaddr_in
          }
          case IPV6 -> {
            address.bytes().putShort(0, (short) LibC.AF_INET6).put(8, octets);
            yield 28; // struct sockaddr_in6
          }
        };
    LibC.connect(sender, address, length);
    try {
      LibC.send(sender, out, Frames.packet(out.bytes(), packet), 0);
    } catch (LinuxException dropped) {
      // A sender is told what the output hook drops, which is seen by what does not arrive.
      if (!dropped.is(Errno.EPERM)) {
        throw dropped;
      }
    }
  }

  @Override
  public void drain(IntConsumer ids) throws LinuxException {
    for (int receiver : receivers) {
      Sockets.drain(receiver, in, ids);
    }
  }

  @Override
  public void close() {
    senders.values().forEach(LibC::close);
    receivers.forEach(LibC::close);
  }
}
