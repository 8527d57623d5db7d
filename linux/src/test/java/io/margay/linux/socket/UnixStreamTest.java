package io.margay.linux.socket;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.margay.linux.Errno;
import io.margay.linux.LinuxException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class UnixStreamTest {

  @TempDir Path directory;

  @Test
  void octets_and_descriptors_arrive_in_order_and_name_the_same_files() throws IOException {
    Path first = Files.writeString(directory.resolve("first"), "1");
    Path second = Files.writeString(directory.resolve("second"), "2");
    byte[] octets = new byte[200_000];
    octets[199_999] = 42;
    try (UnixListener listener = UnixListener.listen(directory.resolve("s"));
        OwnedFd a = OwnedFd.openForReading(first);
        OwnedFd b = OwnedFd.openForReading(second);
        UnixStream client = UnixStream.connect(directory.resolve("s"));
        UnixStream server = listener.accept().orElseThrow()) {
      CompletableFuture<Void> sending =
          CompletableFuture.runAsync(
              () -> {
                try {
                  client.send(octets, List.of(a, b));
                } catch (LinuxException failure) {
                  throw new AssertionError(failure);
                }
              });
      ByteBuffer target = ByteBuffer.allocate(octets.length);
      while (target.hasRemaining()) {
        assertThat(server.receive(target)).isPositive();
      }
      sending.join();
      assertThat(target.array()).isEqualTo(octets);
      List<OwnedFd> arrived = server.takeDescriptors();
      assertThat(arrived).hasSize(2);
      assertThat(Files.readSymbolicLink(Path.of("/proc/self/fd/" + arrived.get(0).number())))
          .isEqualTo(first.toRealPath());
      assertThat(Files.readSymbolicLink(Path.of("/proc/self/fd/" + arrived.get(1).number())))
          .isEqualTo(second.toRealPath());
      arrived.forEach(OwnedFd::close);
      assertThat(server.takeDescriptors()).isEmpty();
    }
  }

  @Test
  void descriptors_nobody_took_are_closed_with_the_connection() throws IOException {
    Path file = Files.writeString(directory.resolve("file"), "x");
    try (UnixListener listener = UnixListener.listen(directory.resolve("s"));
        OwnedFd fd = OwnedFd.openForReading(file);
        UnixStream client = UnixStream.connect(directory.resolve("s"))) {
      long before = openDescriptorsOf(file);
      try (UnixStream server = listener.accept().orElseThrow()) {
        client.send(new byte[] {1}, List.of(fd, fd));
        server.receive(ByteBuffer.allocate(1));
        assertThat(openDescriptorsOf(file)).isEqualTo(before + 2);
      }
      assertThat(openDescriptorsOf(file)).isEqualTo(before);
    }
  }

  private static long openDescriptorsOf(Path file) throws IOException {
    Path real = file.toRealPath();
    try (var fds = Files.list(Path.of("/proc/self/fd"))) {
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
  void the_peer_is_known_and_its_going_is_noticed() throws IOException {
    try (UnixListener listener = UnixListener.listen(directory.resolve("s"))) {
      UnixStream server;
      try (UnixStream client = UnixStream.connect(directory.resolve("s"))) {
        server = listener.accept().orElseThrow();
        assertThat(server.peer().processId()).isEqualTo((int) ProcessHandle.current().pid());
        assertThat(server.isPeerGone()).isFalse();
        client.send(new byte[] {7}, List.of());
        assertThat(server.isPeerGone()).as("unread data is not the end").isFalse();
        server.receive(ByteBuffer.allocate(8));
      }
      assertThat(server.isPeerGone()).isTrue();
      assertThat(server.receive(ByteBuffer.allocate(8))).isEqualTo(-1);
      server.close();
    }
  }

  @Test
  void a_silent_peer_ends_the_wait_with_eagain() throws IOException {
    try (UnixListener listener = UnixListener.listen(directory.resolve("s"));
        UnixStream client = UnixStream.connect(directory.resolve("s"))) {
      client.limitWaits(Duration.ofMillis(10));
      assertThatThrownBy(() -> client.receive(ByteBuffer.allocate(1)))
          .isInstanceOfSatisfying(
              LinuxException.class, failure -> assertThat(failure.is(Errno.EAGAIN)).isTrue());
      assertThat(listener).isNotNull();
    }
  }

  @Test
  void a_dead_socket_is_replaced_a_living_one_is_not() throws IOException {
    Path path = directory.resolve("s");
    try (UnixListener living = UnixListener.listen(path)) {
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path)))
          .isEqualTo("rw-------");
      assertThatThrownBy(() -> UnixListener.listen(path))
          .isInstanceOfSatisfying(
              LinuxException.class, failure -> assertThat(failure.is(Errno.EADDRINUSE)).isTrue());
      assertThat(living.accept())
          .as("the probing connection")
          .isPresent()
          .get()
          .satisfies(UnixStream::close);
    }
    assertThat(path).doesNotExist();
    Files.createFile(path);
    try (UnixListener replaced = UnixListener.listen(path);
        UnixStream client = UnixStream.connect(path)) {
      assertThat(replaced.accept()).isPresent().get().satisfies(UnixStream::close);
      assertThat(client.isPeerGone()).isTrue();
    }
  }

  @Test
  void stopping_wakes_the_accepting_thread() throws IOException {
    try (UnixListener listener = UnixListener.listen(directory.resolve("s"))) {
      CompletableFuture<Boolean> accepted =
          CompletableFuture.supplyAsync(
              () -> {
                try {
                  return listener.accept().isPresent();
                } catch (LinuxException failure) {
                  throw new AssertionError(failure);
                }
              });
      listener.stopAccepting();
      assertThat(accepted.join()).isFalse();
    }
  }
}
