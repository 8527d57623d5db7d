package io.margay.agent.calc;

import static io.margay.agent.calc.Documents.document;
import static org.assertj.core.api.Assertions.assertThat;

import io.margay.agent.firewall.Failsafe;
import io.margay.agent.firewall.HostProtection;
import io.margay.agent.firewall.HostProtection.ToHostAction;
import io.margay.agent.firewall.NatOutgoing;
import io.margay.agent.firewall.PacketLog;
import io.margay.linux.nft.NftExpr;
import io.margay.model.net.Ipv4Address;
import io.margay.model.net.Prefix;
import io.margay.model.resource.FelixConfiguration;
import io.margay.model.resource.FelixConfigurationSpec;
import io.margay.model.resource.KnobTable;
import io.margay.model.resource.Metadata;
import io.margay.model.resource.Port;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class HostKnobsTest {

  private static final String INBOUND = "failsafeInboundHostPorts";
  private static final String OUTBOUND = "failsafeOutboundHostPorts";

  private static final Failsafe ETCD = new Failsafe(6, 4001, Prefix.parse("10.0.0.7/32"));

  private final HostKnobs knobs = new HostKnobs("n1", List.of(ETCD), PacketLog.DEFAULT);

  private void set(String name, Map<String, Object> settings) {
    knobs.onUpdate(
        name, new FelixConfiguration(Metadata.named(name), new FelixConfigurationSpec(settings)));
  }

  private HostProtection protection() {
    assertThat(knobs.read().problems()).isEmpty();
    return knobs.read().protection();
  }

  @Test
  void without_configuration_pods_reach_the_node_and_the_datastore_is_among_calicos_failsafes() {
    HostProtection protection = protection();
    assertThat(protection.workloadToHost()).isEqualTo(ToHostAction.ACCEPT);
    assertThat(protection.inbound())
        .extracting(failsafe -> failsafe.protocol() + ":" + failsafe.port())
        .containsExactly(
            "6:22", "6:179", "6:2379", "6:2380", "6:5473", "6:6443", "6:6666", "6:6667", "17:68");
    assertThat(protection.outbound())
        .containsAll(HostProtection.DEFAULT_OUTBOUND)
        .contains(ETCD)
        .hasSize(10);
  }

  @Test
  void what_is_set_for_the_node_goes_before_what_is_set_for_all() {
    set("default", Map.of("defaultEndpointToHostAction", "Drop", INBOUND, List.of()));
    set("node.n2", Map.of("defaultEndpointToHostAction", "Accept"));
    assertThat(protection().workloadToHost()).isEqualTo(ToHostAction.DROP);
    assertThat(protection().inbound()).isEmpty();
    set(
        "node.n1",
        Map.of("defaultEndpointToHostAction", "Return", INBOUND, List.of(Map.of("port", 2222))));
    assertThat(protection().workloadToHost()).isEqualTo(ToHostAction.ACCEPT);
    assertThat(protection().inbound()).containsExactly(new Failsafe(6, 2222, null));
    knobs.onUpdate("node.n1", null);
    knobs.onUpdate("default", null);
    assertThat(protection().inbound()).isEqualTo(HostProtection.DEFAULT_INBOUND);
  }

  private void setFor(String selector, String name, String created, String prefix) {
    knobs.onUpdate(
        name,
        new FelixConfiguration(
            Metadata.named(name).withIdentity(name, Instant.parse(created)),
            new FelixConfigurationSpec(Map.of("nodeSelector", selector, "logPrefix", prefix))));
  }

  private @Nullable String prefix() {
    return knobs.read().packetLog().prefix();
  }

  @Test
  void what_is_set_for_labels_stands_between_all_and_the_node() {
    set("default", Map.of("logPrefix", "all"));
    setFor("role == 'edge'", "edge", "2026-01-01T00:00:00Z", "edge");
    assertThat(prefix()).isEqualTo("all");
    assertThat(knobs.setNodeLabels(Map.of("role", "edge"))).isTrue();
    assertThat(knobs.setNodeLabels(Map.of("role", "edge"))).isFalse();
    assertThat(prefix()).isEqualTo("edge");
    set("node.n1", Map.of("logPrefix", "mine"));
    assertThat(prefix()).isEqualTo("mine");
    set("node.n1", Map.of("defaultEndpointToHostAction", "Drop"));
    assertThat(prefix()).isEqualTo("edge");
    assertThat(protection().workloadToHost()).isEqualTo(ToHostAction.DROP);
    assertThat(knobs.setNodeLabels(Map.of("role", "core"))).isTrue();
    assertThat(prefix()).isEqualTo("all");
  }

  @Test
  void of_several_for_the_nodes_labels_the_oldest_counts_alone_and_that_is_told() {
    knobs.setNodeLabels(Map.of("role", "edge", "rack", "r1"));
    setFor("rack == 'r1'", "a-newer", "2026-01-02T00:00:00Z", "newer");
    setFor("role == 'edge'", "z-older", "2026-01-01T00:00:00Z", "older");
    assertThat(prefix()).isEqualTo("older");
    assertThat(knobs.read().problems())
        .containsExactly(
            "nodeSelector: z-older, a-newer all select this node; only the oldest, z-older, has"
                + " effect");
    setFor("rack == 'r1'", "a-newer", "2026-01-01T00:00:00Z", "newer");
    assertThat(prefix()).as("of equal age the first by name").isEqualTo("newer");
    setFor("rack == 'r2'", "a-newer", "2026-01-01T00:00:00Z", "newer");
    assertThat(protection()).isNotNull();
    assertThat(prefix()).isEqualTo("older");
  }

  @Test
  void without_labels_or_selector_nothing_but_all_and_the_nodes_own_counts() {
    setFor("all()", "everybody", "2026-01-01T00:00:00Z", "everybody");
    set("nobody", Map.of("logPrefix", "nobody"));
    assertThat(prefix()).isNull();
    knobs.setNodeLabels(Map.of());
    assertThat(prefix()).isEqualTo("everybody");
    knobs.setNodeLabels(null);
    assertThat(prefix()).isNull();
  }

  @Test
  void the_datastore_stays_open_whatever_is_configured() {
    set("default", Map.of(OUTBOUND, "none"));
    assertThat(protection().outbound()).containsExactly(ETCD);
  }

  @Test
  void objects_and_felixs_own_notation_mean_the_same() {
    List<Failsafe> expected =
        List.of(
            new Failsafe(6, 22, null),
            new Failsafe(17, 53, Prefix.parse("10.0.0.0/8")),
            new Failsafe(6, 80, Prefix.parse("fd00::1/128")));
    set(
        "default",
        Map.of(
            INBOUND,
            List.of(
                Map.of("protocol", "TCP", "port", 22),
                Map.of("protocol", "udp", "port", 53.0, "net", "10.1.2.3/8"),
                Map.of("port", 80, "net", "fd00::1"))));
    assertThat(protection().inbound()).isEqualTo(expected);
    set("default", Map.of(INBOUND, "tcp:22, udp:10.0.0.0/8:53, tcp:[fd00::1]:80"));
    assertThat(protection().inbound()).isEqualTo(expected);
    set("default", Map.of(INBOUND, List.of("22", "udp:10.0.0.0/8:53", "tcp:fd00::1:80")));
    assertThat(protection().inbound()).isEqualTo(expected);
    set("default", Map.of(INBOUND, "none"));
    assertThat(protection().inbound()).isEmpty();
  }

  @Test
  void what_can_not_be_understood_is_left_out_and_told() {
    set(
        "default",
        Map.of(
            "defaultEndpointToHostAction",
            "Perhaps",
            INBOUND,
            List.of("icmp:8", "tcp:22", "tcp:70000", Map.of("port", 80, "net", "somewhere"))));
    HostKnobs.Reading reading = knobs.read();
    assertThat(reading.protection().inbound()).containsExactly(new Failsafe(6, 22, null));
    assertThat(reading.protection().workloadToHost()).isEqualTo(ToHostAction.DROP);
    assertThat(reading.problems())
        .hasSize(4)
        .allMatch(problem -> problem.matches(".*(is left out: |taken for Drop).*"));
  }

  @Test
  void what_is_asked_for_and_not_done_is_told() {
    set("default", Map.of("wireguardEnabled", true, "bpfEnabled", true));
    set("node.n2", Map.of("wireguardEnabledV6", true));
    set("node.n1", Map.of("bpfEnabled", false, "iptablesFilterDenyAction", "Reject"));
    assertThat(knobs.read().problems())
        .containsExactly(
            "iptablesFilterDenyAction: Reject has no effect here; what is denied is dropped without"
                + " an answer",
            "wireguardEnabled: true has no effect here; IPv4 packets between nodes are not"
                + " encrypted");
  }

  @Test
  void what_is_as_calico_has_it_unless_told_and_what_only_tunes_felix_asks_for_nothing() {
    set(
        "default",
        Map.of(
            "floatingIPs", "Disabled",
            "bpfConnectTimeLoadBalancing", "TCP",
            "wireguardListeningPort", 1234,
            "reportingInterval", "0s",
            "logSeverityScreen", "Debug",
            "natPortRange", "",
            "externalNodesList", List.of(),
            "serviceLoopPrevention", "drop"));
    assertThat(knobs.read().problems()).isEmpty();
  }

  @Test
  void the_documentation_lists_each_knob_that_has_no_effect() throws Exception {
    String page =
        Files.readString(Path.of(System.getProperty("margay.root"), "docs", "resources.md"));
    String rows =
        page.substring(
            page.indexOf("| FelixConfiguration | `wireguardEnabled`"),
            page.indexOf("| BGPConfiguration | `serviceClusterIPs`"));
    assertThat(
            rows.lines()
                .map(row -> row.split("\\|", -1)[2])
                .flatMap(names -> Pattern.compile("`(\\w+)`").matcher(names).results())
                .map(name -> name.group(1)))
        .containsExactlyInAnyOrderElementsOf(
            FelixConfigurationSpec.knobs().knobs().stream()
                .map(KnobTable.Knob::name)
                .filter(name -> InertKnobs.isInert(name, "something"))
                .toList());
  }

  @Test
  void nat_knobs_are_followed_and_those_that_make_no_sense_are_told() {
    ClusterView cluster =
        Documents.view(
            document("IPPool", "nat", "{cidr: 10.65.0.0/16, natOutgoing: true}")
                + document("IPPool", "plain", "{cidr: 10.66.0.0/16}")
                + document(
                    "Node", "n2", "{bgp: {ipv4Address: 192.0.2.7/24, ipv6Address: 'fd00::7/64'}}")
                + document("Node", "n3", "{}"));
    Set<Prefix> nat = Set.of(Prefix.parse("10.65.0.0/16"));
    Set<Prefix> pools = Set.of(Prefix.parse("10.65.0.0/16"), Prefix.parse("10.66.0.0/16"));
    assertThat(knobs.read().nat().of(cluster)).isEqualTo(new NatOutgoing(nat, pools));

    set(
        "default",
        Map.of(
            "natOutgoingAddress",
            "192.0.2.9",
            "natPortRange",
            "32768:60999",
            "natOutgoingExclusions",
            "IPPoolsAndHostIPs"));
    assertThat(knobs.read().problems()).isEmpty();
    assertThat(knobs.read().nat().of(cluster))
        .isEqualTo(
            new NatOutgoing(
                nat,
                Set.of(
                    Prefix.parse("10.65.0.0/16"),
                    Prefix.parse("10.66.0.0/16"),
                    Prefix.parse("192.0.2.7/32"),
                    Prefix.parse("fd00::7/128")),
                Ipv4Address.parse("192.0.2.9"),
                new Port.Range(32768, 60999)));

    set(
        "node.n1",
        Map.of(
            "natOutgoingAddress",
            "fd00::1",
            "natPortRange",
            "9:1",
            "natOutgoingExclusions",
            "Nothing"));
    assertThat(knobs.read().nat()).isEqualTo(NatKnobs.DEFAULT);
    assertThat(knobs.read().problems())
        .containsExactly(
            "natOutgoingAddress: fd00::1 is no IPv4 address; that of the interface is used",
            "natPortRange: 9:1 is no port nor first:last; any port is used",
            "natOutgoingExclusions: Nothing is none of IPPoolsOnly and IPPoolsAndHostIPs; taken for"
                + " IPPoolsOnly");

    set("node.n1", Map.of("natPortRange", 4000));
    assertThat(knobs.read().nat().ports()).isEqualTo(new Port.Range(4000, 4000));
  }

  @Test
  void pods_may_spoof_only_where_it_says_any() {
    assertThat(knobs.read().maySpoof()).isFalse();
    set("default", Map.of("workloadSourceSpoofing", "Any"));
    assertThat(knobs.read().maySpoof()).isTrue();
    set("node.n1", Map.of("workloadSourceSpoofing", "Sometimes"));
    assertThat(knobs.read().maySpoof()).isFalse();
    assertThat(knobs.read().problems())
        .containsExactly(
            "workloadSourceSpoofing: Sometimes is none of Disabled and Any; taken for Disabled");
  }

  @Test
  void log_knobs_are_followed_and_those_that_make_no_sense_are_told() {
    assertThat(knobs.read().packetLog()).isEqualTo(PacketLog.DEFAULT);
    set(
        "default",
        Map.of(
            "logPrefix",
            "mine %p",
            "logActionRateLimit",
            "10/minute",
            "logActionRateLimitBurst",
            7));
    PacketLog log = knobs.read().packetLog();
    assertThat(log.prefix()).isEqualTo("mine %p");
    assertThat(log.limit()).isEqualTo(new NftExpr.Limit(10, 60, 7));

    set("node.n1", Map.of("logActionRateLimit", "10/fortnight", "logActionRateLimitBurst", -1));
    assertThat(knobs.read().packetLog().limit()).isEqualTo(PacketLog.DEFAULT.limit());
    assertThat(knobs.read().problems())
        .containsExactly(
            "logActionRateLimit: 10/fortnight is not like 10/minute (second, minute, hour, day);"
                + " 100/second is used",
            "logActionRateLimitBurst: -1 is no number of packets; 100 is used");
  }

  @Test
  void tunnel_knobs_are_followed_and_those_out_of_range_are_told() {
    assertThat(knobs.read().tunnel()).isEqualTo(TunnelKnobs.DEFAULT);
    set("default", Map.of("vxlanVNI", 7, "vxlanPort", 8472, "vxlanMTU", 1400, "vxlanMTUV6", 0));
    assertThat(knobs.read().tunnel())
        .isEqualTo(new TunnelKnobs(7, 8472, OptionalInt.of(1400), OptionalInt.empty()));

    set("node.n1", Map.of("vxlanVNI", 1 << 24, "vxlanPort", 0, "vxlanMTU", 20, "vxlanMTUV6", 1000));
    assertThat(knobs.read().tunnel()).isEqualTo(TunnelKnobs.DEFAULT);
    assertThat(knobs.read().problems())
        .hasSize(4)
        .contains("vxlanPort: 0 is not in 1..65535; 4789 is used")
        .anyMatch(problem -> problem.startsWith("vxlanMTUV6: 1000 is not in 1280.."));
  }
}
