package io.margay.cli.http;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.StandardProtocolFamily;
import java.net.URI;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/// Asks a process of ours for its state: `http://HOST:PORT` or `unix:PATH`.
public final class HttpClient {

  private static final int CONNECT_MILLIS = 2_000;
  private static final int READ_MILLIS = 30_000;
  private static final int MAX_HEADER_OCTETS = 16 << 10;

  private final String base;

  /// @param base `http://HOST:PORT` or `unix:PATH`
  public HttpClient(String base) {
    this.base = base.endsWith("/") ? base.substring(0, base.length() - 1) : base;
  }

  /// An answer; close it.
  public record Response(int status, InputStream body) implements AutoCloseable {
    @Override
    public void close() throws IOException {
      body.close();
    }
  }

  /// Sends a GET.
  ///
  /// @param target path and query, from `/` on
  /// @throws IOException when nobody answers; the message says where
  /// @throws IllegalArgumentException when the base is no address
  public Response get(String target) throws IOException {
    if (base.startsWith(HttpAddress.SCHEME)) {
      return overSocket(Path.of(base.substring(HttpAddress.SCHEME.length())), target);
    }
    if (!base.startsWith("http://") && !base.startsWith("https://")) {
      throw new IllegalArgumentException(base + ": expected http://HOST:PORT or unix:PATH");
    }
    HttpURLConnection connection =
        (HttpURLConnection) URI.create(base + target).toURL().openConnection();
    connection.setConnectTimeout(CONNECT_MILLIS);
    connection.setReadTimeout(READ_MILLIS);
    int status = connection.getResponseCode();
    InputStream body = status < 400 ? connection.getInputStream() : connection.getErrorStream();
    return new Response(status, body == null ? InputStream.nullInputStream() : body);
  }

  /// HTTP/1.0: the answer ends where the connection does.
  private static Response overSocket(Path path, String target) throws IOException {
    SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
    try {
      channel.connect(UnixDomainSocketAddress.of(path));
      ByteBuffer request =
          ByteBuffer.wrap(
              ("GET " + target + " HTTP/1.0\r\nHost: localhost\r\nAccept: */*\r\n\r\n")
                  .getBytes(StandardCharsets.US_ASCII));
      while (request.hasRemaining()) {
        channel.write(request);
      }
      InputStream in = new BufferedInputStream(Channels.newInputStream(channel));
      return new Response(status(in), in);
    } catch (IOException failed) {
      channel.close();
      throw failed;
    }
  }

  /// Reads the status line and skips the headers.
  private static int status(InputStream in) throws IOException {
    StringBuilder head = new StringBuilder();
    while (head.indexOf("\r\n\r\n") < 0) {
      int octet = in.read();
      if (octet < 0 || head.length() > MAX_HEADER_OCTETS) {
        throw new IOException("the answer is not HTTP");
      }
      head.append((char) octet);
    }
    String[] words = head.substring(0, head.indexOf("\r\n")).split(" ", 3);
    if (words.length < 2 || !words[0].startsWith("HTTP/") || !words[1].matches("[0-9]{3}")) {
      throw new IOException("the answer is not HTTP");
    }
    return Integer.parseInt(words[1]);
  }

  /// Whether somebody listens at a socket file.
  static boolean listens(Path path) {
    try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      return channel.connect(UnixDomainSocketAddress.of(path));
    } catch (IOException nobody) {
      return false;
    }
  }
}
