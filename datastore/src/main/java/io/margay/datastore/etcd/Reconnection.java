package io.margay.datastore.etcd;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.Executor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Ends a pause of the library's: after a long outage its channel tries a server every two minutes
/// only, whoever calls meanwhile, and nothing makes it try sooner. So a call that finds no server
/// looks whether one takes connections, and if the channel has had time to find that out itself,
/// another channel is put in its place.
final class Reconnection {

  /// How long the channel is left to itself: its first pauses are shorter.
  static final Duration PATIENCE = Duration.ofSeconds(4);

  private static final Logger LOG = LoggerFactory.getLogger(Reconnection.class);

  private static final int CONNECT_MILLIS = 500;

  private final List<InetSocketAddress> servers;
  private final Duration patience;
  private final Executor looking;
  private final Runnable exchange;

  /// By [System#nanoTime]; empty while servers answer.
  private volatile OptionalLong failingSince = OptionalLong.empty();

  private boolean isLooking;

  /// @param endpoints URLs with a port
  /// @param looking runs what waits for the network
  /// @param exchange puts another channel in the place of the one there is
  Reconnection(List<String> endpoints, Duration patience, Executor looking, Runnable exchange) {
    this.servers =
        endpoints.stream()
            .map(URI::create)
            .map(url -> InetSocketAddress.createUnresolved(url.getHost(), url.getPort()))
            .toList();
    this.patience = patience;
    this.looking = looking;
    this.exchange = exchange;
  }

  /// A server has answered.
  void answered() {
    if (failingSince.isPresent()) {
      failingSince = OptionalLong.empty();
    }
  }

  /// A call has found no server. Returns at once.
  void unreachable() {
    long now = System.nanoTime();
    synchronized (this) {
      if (failingSince.isEmpty()) {
        failingSince = OptionalLong.of(now);
        return;
      }
      if (isLooking || now - failingSince.getAsLong() < patience.toNanos()) {
        return;
      }
      isLooking = true;
    }
    looking.execute(this::look);
  }

  private void look() {
    try {
      if (servers.stream().anyMatch(Reconnection::takesConnections)) {
        // A server that takes connections and does not serve is given as long as the first time.
        failingSince = OptionalLong.of(System.nanoTime());
        exchange.run();
      }
    } catch (RuntimeException bug) {
      LOG.atError().setCause(bug).log("looking for an etcd server failed; it is repeated");
    } finally {
      synchronized (this) {
        isLooking = false;
      }
    }
  }

  private static boolean takesConnections(InetSocketAddress server) {
    try (Socket socket = new Socket()) {
      String host = server.getHostString();
      socket.connect(
          new InetSocketAddress(
              host.startsWith("[") ? host.substring(1, host.length() - 1) : host, server.getPort()),
          CONNECT_MILLIS);
      return true;
    } catch (IOException none) {
      return false;
    }
  }
}
