package io.margay.agent.firewall.rack;

import io.margay.linux.LinuxException;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import java.util.function.IntConsumer;

/// Where packets are put on the wire and taken from it, at one end. Used by one thread.
interface Port extends AutoCloseable {

  /// The end's own address.
  IpAddress address(IpFamily family);

  void send(Datagram packet) throws LinuxException;

  /// Hands over the numbers of all packets that have come since the last call. Does not wait.
  void drain(IntConsumer ids) throws LinuxException;

  @Override
  void close();
}
