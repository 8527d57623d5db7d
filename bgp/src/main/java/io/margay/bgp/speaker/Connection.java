package io.margay.bgp.speaker;

import io.margay.bgp.transport.Password;
import io.margay.bgp.transport.Ttl;
import io.margay.model.net.IpAddress;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// How TCP reaches one peer.
///
/// @param port the peer's TCP port, 1 to 65535
/// @param localAddress source address of our connections; absent: the kernel chooses
/// @param passive only wait for the peer to connect
/// @param ttl how far away the peer may be
/// @param password TCP MD5 key (RFC 2385); absent: none
public record Connection(
    int port,
    @Nullable IpAddress localAddress,
    boolean passive,
    Ttl ttl,
    @Nullable Password password) {

  /// The port of RFC 4271 §8.
  public static final int DEFAULT_PORT = 179;

  /// A neighbour on the link.
  public static final Connection DEFAULT =
      new Connection(DEFAULT_PORT, null, false, Ttl.adjacent(), null);

  public Connection {
    if (port < 1 || port > 65_535) {
      throw new IllegalArgumentException("port " + port + " is not in 1..65535");
    }
  }

  /// Brings a connection that was made so to this, as far as TCP allows.
  void bring(Wire wire, Connection before) {
    if (!ttl.equals(before.ttl)) {
      wire.ttl(ttl);
    }
    if (!Objects.equals(password, before.password)) {
      wire.password(password);
    }
  }
}
