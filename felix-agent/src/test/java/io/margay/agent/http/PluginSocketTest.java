package io.margay.agent.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PluginSocketTest {

  @TempDir Path directory;

  /// Repeats what it was asked.
  private static Optional<byte[]> echo(String method, byte[] body) {
    return method.startsWith("No")
        ? Optional.empty()
        : Optional.of(
            (method + ":" + new String(body, StandardCharsets.UTF_8))
                .getBytes(StandardCharsets.UTF_8));
  }

  private Path socket() {
    return directory.resolve("plugins/margay.sock");
  }

  /// What a client gets that closes its side after these octets.
  private String ask(String request) throws IOException {
    try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(socket()))) {
      channel.write(ByteBuffer.wrap(request.getBytes(StandardCharsets.UTF_8)));
      channel.shutdownOutput();
      ByteBuffer answer = ByteBuffer.allocate(1 << 16);
      while (channel.read(answer) >= 0 && answer.hasRemaining()) {
        // Until the server closes.
      }
      return new String(answer.array(), 0, answer.position(), StandardCharsets.UTF_8);
    }
  }

  private static String post(String path, String host, String body) {
    return "POST /"
        + path
        + " HTTP/1.1\r\nHost: "
        + host
        + "\r\nUser-Agent: Go-http-client/1.1\r\nContent-Length: "
        + body.length()
        + "\r\nAccept: application/vnd.docker.plugins.v1.2+json\r\nConnection: close\r\n\r\n"
        + body;
  }

  @Test
  void a_call_is_answered_also_without_a_host_as_docker_20_sends_it() throws Exception {
    try (PluginSocket _ = PluginSocket.start(socket(), PluginSocketTest::echo)) {
      for (String host : new String[] {"", "plugin.moby.localhost"}) {
        assertThat(ask(post("NetworkDriver.Join", host, "{\"a\":1}")))
            .startsWith("HTTP/1.1 200 ")
            .contains("application/vnd.docker.plugins.v1.2+json")
            .endsWith("NetworkDriver.Join:{\"a\":1}");
      }
      assertThat(ask(post("Plugin.Activate", "", ""))).endsWith("Plugin.Activate:");
    }
  }

  @Test
  void what_is_no_call_is_refused() throws Exception {
    try (PluginSocket _ = PluginSocket.start(socket(), PluginSocketTest::echo)) {
      assertThat(ask(post("No.Such", "", ""))).startsWith("HTTP/1.1 404 ");
      assertThat(ask(post("A.B", "", "").replace("POST", "GET"))).startsWith("HTTP/1.1 405 ");
      assertThat(ask(post("A.B", "", " ".repeat(PluginSocket.MAX_BODY_OCTETS + 1))))
          .startsWith("HTTP/1.1 413 ");
      assertThat(ask("nonsense\r\n\r\n")).startsWith("HTTP/1.1 400 ");
      assertThat(ask(post("A.B", "", ""))).as("and it goes on").endsWith("A.B:");
    }
  }

  @Test
  void the_socket_is_roots_alone_and_takes_the_place_of_one_that_a_killed_agent_left()
      throws Exception {
    Files.createDirectories(directory.resolve("plugins"));
    ServerSocketChannel.open(StandardProtocolFamily.UNIX)
        .bind(UnixDomainSocketAddress.of(socket()))
        .close();
    assertThat(socket()).exists();
    try (PluginSocket _ = PluginSocket.start(socket(), PluginSocketTest::echo)) {
      assertThat(Files.getPosixFilePermissions(socket()))
          .isEqualTo(PosixFilePermissions.fromString("rw-------"));
      assertThat(ask(post("A.B", "", ""))).endsWith("A.B:");
    }
  }

  @Test
  void a_file_that_is_no_socket_is_left_alone() throws Exception {
    Files.createDirectories(socket().resolveSibling("x"));
    Files.writeString(socket(), "precious");
    assertThatThrownBy(() -> PluginSocket.start(socket(), PluginSocketTest::echo))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("is no socket; remove it");
    assertThat(socket()).hasContent("precious");
  }
}
