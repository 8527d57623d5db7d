package io.margay.bgp.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.margay.model.net.IpAddress;
import io.margay.model.net.ScopedAddress;
import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;
import io.netty.util.concurrent.Future;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Listeners and connections on the loopback interface.
class TransportTest {

  private static final Duration TIMEOUT = Duration.ofSeconds(30);

  private static Dial dial(String remote, @Nullable String source) {
    return new Dial(
        ScopedAddress.parse(remote),
        Node.PORT,
        source == null ? null : IpAddress.parse(source),
        Ttl.adjacent(),
        null,
        TIMEOUT);
  }

  @ParameterizedTest
  @CsvSource({"127.0.0.1, 127.0.0.1, 127.0.0.7", "0.0.0.0, 127.0.0.9, 127.0.0.8", "::1, ::1, ::1"})
  void a_connection_has_the_source_address_that_was_asked_for(
      String listener, String remote, String source) throws Exception {
    try (Node server = new Node();
        Node client = new Node()) {
      server.listen(listener);
      Channel out = client.connect(dial(remote, source));
      Channel in = server.arrival();
      Endpoints ours = Endpoints.of(out);
      assertThat(ours.local()).isEqualTo(ScopedAddress.parse(source));
      assertThat(ours.remote()).isEqualTo(ScopedAddress.parse(remote));
      assertThat(ours.remotePort()).isEqualTo(Node.PORT);
      Endpoints theirs = Endpoints.of(in);
      assertThat(theirs.local()).isEqualTo(ours.remote());
      assertThat(theirs.localPort()).isEqualTo(Node.PORT);
      assertThat(theirs.remote()).isEqualTo(ours.local());
      assertThat(theirs.remotePort()).isEqualTo(ours.localPort());
      assertThat(out.config().getOption(ChannelOption.IP_TOS)).as("CS6").isEqualTo(0xc0);
      assertThat(in.config().getOption(ChannelOption.IP_TOS)).as("CS6").isEqualTo(0xc0);
      Node.send(out, "ping");
      server.awaitText(in, "ping");
      Node.send(in, "pong");
      client.awaitText(out, "pong");
    }
  }

  @Test
  void several_listeners_share_a_port_and_change_without_breaking_connections() throws Exception {
    try (Node server = new Node();
        Node client = new Node()) {
      server.listen("127.0.0.1", "127.0.0.2", "::1");
      Channel out = client.connect(dial("127.0.0.1", null));
      Channel in = server.arrival();
      client.connect(dial("127.0.0.2", null));
      server.arrival();
      client.connect(dial("::1", null));
      server.arrival();

      server.listen("127.0.0.2", "127.0.0.3");
      assertThat(client.failure(dial("127.0.0.1", null))).contains("refused");
      client.connect(dial("127.0.0.2", null));
      client.connect(dial("127.0.0.3", null));
      Node.send(out, "still here");
      server.awaitText(in, "still here");
    }
  }

  @Test
  void any_ipv4_and_any_ipv6_listen_side_by_side() throws Exception {
    try (Node server = new Node();
        Node client = new Node()) {
      server.listen("::", "0.0.0.0");
      client.connect(dial("127.0.0.1", null));
      assertThat(Endpoints.of(server.arrival()).remote())
          .isEqualTo(ScopedAddress.parse("127.0.0.1"));
      client.connect(dial("::1", null));
      assertThat(Endpoints.of(server.arrival()).remote()).isEqualTo(ScopedAddress.parse("::1"));
    }
  }

  @Test
  void a_listener_that_cannot_be_opened_leaves_things_as_they_were() throws Exception {
    try (Node other = new Node();
        Node server = new Node();
        Node client = new Node()) {
      other.listen("127.0.0.5");
      server.listen("127.0.0.1");
      assertThatThrownBy(() -> server.listen("127.0.0.4", "127.0.0.5"))
          .isInstanceOf(IOException.class)
          .hasMessage(
              "cannot listen for BGP on 127.0.0.5 port 17917: another BGP speaker listens there;"
                  + " stop it, or choose another address or port");
      client.connect(dial("127.0.0.1", null));
      assertThat(client.failure(dial("127.0.0.4", null))).contains("refused");
    }
  }

  @Test
  void what_cannot_be_listened_on_is_said_with_its_reason() {
    try (Node server = new Node()) {
      assertThatThrownBy(() -> server.listen("192.0.2.1"))
          .hasMessage(
              "cannot listen for BGP on 192.0.2.1 port 17917: 192.0.2.1 is not an address of this"
                  + " node");
      assertThatThrownBy(() -> server.listen("fe80::1%mgyt-none"))
          .hasMessageStartingWith(
              "cannot listen for BGP on fe80::1%mgyt-none port 17917: interface mgyt-none cannot be"
                  + " used: ");
    }
  }

  @Test
  void what_cannot_be_connected_is_said_with_its_reason() {
    try (Node client = new Node()) {
      assertThat(client.failure(dial("127.0.0.1", "192.0.2.1")))
          .isEqualTo(
              "cannot connect to 127.0.0.1 port 17917: the source address 192.0.2.1 is not on this"
                  + " node");
      assertThat(client.failure(dial("fe80::1%mgyt-none", null)))
          .startsWith(
              "cannot connect to fe80::1%mgyt-none port 17917: interface mgyt-none cannot be"
                  + " used: ");
      assertThatThrownBy(() -> dial("fe80::1", null)).hasMessageContaining("fe80::1%eth0");
      assertThatThrownBy(() -> dial("127.0.0.1", "::1")).hasMessageContaining("other family");
    }
  }

  @Test
  void an_attempt_that_is_cancelled_ends() throws Exception {
    try (Node client = new Node()) {
      Future<Channel> attempt =
          client.onLoop(
              () -> {
                Future<Channel> begun = client.transport.connect(dial("127.0.0.1", null));
                begun.cancel(false);
                return begun;
              });
      assertThat(attempt.isCancelled()).isTrue();
    }
  }

  @Test
  void expecting_is_for_the_loop() {
    try (Node node = new Node()) {
      assertThatThrownBy(() -> node.transport.expect(List.of()))
          .isInstanceOf(IllegalStateException.class);
    }
  }
}
