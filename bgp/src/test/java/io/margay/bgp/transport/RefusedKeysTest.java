package io.margay.bgp.transport;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.model.net.IpAddress;
import io.margay.model.net.ScopedAddress;
import io.netty.channel.Channel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/// More keys than the kernel lets a socket have, on the loopback interface.
class RefusedKeysTest {

  private static final Password SECRET = new Password("s3cret");

  /// A key takes more of `optmem_max` than this.
  private static final int KEY_OCTETS = 100;

  private static final ExpectedPeer UNSIGNED = host("127.0.0.7", null);

  /// Its key is among the last to be set.
  private static final ExpectedPeer LAST = host("127.0.0.3", SECRET);

  private static ExpectedPeer host(String address, @Nullable Password password) {
    return ExpectedPeer.host(ScopedAddress.parse(address), Ttl.secured(1), password);
  }

  private static Dial dial(String from, Ttl ttl, @Nullable Password password, int millis) {
    return new Dial(
        ScopedAddress.parse("127.0.0.1"),
        Node.PORT,
        IpAddress.parse(from),
        ttl,
        password,
        Duration.ofMillis(millis));
  }

  private static ExpectedPeer[] tooMany() throws IOException {
    // Read at once: the kernel ends a second read of such a file.
    int room =
        Integer.parseInt(Files.readAllLines(Path.of("/proc/sys/net/core/optmem_max")).getFirst());
    List<ExpectedPeer> all = new ArrayList<>(List.of(UNSIGNED, LAST));
    for (int i = 0; i <= room / KEY_OCTETS; i++) {
      all.add(host("10." + (i >> 16) + "." + (i >> 8 & 255) + "." + (i & 255), SECRET));
    }
    return all.toArray(ExpectedPeer[]::new);
  }

  @Test
  void a_key_that_is_refused_keeps_out_its_peer_and_holds_up_nothing_else() throws Exception {
    try (Node server = new Node();
        Node client = new Node()) {
      server.listen("127.0.0.1");
      Map<ExpectedPeer, String> refused = server.expect(tooMany());
      assertThat(refused).containsKey(LAST).doesNotContainKeys(UNSIGNED, host("10.0.0.0", SECRET));
      assertThat(refused.get(LAST)).contains("the kernel refuses the TCP MD5 key of 127.0.0.3/32");

      // Signing nothing gets past the kernel, which knows no key, and no further.
      Channel open = client.connect(dial("127.0.0.3", Ttl.secured(1), null, 30_000));
      Node.await("the end of the unsigned connection", () -> !open.isActive());
      client.connect(dial("127.0.0.7", Ttl.secured(1), null, 30_000));
      assertThat(Endpoints.of(server.arrival()).remote())
          .isEqualTo(ScopedAddress.parse("127.0.0.7"));
      // Hop limits came after the keys, and are in force.
      assertThat(client.failure(dial("127.0.0.7", Ttl.adjacent(), null, 1_500)))
          .contains("no answer within");

      assertThat(server.expect(UNSIGNED, LAST)).isEmpty();
      client.connect(dial("127.0.0.3", Ttl.secured(1), SECRET, 30_000));
      assertThat(Endpoints.of(server.arrival()).remote())
          .isEqualTo(ScopedAddress.parse("127.0.0.3"));
    }
  }

  @Test
  void a_listener_that_is_opened_later_says_which_keys_it_lacks() throws Exception {
    try (Node server = new Node()) {
      assertThat(server.expect(tooMany())).isEmpty();
      assertThat(server.transport.listen(Set.of(Node.listenAddress("127.0.0.1", 17918))))
          .containsKey(LAST);
    }
  }
}
