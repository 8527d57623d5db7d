package io.margay.cli.http;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.margay.agent.http.Answer;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HttpServerTest {

  private static final int LONG = 3_000_000;

  @TempDir private Path directory;

  private static Answer answer(String target, String accept) {
    return switch (target) {
      case "/short?a=b" -> text(200, "short " + accept);
      case "/long" -> new Answer(200, "text/plain", out -> out.write(new byte[LONG]));
      case "/bug" -> throw new IllegalStateException("a bug on purpose");
      default -> text(404, "no such path");
    };
  }

  private static Answer text(int status, String body) {
    return new Answer(status, "text/plain", out -> out.write(body.getBytes(UTF_8)));
  }

  private static HttpAddress.Tcp freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0)) {
      return (HttpAddress.Tcp) HttpAddress.parse("127.0.0.1:" + socket.getLocalPort());
    }
  }

  private static String get(String base, String target, int status) throws IOException {
    try (HttpClient.Response response = new HttpClient(base).get(target)) {
      assertThat(response.status()).isEqualTo(status);
      return new String(response.body().readAllBytes(), UTF_8);
    }
  }

  @Test
  void requests_are_answered_over_tcp() throws IOException {
    HttpAddress at = freePort();
    try (HttpServer server = HttpServer.start(at, HttpServerTest::answer)) {
      assertThat(get("http://" + at, "/short?a=b", 200)).startsWith("short ");
      assertThat(get("http://" + at, "/long", 200)).hasSize(LONG);
      assertThat(get("http://" + at, "/nowhere", 404)).isEqualTo("no such path");
      assertThat(server.address()).isEqualTo(at);
    }
  }

  @Test
  void requests_are_answered_over_a_unix_socket_whose_file_goes_with_the_server()
      throws IOException {
    Path file = directory.resolve("sub/http.sock");
    HttpAddress at = HttpAddress.parse("unix:" + file);
    try (HttpServer server = HttpServer.start(at, HttpServerTest::answer)) {
      assertThat(get(server.address().toString(), "/short?a=b", 200)).isEqualTo("short */*");
      assertThat(get("unix:" + file, "/long", 200)).hasSize(LONG);
    }
    assertThat(file).doesNotExist();
  }

  @Test
  void a_socket_file_that_a_dead_process_left_is_replaced() throws IOException {
    Path file = directory.resolve("http.sock");
    try (ServerSocketChannel dead = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      dead.bind(UnixDomainSocketAddress.of(file));
    }
    assertThat(Files.exists(file)).isTrue();
    try (HttpServer server =
        HttpServer.start(HttpAddress.parse("unix:" + file), HttpServerTest::answer)) {
      assertThat(get(server.address().toString(), "/short?a=b", 200)).startsWith("short");
      assertThatThrownBy(() -> HttpServer.start(server.address(), HttpServerTest::answer))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("another process listens there");
    }
  }

  @Test
  void a_taken_port_is_one_line() throws IOException {
    HttpAddress at = freePort();
    try (HttpServer _ = HttpServer.start(at, HttpServerTest::answer)) {
      assertThatThrownBy(() -> HttpServer.start(at, HttpServerTest::answer))
          .isInstanceOf(IOException.class)
          .hasMessage("cannot serve HTTP on " + at + ": is another process there?");
    }
  }

  @Test
  void a_bug_in_an_answer_is_500_and_the_server_lives_on() throws IOException {
    HttpAddress at = freePort();
    try (HttpServer _ = HttpServer.start(at, HttpServerTest::answer)) {
      assertThat(get("http://" + at, "/bug", 500)).contains("bug");
      assertThat(get("http://" + at, "/short?a=b", 200)).startsWith("short");
    }
  }

  @Test
  void what_is_no_get_is_refused_and_nonsense_too() throws IOException {
    HttpAddress.Tcp at = freePort();
    try (HttpServer _ = HttpServer.start(at, HttpServerTest::answer)) {
      assertThat(statusLine(at, "POST /short HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi"))
          .startsWith("HTTP/1.1 405");
      assertThat(statusLine(at, "\u0000\u0001 nonsense\r\n\r\n")).startsWith("HTTP/1.1 400");
      assertThat(statusLine(at, "GET /" + "x".repeat(100_000) + " HTTP/1.1\r\n\r\n"))
          .startsWith("HTTP/1.1 400");
    }
  }

  @Test
  void a_connection_carries_several_requests() throws IOException {
    HttpAddress.Tcp at = freePort();
    try (HttpServer _ = HttpServer.start(at, HttpServerTest::answer);
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), at.port())) {
      OutputStream out = socket.getOutputStream();
      BufferedReader in = new BufferedReader(new InputStreamReader(socket.getInputStream(), UTF_8));
      for (int i = 0; i < 3; i++) {
        out.write("HEAD /short?a=b HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(UTF_8));
        assertThat(in.readLine()).isEqualTo("HTTP/1.1 200 OK");
        while (!in.readLine().isEmpty()) {
          // Headers end with an empty line; a HEAD has no body behind it.
        }
      }
    }
  }

  private static String statusLine(HttpAddress.Tcp at, String request) throws IOException {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), at.port())) {
      socket.getOutputStream().write(request.getBytes(UTF_8));
      return new BufferedReader(new InputStreamReader(socket.getInputStream(), UTF_8)).readLine();
    }
  }
}
