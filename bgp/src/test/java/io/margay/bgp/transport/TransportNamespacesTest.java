package io.margay.bgp.transport;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.model.net.Prefix;
import io.margay.model.net.ScopedAddress;
import io.netty.channel.Channel;
import java.time.Duration;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Keys, hop limits and interfaces as the kernel enforces them, between two nodes and a router.
@Tag("netns")
class TransportNamespacesTest {

  private static final Password SECRET = new Password("s3cret");
  private static final Password OTHER = new Password("0ther");

  /// For attempts that succeed.
  private static final Duration PATIENT = Duration.ofSeconds(30);

  /// For attempts that come to nothing: long enough for a SYN and its first repetition.
  private static final Duration BRIEF = Duration.ofMillis(1500);

  private final Namespaces namespaces = new Namespaces();
  private @Nullable Node node;
  private @Nullable Node peer;

  @BeforeEach
  void raise() {
    node = new Node(namespaces.right);
    peer = new Node(namespaces.left);
  }

  @AfterEach
  void tearDown() {
    try {
      node().close();
      peer().close();
    } finally {
      namespaces.close();
    }
  }

  private Node node() {
    return Objects.requireNonNull(node);
  }

  private Node peer() {
    return Objects.requireNonNull(peer);
  }

  private static Dial dial(String remote, Ttl ttl, @Nullable Password password, Duration timeout) {
    return new Dial(ScopedAddress.parse(remote), Node.PORT, null, ttl, password, timeout);
  }

  private static ExpectedPeer host(String address, Ttl ttl, @Nullable Password password) {
    return ExpectedPeer.host(ScopedAddress.parse(address), ttl, password);
  }

  private static void talk(Node from, Channel out, Node to, Channel in) throws Exception {
    Node.send(out, "open");
    to.awaitText(in, "open");
    Node.send(in, "keepalive");
    from.awaitText(out, "keepalive");
  }

  @ParameterizedTest
  @CsvSource({
    "10.210.2.2, 10.210.1.2, 10.210.1.0/24",
    "fd00:210:2::2, fd00:210:1::2, fd00:210:1::/64"
  })
  void a_key_of_a_host_or_a_range_lets_in_who_has_it_and_nobody_else(
      String nodeAddress, String peerAddress, String range) throws Exception {
    node().listen("0.0.0.0", "::");
    Ttl ttl = Ttl.multihop(4);
    for (ExpectedPeer expected :
        new ExpectedPeer[] {
          host(peerAddress, ttl, SECRET), ExpectedPeer.range(Prefix.parse(range), ttl, SECRET)
        }) {
      node().expect(expected);
      Channel out = peer().connect(dial(nodeAddress, ttl, SECRET, PATIENT));
      talk(peer(), out, node(), node().arrival());

      Md5Drops before = node().drops();
      assertThat(peer().failure(dial(nodeAddress, ttl, OTHER, BRIEF)))
          .contains("no answer within 1500 ms", "same password?");
      Md5Drops wrong = node().drops().since(before);
      assertThat(wrong.wrong()).isPositive();
      assertThat(wrong.reason()).contains("signed with another password");

      before = node().drops();
      assertThat(peer().failure(dial(nodeAddress, ttl, null, BRIEF)))
          .contains("no answer within 1500 ms", "no password either?");
      assertThat(node().drops().since(before).unsigned()).isPositive();
    }
    node().expect(host(peerAddress, ttl, null));
    Md5Drops before = node().drops();
    assertThat(peer().failure(dial(nodeAddress, ttl, SECRET, BRIEF))).contains("no answer");
    assertThat(node().drops().since(before).unexpected()).isPositive();
    Channel out = peer().connect(dial(nodeAddress, ttl, null, PATIENT));
    talk(peer(), out, node(), node().arrival());
  }

  @Test
  void the_longest_range_decides_which_key_counts() throws Exception {
    Ttl ttl = Ttl.multihop(4);
    node().listen("0.0.0.0");
    node()
        .expect(
            ExpectedPeer.range(Prefix.parse("10.0.0.0/8"), ttl, OTHER),
            host("10.210.1.2", ttl, SECRET),
            ExpectedPeer.range(Prefix.parse("10.210.0.0/16"), ttl, OTHER));
    peer().connect(dial("10.210.2.2", ttl, SECRET, PATIENT));
    assertThat(peer().failure(dial("10.210.2.2", ttl, OTHER, BRIEF))).contains("no answer");

    node().expect(ExpectedPeer.range(Prefix.parse("10.0.0.0/8"), ttl, OTHER));
    peer().connect(dial("10.210.2.2", ttl, OTHER, PATIENT));
    assertThat(peer().failure(dial("10.210.2.2", ttl, SECRET, BRIEF))).contains("no answer");
  }

  @Test
  void a_listener_opened_later_has_the_keys_from_its_first_syn_on() throws Exception {
    Ttl ttl = Ttl.multihop(4);
    node().expect(host("10.210.1.2", ttl, SECRET));
    node().listen("10.210.2.2");
    assertThat(peer().failure(dial("10.210.2.2", ttl, null, BRIEF))).contains("no answer");
    peer().connect(dial("10.210.2.2", ttl, SECRET, PATIENT));
  }

  @ParameterizedTest
  @CsvSource({"10.210.2.2, 10.210.1.2", "fd00:210:2::2, fd00:210:1::2"})
  void a_key_changes_under_a_live_connection(String nodeAddress, String peerAddress)
      throws Exception {
    Ttl ttl = Ttl.multihop(4);
    node().listen("0.0.0.0", "::");
    node().expect(host(peerAddress, ttl, SECRET));
    Channel out = peer().connect(dial(nodeAddress, ttl, SECRET, PATIENT));
    Channel in = node().arrival();
    talk(peer(), out, node(), in);

    // One end changes: what the other sends is dropped, not lost.
    node().expect(host(peerAddress, ttl, OTHER));
    node().transport.changeKey(in, OTHER);
    Md5Drops before = node().drops();
    Node.send(out, "sent with the old key");
    Node.await("a drop because of the old key", () -> node().drops().since(before).wrong() > 0);
    assertThat(node().hasRead(in)).isFalse();
    peer().transport.changeKey(out, OTHER);
    node().awaitText(in, "sent with the old key");
    talk(peer(), out, node(), in);

    // New connections need the new key.
    assertThat(peer().failure(dial(nodeAddress, ttl, SECRET, BRIEF))).contains("no answer");
    peer().connect(dial(nodeAddress, ttl, OTHER, PATIENT));

    // Both ends stop signing, and start again.
    for (@Nullable Password next : Arrays.<@Nullable Password>asList(null, SECRET)) {
      node().transport.changeKey(in, next);
      peer().transport.changeKey(out, next);
      talk(peer(), out, node(), in);
    }
  }

  @ParameterizedTest
  @CsvSource({"10.210.2.2, 10.210.1.2", "fd00:210:2::2, fd00:210:1::2"})
  void ttl_security_takes_peers_within_its_hops_only(String nodeAddress, String peerAddress)
      throws Exception {
    node().listen("0.0.0.0", "::");
    node().acceptedTtl = Ttl.secured(2);
    node().expect(host(peerAddress, Ttl.secured(2), null));
    Channel out = peer().connect(dial(nodeAddress, Ttl.secured(2), null, PATIENT));
    talk(peer(), out, node(), node().arrival());

    // A router is between them: nothing arrives with 255.
    node().expect(host(peerAddress, Ttl.secured(1), null));
    long before = node().counter("TCPMinTTLDrop");
    assertThat(peer().failure(dial(nodeAddress, Ttl.secured(2), null, BRIEF)))
        .contains("no answer within");
    assertThat(node().counter("TCPMinTTLDrop")).isGreaterThan(before);

    // Nor does a peer help that does not send with 255.
    node().expect(host(peerAddress, Ttl.secured(2), null));
    assertThat(peer().failure(dial(nodeAddress, Ttl.multihop(200), null, BRIEF)))
        .contains("no answer within");

    // The connecting end checks the answer too: the SYN-ACK has come through a router.
    before = peer().counter("TCPMinTTLDrop");
    assertThat(peer().failure(dial(nodeAddress, Ttl.secured(1), null, BRIEF)))
        .contains("no answer within");
    assertThat(peer().counter("TCPMinTTLDrop")).isGreaterThan(before);
  }

  @ParameterizedTest
  @CsvSource({"10.210.2.2, 10.210.1.2", "fd00:210:2::2, fd00:210:1::2"})
  void a_peer_that_shares_its_listener_with_unsecured_ones_is_secured_once_it_is_adopted(
      String nodeAddress, String peerAddress) throws Exception {
    node().listen("0.0.0.0", "::");
    node().acceptedTtl = Ttl.secured(1);
    node()
        .expect(
            host(peerAddress, Ttl.secured(1), null),
            host("10.210.2.1", Ttl.multihop(4), null),
            host("fd00:210:2::1", Ttl.multihop(4), null));
    Channel out = peer().connect(dial(nodeAddress, Ttl.multihop(255), null, PATIENT));
    Channel in = node().arrival();
    long before = node().counter("TCPMinTTLDrop");
    Node.send(out, "from too far");
    Node.await("a drop because of the hop limit", () -> node().counter("TCPMinTTLDrop") > before);
    assertThat(node().hasRead(in)).isFalse();
    node().transport.adopt(in, Ttl.secured(2));
    node().awaitText(in, "from too far");
  }

  @ParameterizedTest
  @CsvSource({"10.210.2.2, 10.210.2.1", "fd00:210:2::2, fd00:210:2::1"})
  void ttl_security_of_one_hop_works_on_a_link(String nodeAddress, String routerAddress)
      throws Exception {
    node().listen("0.0.0.0", "::");
    node().acceptedTtl = Ttl.secured(1);
    node().expect(host(routerAddress, Ttl.secured(1), null));
    try (Node router = new Node(namespaces.middle)) {
      Channel out = router.connect(dial(nodeAddress, Ttl.secured(1), null, PATIENT));
      talk(router, out, node(), node().arrival());
    }
  }

  @ParameterizedTest
  @CsvSource({"10.210.2.2, 10.210.1.2", "fd00:210:2::2, fd00:210:1::2"})
  void one_hop_ends_at_the_router_and_two_get_through(String nodeAddress, String peerAddress)
      throws Exception {
    node().listen("0.0.0.0", "::");
    node().expect(host(peerAddress, Ttl.multihop(2), null));
    assertThat(peer().failure(dial(nodeAddress, Ttl.adjacent(), null, BRIEF)))
        .startsWith("cannot connect to " + nodeAddress);
    Channel out = peer().connect(dial(nodeAddress, Ttl.multihop(2), null, PATIENT));
    node().acceptedTtl = Ttl.multihop(2);
    talk(peer(), out, node(), node().arrival());
  }

  @Test
  void link_local_ends_carry_the_interface_they_are_on() throws Exception {
    try (Node router = new Node(namespaces.middle)) {
      router.listen("::");
      router.expect(
          host("fe80::2%left", Ttl.adjacent(), SECRET),
          host("fe80::2%right", Ttl.adjacent(), SECRET));
      for (Node end : new Node[] {peer(), node()}) {
        String device = end == peer() ? "left" : "right";
        Channel out = end.connect(dial("fe80::1%end", Ttl.adjacent(), SECRET, PATIENT));
        Channel in = router.arrival();
        assertThat(Endpoints.of(out).local()).isEqualTo(ScopedAddress.parse("fe80::2%end"));
        assertThat(Endpoints.of(out).remote()).isEqualTo(ScopedAddress.parse("fe80::1%end"));
        assertThat(Endpoints.of(in).local()).isEqualTo(ScopedAddress.parse("fe80::1%" + device));
        assertThat(Endpoints.of(in).remote()).isEqualTo(ScopedAddress.parse("fe80::2%" + device));
        talk(end, out, router, in);
      }
    }
  }

  @Test
  void one_link_local_address_on_two_interfaces_has_a_key_on_each_when_each_has_a_listener()
      throws Exception {
    try (Node router = new Node(namespaces.middle)) {
      router.listen("fe80::1%left", "::%right");
      router.expect(
          host("fe80::2%left", Ttl.adjacent(), SECRET),
          host("fe80::2%right", Ttl.adjacent(), OTHER));
      assertThat(peer().failure(dial("fe80::1%end", Ttl.adjacent(), OTHER, BRIEF)))
          .contains("no answer");
      peer().connect(dial("fe80::1%end", Ttl.adjacent(), SECRET, PATIENT));
      assertThat(node().failure(dial("fe80::1%end", Ttl.adjacent(), SECRET, BRIEF)))
          .contains("no answer");
      node().connect(dial("fe80::1%end", Ttl.adjacent(), OTHER, PATIENT));
    }
  }
}
