package io.margay.datastore.etcd;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/// A loopback relay whose connections a test can cut, freeze or refuse.
final class TcpProxy implements AutoCloseable {

  private final ServerSocket listener;
  private final String host;
  private volatile int target;
  private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
  private volatile boolean refusing;
  private volatile boolean frozen;

  TcpProxy(int target) throws IOException {
    this(target, "127.0.0.1");
  }

  /// @param host where it listens, as URLs have it
  TcpProxy(int target, String host) throws IOException {
    this.target = target;
    this.host = host;
    listener = new ServerSocket(0, 50, InetAddress.getByName(host));
    Thread.ofVirtual().start(this::accept);
  }

  String endpoint() {
    return "http://" + host + ":" + listener.getLocalPort();
  }

  /// Ends every connection there is.
  void cut() {
    sockets.forEach(TcpProxy::closeQuietly);
  }

  /// Cuts, and lets nobody in until `heal`.
  void partition() {
    refusing = true;
    cut();
  }

  /// New connections lead elsewhere.
  void redirect(int port) {
    target = port;
  }

  /// Keeps connections open but passes nothing on, as a half-open connection does.
  void freeze() {
    frozen = true;
  }

  void heal() {
    refusing = false;
    frozen = false;
    cut();
  }

  private void accept() {
    while (!listener.isClosed()) {
      try {
        Socket client = listener.accept();
        if (refusing) {
          client.close();
          continue;
        }
        Socket server = connect(client);
        sockets.add(client);
        sockets.add(server);
        Thread.ofVirtual().start(() -> relay(client, server));
        Thread.ofVirtual().start(() -> relay(server, client));
      } catch (IOException closedOrDown) {
        // The next connection tries again.
      }
    }
  }

  /// Nobody behind us: nobody before us either.
  private Socket connect(Socket client) throws IOException {
    try {
      return new Socket(InetAddress.getLoopbackAddress(), target);
    } catch (IOException down) {
      client.close();
      throw down;
    }
  }

  private void relay(Socket from, Socket to) {
    byte[] buffer = new byte[16_384];
    try (from;
        to) {
      InputStream in = from.getInputStream();
      OutputStream out = to.getOutputStream();
      for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
        if (!frozen) {
          out.write(buffer, 0, read);
        }
      }
    } catch (IOException cut) {
      // Either end may go.
    } finally {
      sockets.remove(from);
      sockets.remove(to);
    }
  }

  private static void closeQuietly(Socket socket) {
    try {
      socket.close();
    } catch (IOException alreadyClosed) {
      // Closed is what was wanted.
    }
  }

  @Override
  public void close() throws IOException {
    listener.close();
    cut();
  }
}
