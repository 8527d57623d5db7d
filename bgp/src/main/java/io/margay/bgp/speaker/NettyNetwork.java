package io.margay.bgp.speaker;

import io.margay.bgp.transport.Dial;
import io.margay.bgp.transport.ExpectedPeer;
import io.margay.bgp.transport.Md5Drops;
import io.margay.bgp.transport.Transport;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import io.margay.model.net.ScopedAddress;
import io.netty.channel.Channel;
import io.netty.channel.ChannelException;
import io.netty.util.concurrent.Future;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InterfaceAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/// The sockets and links of this node.
final class NettyNetwork implements Network {

  private final Transport transport;
  private final NettyClock clock;

  NettyNetwork(Transport transport, NettyClock clock) {
    this.transport = transport;
    this.clock = clock;
  }

  @Override
  public Attempt connect(Dial dial, Consumer<Wire> connected, Consumer<String> refused) {
    Future<Channel> attempt = transport.connect(dial);
    attempt.addListener(
        (Future<Channel> done) -> {
          if (done.isSuccess()) {
            clock.guard(() -> connected.accept(new NettyWire(transport, done.getNow())));
          } else if (!done.isCancelled()) {
            String cause = String.valueOf(done.cause().getMessage());
            clock.guard(() -> refused.accept(cause));
          }
        });
    return () -> attempt.cancel(false);
  }

  @Override
  public Map<ExpectedPeer, String> expect(Collection<ExpectedPeer> peers) {
    try {
      return transport.expect(peers);
    } catch (ChannelException | IllegalArgumentException refused) {
      BgpLog.listenersRefuse(refused);
      return Map.of();
    }
  }

  @Override
  public Md5Drops md5Drops() {
    try {
      return Md5Drops.read();
    } catch (IOException notTold) {
      return new Md5Drops(0, 0, 0);
    }
  }

  @Override
  public LocalLink link(ScopedAddress own) {
    InterfaceName scope = own.scope();
    try {
      NetworkInterface link =
          scope == null
              ? NetworkInterface.getByInetAddress(InetAddress.getByAddress(own.address().toBytes()))
              : NetworkInterface.getByName(scope.toString());
      return link == null ? LocalLink.UNKNOWN : read(link);
    } catch (SocketException | UnknownHostException unreadable) {
      BgpLog.linkUnknown(own, unreadable);
      return LocalLink.UNKNOWN;
    }
  }

  private static LocalLink read(NetworkInterface link) {
    List<LocalLink.Own> addresses = new ArrayList<>();
    for (InterfaceAddress each : link.getInterfaceAddresses()) {
      IpAddress address = IpAddress.of(each.getAddress().getAddress());
      addresses.add(
          new LocalLink.Own(address, Prefix.containing(address, each.getNetworkPrefixLength())));
    }
    return new LocalLink(new InterfaceName(link.getName()), addresses);
  }
}
