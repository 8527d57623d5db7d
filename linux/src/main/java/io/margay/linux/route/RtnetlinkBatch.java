package io.margay.linux.route;

import io.margay.linux.LinuxException;
import io.margay.linux.netlink.NetlinkFailure;
import io.margay.linux.netlink.NetlinkMessage;
import io.margay.linux.netlink.NetlinkSocket;
import java.util.ArrayList;
import java.util.List;

/// Changes of different kinds sent in one system call, in order: how a pod's end is set up. Not
/// atomic: what follows a refused change is still tried.
public final class RtnetlinkBatch {

  private final NetlinkSocket socket;
  private final List<NetlinkMessage> messages = new ArrayList<>();

  RtnetlinkBatch(NetlinkSocket socket) {
    this.socket = socket;
  }

  public RtnetlinkBatch setUp(int index) {
    messages.add(Links.up(index));
    return this;
  }

  public RtnetlinkBatch add(Address address) {
    messages.add(Addresses.added(address));
    return this;
  }

  public RtnetlinkBatch replace(Neighbour neighbour) {
    messages.add(Neighbours.replaced(neighbour));
    return this;
  }

  public RtnetlinkBatch replace(Route route) {
    messages.add(RouteCodec.encode(new RouteChange.Put(route)));
    return this;
  }

  public RtnetlinkBatch delete(Route route) {
    messages.add(RouteCodec.encode(new RouteChange.Delete(route)));
    return this;
  }

  /// Sends everything collected.
  ///
  /// @return the refused changes in order; empty when all took effect
  public List<NetlinkFailure> send() throws LinuxException {
    List<NetlinkMessage> sent = List.copyOf(messages);
    messages.clear();
    return socket.batch(sent);
  }

  /// Sends everything collected and fails on the first refused change.
  public void sendAll() throws LinuxException {
    List<NetlinkFailure> failures = send();
    if (!failures.isEmpty()) {
      throw failures.getFirst().toException();
    }
  }
}
