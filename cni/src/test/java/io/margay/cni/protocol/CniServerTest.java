package io.margay.cni.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.margay.linux.LinuxException;
import io.margay.linux.socket.OwnedFd;
import io.margay.linux.socket.UnixStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class CniServerTest {

  private static final CniRequest REQUEST =
      new CniRequest(Map.of(CniVariable.COMMAND, "ADD"), "margay-cni", new byte[0]);

  @TempDir Path directory;

  private static int ownUser() throws IOException {
    return (Integer) Files.getAttribute(Path.of("/proc/self"), "unix:uid");
  }

  private CniServer serve(CniHandler handler) throws IOException {
    return CniServer.start(directory.resolve("s"), handler, ownUser());
  }

  @Test
  void java_clients_are_answered_like_the_c_one() throws Exception {
    try (CniServer server =
        serve(
            call ->
                CniReply.success(
                    call.request().get(CniVariable.COMMAND) + call.callerNetns().isPresent()))) {
      assertThat(new CniClient(directory.resolve("s")).exchange(REQUEST).stdout())
          .isEqualTo("ADDtrue");
      assertThat(server).isNotNull();
    }
  }

  @Test
  void a_bug_in_the_handler_is_an_error_object_and_the_server_lives_on() throws Exception {
    try (CniServer server =
        serve(
            _ -> {
              throw new IllegalStateException("bug");
            })) {
      for (int i = 0; i < CniServer.MAX_CONCURRENT + 1; i++) {
        CniReply reply = new CniClient(directory.resolve("s")).exchange(REQUEST);
        assertThat(reply.exitCode()).isEqualTo(1);
        assertThat(reply.stdout()).contains("\"code\":100");
      }
      assertThat(server).isNotNull();
    }
  }

  @Test
  void another_user_is_refused() throws Exception {
    AtomicInteger handled = new AtomicInteger();
    try (CniServer server =
        CniServer.start(
            directory.resolve("s"),
            _ -> {
              handled.incrementAndGet();
              return CniReply.success("");
            },
            ownUser() + 1)) {
      assertThatThrownBy(() -> new CniClient(directory.resolve("s")).exchange(REQUEST))
          .isInstanceOf(IOException.class);
      assertThat(server).isNotNull();
    }
    assertThat(handled).hasValue(0);
  }

  @Test
  void a_client_of_an_unknown_version_is_told_so() throws Exception {
    byte[] frame = CniFrame.encode(REQUEST);
    frame[4] = 9;
    frame[5] = 8;
    try (CniServer server = serve(_ -> CniReply.success(""));
        UnixStream client = UnixStream.connect(directory.resolve("s"))) {
      client.send(frame, List.of());
      ByteBuffer answer = ByteBuffer.allocate(4096);
      while (client.receive(answer) > 0) {
        assertThat(answer.hasRemaining()).isTrue();
      }
      answer.flip();
      CniFrame.header(answer, CniFrame.Kind.REPLY);
      assertThat(CniFrame.replyBody(answer).stdout()).contains("\"code\":11").contains("8 to 9");
      assertThat(server).isNotNull();
    }
  }

  @Test
  void descriptors_are_closed_after_every_kind_of_end() throws Exception {
    Path file = Files.createFile(directory.resolve("file"));
    try (CniServer server =
            serve(
                call -> {
                  if (call.request().get(CniVariable.COMMAND).equals("ADD")) {
                    throw new IllegalStateException("bug");
                  }
                  return CniReply.success("");
                });
        OwnedFd fd = OwnedFd.openForReading(file)) {
      byte[] garbage = CniFrame.encode(REQUEST);
      garbage[0] = 'X';
      byte[] truncated = java.util.Arrays.copyOf(CniFrame.encode(REQUEST), 20);
      for (byte[] octets :
          List.of(
              CniFrame.encode(REQUEST),
              CniFrame.encode(REQUEST.withCommand("DEL")),
              garbage,
              truncated)) {
        try (UnixStream client = UnixStream.connect(directory.resolve("s"))) {
          client.send(octets, List.of(fd, fd));
        }
      }
      assertThat(server).isNotNull();
    }
    // The server has ended every request by now; only ours would be left, and it is closed as well.
    assertThat(openDescriptorsOf(file)).isZero();
  }

  private static long openDescriptorsOf(Path file) throws IOException {
    Path real = file.toRealPath();
    try (Stream<Path> fds = Files.list(Path.of("/proc/self/fd"))) {
      return fds.filter(
              fd -> {
                try {
                  return Files.readSymbolicLink(fd).equals(real);
                } catch (IOException closedMeanwhile) {
                  return false;
                }
              })
          .count();
    }
  }

  @Test
  void many_requests_at_once_are_each_answered() throws Exception {
    try (CniServer server =
        serve(
            call ->
                CniReply.success(
                    new String(call.request().stdin(), java.nio.charset.StandardCharsets.UTF_8)))) {
      List<CompletableFuture<String>> answers = new ArrayList<>();
      for (int i = 0; i < 200; i++) {
        byte[] stdin = Integer.toString(i).getBytes(java.nio.charset.StandardCharsets.UTF_8);
        answers.add(
            CompletableFuture.supplyAsync(
                () -> {
                  try {
                    return new CniClient(directory.resolve("s"))
                        .exchange(new CniRequest(Map.of(), "margay-cni", stdin))
                        .stdout();
                  } catch (IOException failure) {
                    throw new java.io.UncheckedIOException(failure);
                  }
                }));
      }
      for (int i = 0; i < 200; i++) {
        assertThat(answers.get(i).join()).isEqualTo(Integer.toString(i));
      }
      assertThat(server).isNotNull();
    }
  }

  @Test
  void closing_removes_the_socket_and_a_second_server_may_not_start_beside_the_first()
      throws Exception {
    try (CniServer server = serve(_ -> CniReply.success(""))) {
      assertThatThrownBy(() -> serve(_ -> CniReply.success("")))
          .isInstanceOf(LinuxException.class)
          .hasMessageContaining("listens there");
      assertThat(server).isNotNull();
    }
    assertThat(directory.resolve("s")).doesNotExist();
  }
}
