package io.margay.agent.http;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpMethod;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.unixdomain.server.UnixDomainServerConnector;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The Unix socket by which Docker Engine finds a plugin: JSON over HTTP, each call a POST whose
/// path is its method.
///
/// While there is no socket, or nobody behind it, Docker tries a call again for half a minute, so
/// that an agent may be replaced at any time.
public final class PluginSocket implements AutoCloseable {

  /// What Docker calls this protocol.
  static final String MEDIA_TYPE = "application/vnd.docker.plugins.v1.2+json";

  /// Longer documents than libnetwork ever writes.
  static final int MAX_BODY_OCTETS = 1 << 20;

  private static final Logger LOG = LoggerFactory.getLogger(PluginSocket.class);

  /// Calls at once: Docker starts containers side by side.
  private static final int MAX_THREADS = 32;

  private static final int MIN_THREADS = 2;

  private final Server server;

  private PluginSocket(Server server) {
    this.server = server;
  }

  /// Starts listening; returns when calls are answered. What an earlier process left at the path is
  /// replaced.
  ///
  /// @throws IOException the path can't be taken
  public static PluginSocket start(Path path, PluginCalls calls) throws IOException {
    Path directory = path.getParent();
    if (directory != null) {
      Files.createDirectories(directory);
    }
    if (Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS) || Files.isDirectory(path)) {
      throw new IOException(path + " is no socket; remove it, or give another path");
    }
    Files.deleteIfExists(path);
    QueuedThreadPool threads = new QueuedThreadPool(MAX_THREADS, MIN_THREADS);
    threads.setName("docker");
    Server server = new Server(threads);
    HttpConfiguration http = new HttpConfiguration();
    http.setSendServerVersion(false);
    UnixDomainServerConnector connector =
        new UnixDomainServerConnector(server, 1, 1, new HostlessHttp(http));
    connector.setUnixDomainPath(path);
    server.addConnector(connector);
    server.setHandler(new Calls(calls));
    server.setStopAtShutdown(false);
    PluginSocket started = new PluginSocket(server);
    try {
      server.start();
      Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-------"));
    } catch (Exception refused) {
      started.close();
      throw new IOException("socket " + path + ": " + refused.getMessage(), refused);
    }
    return started;
  }

  private static final class Calls extends Handler.Abstract {
    private final PluginCalls calls;

    Calls(PluginCalls calls) {
      this.calls = calls;
    }

    @Override
    public boolean handle(Request request, Response response, Callback callback) throws Exception {
      if (!HttpMethod.POST.is(request.getMethod())) {
        Response.writeError(request, response, callback, HttpStatus.METHOD_NOT_ALLOWED_405);
        return true;
      }
      byte[] body;
      try (InputStream in = Request.asInputStream(request)) {
        body = in.readNBytes(MAX_BODY_OCTETS + 1);
      }
      if (body.length > MAX_BODY_OCTETS) {
        Response.writeError(request, response, callback, HttpStatus.PAYLOAD_TOO_LARGE_413);
        return true;
      }
      String path = Request.getPathInContext(request);
      Optional<byte[]> answer = calls.answer(path.substring(1), body);
      if (answer.isEmpty()) {
        Response.writeError(request, response, callback, HttpStatus.NOT_FOUND_404);
        return true;
      }
      response.getHeaders().put(HttpHeader.CONTENT_TYPE, MEDIA_TYPE);
      response.write(true, ByteBuffer.wrap(answer.get()), callback);
      return true;
    }
  }

  @Override
  public void close() {
    try {
      server.stop();
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    } catch (Exception unclean) {
      LOG.atWarn().setCause(unclean).log("the Docker plugin's socket did not close cleanly");
    }
  }
}
