package io.margay.linux.nft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.margay.linux.netns.Netns;
import io.margay.model.net.IpFamily;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// What the kernel tells of single packets: counters, traces and logged copies.
@Tag("netns")
final class NftTraceTest {

  private static final int GROUP = 7;
  private static final int PORT = 4242;
  private static final int UDP = 17;
  private static final int PAYLOAD_OCTETS = 300;
  private static final Duration LIMIT = Duration.ofSeconds(10);

  private NftNamespace namespace;

  @BeforeEach
  void raise() throws IOException {
    namespace = new NftNamespace();
    namespace.in("ip", "link", "set", "lo", "up");
  }

  @AfterEach
  void clean() throws IOException {
    namespace.close();
  }

  private NftTable table(IpFamily family) throws NftException {
    NftTable table = new NftTable(namespace.open(), "margay", NftTable.Ownership.NEVER);
    NftHook hook = new NftHook(NftHook.Type.FILTER, NftHook.Point.OUTPUT, -90);
    table.putChain(
        family,
        new NftChain(
            "out",
            hook,
            List.of(
                new NftRuleBuilder(family)
                    .protocol(UDP, false)
                    .port(NftRuleBuilder.Side.DESTINATION, PORT, PORT, false)
                    .trace()
                    .verdict(NftVerdict.jump("policy"))
                    .build("dispatch"))));
    table.putChain(
        family,
        NftChain.regular(
            "policy",
            List.of(
                new NftRuleBuilder(family)
                    .logGroup("deny|ns/p|0", GROUP, 64)
                    .counter()
                    .verdict(NftVerdict.DROP)
                    .build("deny|ns/p|0"))));
    table.apply();
    return table;
  }

  private void send(IpFamily family) throws Exception {
    String to = family == IpFamily.IPV4 ? "127.0.0.1" : "::1";
    try (DatagramChannel channel =
        Netns.callIn(
            namespace.fd(),
            () -> {
              try {
                return DatagramChannel.open();
              } catch (IOException failed) {
                throw new UncheckedIOException(failed);
              }
            })) {
      channel.send(ByteBuffer.allocate(PAYLOAD_OCTETS), new InetSocketAddress(to, PORT));
    } catch (IOException dropped) {
      // The output hook's drop is the sender's EPERM.
      assertThat(dropped).hasMessageContaining("not permitted");
    }
  }

  @ParameterizedTest
  @EnumSource(IpFamily.class)
  void a_dropped_packet_is_traced_to_the_rule_counted_and_logged(IpFamily family) throws Exception {
    try (NftTable _ = table(family);
        NftKernel reader = namespace.open();
        NftTraceListener traces = Netns.callIn(namespace.fd(), NftTraceTest::traces);
        NftLogListener log = Netns.callIn(namespace.fd(), NftTraceTest::log)) {
      send(family);

      List<NftTrace> steps = new ArrayList<>();
      while (steps.stream().noneMatch(NftTraceTest::isDrop)) {
        List<NftTrace> more = traces.take(LIMIT);
        assertThat(more).as("steps, after %s", steps).isNotEmpty();
        steps.addAll(more);
      }
      NftTrace end = steps.stream().filter(NftTraceTest::isDrop).findFirst().orElseThrow();
      NftTrace jump = steps.getFirst();
      assertThat(jump.verdict()).isEqualTo(new NftTrace.Verdict(NftTrace.Code.JUMP, "policy"));
      assertThat(jump.family()).isEqualTo(family);
      assertThat(jump.packet().length()).isGreaterThanOrEqualTo(family == IpFamily.IPV4 ? 28 : 48);
      assertThat(end.table()).isEqualTo("margay");
      assertThat(end.chain()).isEqualTo("policy");
      assertThat(jump.outInterface()).isEqualTo(1);
      assertThat(end.id()).isEqualTo(jump.id());

      List<NftRuleInfo> rules = reader.rules(new NftTableName(family, "margay"));
      Optional<NftRuleInfo> rule =
          rules.stream().filter(r -> r.handle() == end.ruleHandle()).findFirst();
      assertThat(rule).map(NftRuleInfo::id).contains("deny|ns/p|0");
      int octets = PAYLOAD_OCTETS + 8 + (family == IpFamily.IPV4 ? 20 : 40);
      assertThat(NftRuleInfo.counters(rules))
          .containsEntry("deny|ns/p|0", new NftCounter(1, octets));

      List<NftLogEntry> logged = log.take(LIMIT);
      assertThat(logged).hasSize(1);
      assertThat(logged.getFirst().prefix()).isEqualTo("deny|ns/p|0");
      assertThat(logged.getFirst().outInterface()).isEqualTo(1);
      assertThat(logged.getFirst().packet().length()).isEqualTo(64);
      assertThat(logged.getFirst().packet().slice(0, 20)).isEqualTo(jump.packet().slice(0, 20));
      assertThatThrownBy(() -> Netns.callIn(namespace.fd(), NftTraceTest::log))
          .hasStackTraceContaining("EPERM");
    }
  }

  private static boolean isDrop(NftTrace step) {
    return step.verdict().code() == NftTrace.Code.DROP;
  }

  private static NftTraceListener traces() {
    try {
      return NftTraceListener.open();
    } catch (NftException refused) {
      throw new IllegalStateException(refused);
    }
  }

  private static NftLogListener log() {
    try {
      return NftLogListener.open(GROUP);
    } catch (NftException refused) {
      throw new IllegalStateException(refused);
    }
  }

  @ParameterizedTest
  @EnumSource(IpFamily.class)
  void nft_reads_traces_and_log_groups_as_we_mean_them(IpFamily family) throws Exception {
    try (NftTable _ = table(family)) {
      assertThat(namespace.nft("list", "ruleset"))
          .contains("meta nftrace set 1 jump policy comment \"dispatch\"")
          .contains("log prefix \"deny|ns/p|0\" group 7 snaplen 64 counter packets 0 bytes 0 drop");
    }
    try (NftTable table = table(family)) {
      assertThat(NftText.print(table.desired(family)))
          .contains("meta nftrace set 1 jump policy comment \"dispatch\"")
          .contains("log prefix \"deny|ns/p|0\" group 7 snaplen 64 counter drop");
    }
  }
}
