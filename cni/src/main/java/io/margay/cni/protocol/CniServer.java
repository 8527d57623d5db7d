package io.margay.cni.protocol;

import io.margay.linux.LinuxException;
import io.margay.linux.socket.OwnedFd;
import io.margay.linux.socket.UnixListener;
import io.margay.linux.socket.UnixStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Accepts CNI requests on the agent's Unix socket and hands them to a handler, each on a platform
/// thread of its own pool. Whatever happens, the connection and the descriptors that came with it
/// are closed. Only root is served.
public final class CniServer implements AutoCloseable {

  /// Requests worked on at once. The kernel serialises link changes under one lock, so more threads
  /// would only wait there.
  public static final int MAX_CONCURRENT = 16;

  /// Requests accepted but not yet worked on; beyond, clients are told to try again.
  public static final int MAX_WAITING = 1024;

  /// How long a client may take to send its request or to read its reply.
  static final Duration CLIENT_PATIENCE = Duration.ofSeconds(10);

  /// How long requests in progress may take to finish when the server closes.
  static final Duration CLOSE_PATIENCE = Duration.ofSeconds(5);

  private static final Logger LOG = LoggerFactory.getLogger(CniServer.class);

  private final UnixListener listener;
  private final CniHandler handler;
  private final int servedUserId;
  private final ExecutorService workers;
  private final Thread acceptor;

  private CniServer(UnixListener listener, CniHandler handler, int servedUserId) {
    this.listener = listener;
    this.handler = handler;
    this.servedUserId = servedUserId;
    ThreadPoolExecutor pool =
        new ThreadPoolExecutor(
            MAX_CONCURRENT,
            MAX_CONCURRENT,
            30,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(MAX_WAITING),
            Thread.ofPlatform().name("cni-", 0).factory());
    pool.allowCoreThreadTimeOut(true);
    this.workers = pool;
    this.acceptor = Thread.ofPlatform().name("cni-accept").unstarted(this::acceptLoop);
  }

  /// Listens on `path` and serves root from now on.
  ///
  /// @throws IOException when another agent listens there, or the directory does not exist
  public static CniServer start(Path path, CniHandler handler) throws IOException {
    return start(path, handler, 0);
  }

  static CniServer start(Path path, CniHandler handler, int servedUserId) throws IOException {
    CniServer server = new CniServer(UnixListener.listen(path), handler, servedUserId);
    server.acceptor.start();
    return server;
  }

  private void acceptLoop() {
    while (true) {
      UnixStream connection;
      try {
        Optional<UnixStream> accepted = listener.accept();
        if (accepted.isEmpty()) {
          return;
        }
        connection = accepted.get();
      } catch (LinuxException failure) {
        // EMFILE and the like pass when requests in progress end; the pause keeps this thread from
        // spinning until then.
        LOG.atError().setCause(failure).log("cannot accept a CNI request, trying again in 100 ms");
        pause();
        continue;
      }
      try {
        workers.execute(() -> serve(connection));
      } catch (RejectedExecutionException full) {
        LOG.atWarn()
            .addKeyValue("waiting", MAX_WAITING)
            .log("too many CNI requests wait, one is turned away to retry");
        connection.close();
      }
    }
  }

  private static void pause() {
    try {
      Thread.sleep(100);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private void serve(UnixStream connection) {
    try (connection) {
      connection.limitWaits(CLIENT_PATIENCE);
      int user = connection.peer().userId();
      if (user != servedUserId) {
        LOG.atWarn()
            .addKeyValue("uid", user)
            .log("refused a CNI request of a user that is not root");
        return;
      }
      ByteBuffer head = receive(connection, CniFrame.HEADER_OCTETS);
      CniFrame.Header header = CniFrame.header(head, CniFrame.Kind.REQUEST);
      ByteBuffer body = receive(connection, header.bodyOctets());
      List<OwnedFd> descriptors = connection.takeDescriptors();
      try {
        connection.send(CniFrame.encode(answer(connection, header, body, descriptors)), List.of());
      } finally {
        descriptors.forEach(OwnedFd::close);
      }
    } catch (IOException failure) {
      LOG.atInfo()
          .setCause(failure)
          .log("a CNI client went away or sent something else than a request");
    }
  }

  private CniReply answer(
      UnixStream connection, CniFrame.Header header, ByteBuffer body, List<OwnedFd> descriptors)
      throws MalformedFrameException {
    if (!header.isCompatible()) {
      return CniReply.failure(
          "{\"cniVersion\":\"1.0.0\",\"code\":11,\"msg\":\"margay-cni speaks protocol "
              + header.oldest()
              + " to "
              + header.version()
              + ", the agent "
              + CniFrame.OLDEST_VERSION
              + " to "
              + CniFrame.VERSION
              + "; install both of one release\"}\n");
    }
    CniRequest request = CniFrame.requestBody(body);
    CniCall call =
        new CniCall(
            request,
            descriptors.isEmpty() ? Optional.empty() : Optional.of(descriptors.get(0)),
            descriptors.size() < 2 ? Optional.empty() : Optional.of(descriptors.get(1)),
            connection::isPeerGone);
    try {
      return handler.handle(call);
    } catch (RuntimeException bug) {
      LOG.atError()
          .setCause(bug)
          .addKeyValue("request", request)
          .log("a CNI request failed by a bug; the runtime is told so");
      return CniReply.failure(
          "{\"cniVersion\":\"1.0.0\",\"code\":100,\"msg\":\"internal error of margay agent; see its"
              + " log\"}\n");
    }
  }

  private static ByteBuffer receive(UnixStream connection, int octets) throws IOException {
    ByteBuffer target = ByteBuffer.allocate(octets);
    while (target.hasRemaining()) {
      if (connection.receive(target) < 0) {
        throw new MalformedFrameException(
            "the client closed after " + target.position() + " of " + octets + " octets");
      }
    }
    return target.flip();
  }

  /// Takes no further request, lets those in progress finish for a while, and removes the socket.
  @Override
  public void close() throws IOException {
    listener.stopAccepting();
    try {
      acceptor.join();
      workers.shutdown();
      if (!workers.awaitTermination(CLOSE_PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
        workers.shutdownNow();
      }
    } catch (InterruptedException interrupted) {
      workers.shutdownNow();
      Thread.currentThread().interrupt();
    } finally {
      listener.close();
    }
  }
}
