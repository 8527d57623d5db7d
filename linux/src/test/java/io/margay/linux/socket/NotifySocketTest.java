package io.margay.linux.socket;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.margay.linux.Errno;
import io.margay.linux.LibC;
import io.margay.linux.LinuxException;
import io.margay.linux.NativeBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NotifySocketTest {

  @TempDir private Path directory;

  @Test
  void a_text_arrives_as_one_datagram_at_a_path() throws Exception {
    Path path = directory.resolve("notify");
    try (OwnedFd listener = listen(LibC.unixAddress(path.toString()));
        NotifySocket socket = NotifySocket.to(path.toString())) {
      socket.send("READY=1\nSTATUS=dörthe");
      socket.send("WATCHDOG=1");
      assertThat(receive(listener)).isEqualTo("READY=1\nSTATUS=dörthe");
      assertThat(receive(listener)).isEqualTo("WATCHDOG=1");
    }
  }

  @Test
  void an_at_sign_means_the_abstract_namespace() throws Exception {
    String name = "margay/test/notify-" + ProcessHandle.current().pid();
    try (OwnedFd listener = listen(LibC.abstractUnixAddress(name));
        NotifySocket socket = NotifySocket.to("@" + name)) {
      socket.send("READY=1");
      assertThat(receive(listener)).isEqualTo("READY=1");
    }
  }

  @Test
  void a_listener_that_comes_back_is_told_again() throws Exception {
    Path path = directory.resolve("notify");
    try (NotifySocket socket = NotifySocket.to(path.toString())) {
      assertThatThrownBy(() -> socket.send("A=1"))
          .isInstanceOfSatisfying(
              LinuxException.class, refused -> assertThat(refused.is(Errno.ENOENT)).isTrue());
      try (OwnedFd _ = listen(LibC.unixAddress(path.toString()))) {
        socket.send("B=1");
      }
      assertThatThrownBy(() -> socket.send("C=1")).isInstanceOf(LinuxException.class);
      Files.delete(path);
      try (OwnedFd listener = listen(LibC.unixAddress(path.toString()))) {
        socket.send("D=1");
        assertThat(receive(listener)).isEqualTo("D=1");
      }
    }
  }

  @Test
  void a_listener_that_does_not_read_never_blocks() throws Exception {
    Path path = directory.resolve("notify");
    try (OwnedFd _ = listen(LibC.unixAddress(path.toString()));
        NotifySocket socket = NotifySocket.to(path.toString())) {
      assertThatThrownBy(
              () -> {
                // net.unix.max_dgram_qlen is 10 by default, 512 where systemd set it.
                for (int i = 0; i < 100_000; i++) {
                  socket.send("STATUS=" + i);
                }
              })
          .isInstanceOfSatisfying(
              LinuxException.class, refused -> assertThat(refused.is(Errno.EAGAIN)).isTrue());
    }
  }

  @Test
  void what_is_no_unix_address_is_refused() {
    assertThatThrownBy(() -> NotifySocket.to("vsock:2:1234"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("vsock:2:1234");
    assertThatThrownBy(() -> NotifySocket.to("/" + "x".repeat(200)))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void a_name_has_one_holder_until_it_is_given_back() throws Exception {
    String name = "margay/test/name-" + ProcessHandle.current().pid();
    try (NamespaceName _ = NamespaceName.take(name).orElseThrow()) {
      assertThat(NamespaceName.take(name)).isEmpty();
      assertThat(NamespaceName.ownerOf(name)).hasValue(ownUser());
      assertThat(NamespaceName.ownerOf(name + "0")).isEmpty();
      NamespaceName.take(name + "0").orElseThrow().close();
    }
    NamespaceName.take(name).orElseThrow().close();
  }

  private static int ownUser() throws java.io.IOException {
    return (Integer) Files.getAttribute(Path.of("/proc/self"), "unix:uid");
  }

  private static OwnedFd listen(NativeBuffer address) throws LinuxException {
    OwnedFd socket = OwnedFd.of(LibC.socket(LibC.AF_UNIX, LibC.SOCK_DGRAM | LibC.SOCK_CLOEXEC, 0));
    LibC.bind(socket.number(), address, address.size());
    return socket;
  }

  private static String receive(OwnedFd listener) throws LinuxException {
    NativeBuffer buffer = NativeBuffer.allocate(4096);
    byte[] octets = new byte[LibC.recv(listener.number(), buffer, LibC.MSG_DONTWAIT)];
    buffer.bytes().get(0, octets);
    return new String(octets, java.nio.charset.StandardCharsets.UTF_8);
  }
}
