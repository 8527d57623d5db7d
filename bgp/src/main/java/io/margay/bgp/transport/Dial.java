package io.margay.bgp.transport;

import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.ScopedAddress;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/// A connection wanted.
///
/// @param remote whom to connect to; a scope binds the connection to that interface, and a
///   link-local address needs one
/// @param port the peer's TCP port, 1 to 65535
/// @param source our address; absent: the kernel chooses
/// @param ttl how far away the peer may be
/// @param password TCP MD5 key; absent: none
/// @param timeout how long the attempt may take, from 1 ms; wrong keys show as silence, so this,
///   not the kernel's two minutes, says how soon a corrected key is tried
public record Dial(
    ScopedAddress remote,
    int port,
    @Nullable IpAddress source,
    Ttl ttl,
    @Nullable Password password,
    Duration timeout) {

  /// Room for one lost SYN and its repetition after 1 s and 3 s.
  public static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(5);

  public Dial {
    if (port < 1 || port > 65535) {
      throw new IllegalArgumentException("BGP port " + port + " is not in 1..65535");
    }
    IpAddress address = remote.address();
    if (source != null && source.family() != address.family()) {
      throw new IllegalArgumentException(
          "peer " + remote + ": source address " + source + " is of the other family");
    }
    if (address.family() == IpFamily.IPV6 && address.isLinkLocal() && remote.scope() == null) {
      throw new IllegalArgumentException(
          "peer " + remote + " is link-local and needs its interface; write " + remote + "%eth0");
    }
    if (timeout.toMillis() < 1 || timeout.toMillis() > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          "peer " + remote + ": connect timeout " + timeout + " is not 1 ms or more");
    }
  }

  IpFamily family() {
    return remote.address().family();
  }

  @Nullable InterfaceName device() {
    return remote.scope();
  }
}
