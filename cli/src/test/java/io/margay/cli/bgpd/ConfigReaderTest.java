package io.margay.cli.bgpd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.margay.bgp.bfd.BfdParameters;
import io.margay.bgp.fsm.ExpectedAs;
import io.margay.bgp.message.Community;
import io.margay.bgp.policy.ExportMode;
import io.margay.bgp.policy.ImportMode;
import io.margay.bgp.policy.LocalAs;
import io.margay.bgp.policy.MaxPrefix;
import io.margay.bgp.policy.NextHopMode;
import io.margay.bgp.policy.PeerPolicy;
import io.margay.bgp.policy.PrefixMatch;
import io.margay.bgp.policy.RouteFilter;
import io.margay.bgp.speaker.AddPathMode;
import io.margay.bgp.speaker.OriginatedRoute;
import io.margay.bgp.speaker.PeerConfig;
import io.margay.bgp.speaker.Remote;
import io.margay.bgp.speaker.Timers;
import io.margay.bgp.transport.ListenAddress;
import io.margay.bgp.transport.Password;
import io.margay.bgp.transport.Ttl;
import io.margay.cli.http.HttpAddress;
import io.margay.cli.yaml.YamlException;
import io.margay.model.net.Asn;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import io.margay.model.net.RouterId;
import io.margay.model.net.ScopedAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ConfigReaderTest {

  private static final String HEAD = "asNumber: 65001\nrouterId: 1.1.1.1\n";

  private static BgpdConfig read(String text) throws YamlException {
    return ConfigReader.parse("f", text);
  }

  private static PeerConfig neighbor(String keys) throws YamlException {
    return read(HEAD + "neighbors:\n  - {" + keys + "}\n").neighbors().getFirst();
  }

  @Test
  void what_is_left_out_has_its_default() throws YamlException {
    BgpdConfig config = read(HEAD);
    assertThat(config.speaker().asn()).isEqualTo(Asn.of(65001));
    assertThat(config.speaker().clusterId()).isEqualTo(RouterId.parse("1.1.1.1"));
    assertThat(config.speaker().listen())
        .contains(new ListenAddress(IpAddress.parse("0.0.0.0"), null, 179));
    assertThat(config.speaker().multipath().maxPaths()).isEqualTo(16);
    assertThat(config.speaker().restart().enabled()).isTrue();
    assertThat(config.fib()).isEqualTo(FibMode.NONE);
    assertThat(config.http()).isEmpty();
    assertThat(config.neighbors()).isEmpty();
    assertThat(config.originated()).isEmpty();
    assertThat(config.gracefulShutdown()).isFalse();
  }

  @Test
  void the_top_level_takes_every_key() throws YamlException {
    BgpdConfig config =
        read(
            """
            asNumber: 4200000001
            routerId: 2.2.2.2
            clusterId: 9.9.9.9
            listen:
              - {address: 10.0.0.1, port: 1179}
              - {address: "fe80::1%eth0"}
            originate:
              - {prefix: 10.65.0.0/26, communities: ["65001:100", 65001:200]}
              - fd00:65::/64
            fib: kernel
            http: unix:/run/margay/bgpd.sock
            maxPaths: 4
            multipathRelax: false
            restartTime: 60s
            selectionDeferral: 5s
            gracefulShutdown: true
            """);
    assertThat(config.speaker().clusterId()).isEqualTo(RouterId.parse("9.9.9.9"));
    assertThat(config.speaker().listen())
        .containsExactly(
            new ListenAddress(IpAddress.parse("10.0.0.1"), null, 1179),
            ListenAddress.of(ScopedAddress.parse("fe80::1%eth0"), 179));
    assertThat(config.originated())
        .containsExactlyInAnyOrder(
            new OriginatedRoute(
                Prefix.parse("10.65.0.0/26"),
                Set.of(Community.parse("65001:100"), Community.parse("65001:200"))),
            OriginatedRoute.of(Prefix.parse("fd00:65::/64")));
    assertThat(config.fib()).isEqualTo(FibMode.KERNEL);
    assertThat(config.http())
        .isEqualTo(Optional.of(new HttpAddress.Unix(Path.of("/run/margay/bgpd.sock"))));
    assertThat(config.speaker().multipath().relax()).isFalse();
    assertThat(config.speaker().restart().time()).isEqualTo(Duration.ofSeconds(60));
    assertThat(config.speaker().restart().deferral()).isEqualTo(Duration.ofSeconds(5));
    assertThat(config.gracefulShutdown()).isTrue();
  }

  @Test
  void one_listen_address_needs_no_list() throws YamlException {
    assertThat(read(HEAD + "listen: {address: 127.0.0.1, port: 1179}\n").speaker().listen())
        .containsExactly(new ListenAddress(IpAddress.parse("127.0.0.1"), null, 1179));
    assertThat(read(HEAD + "listen: []\n").speaker().listen()).isEmpty();
  }

  @Test
  void a_neighbor_takes_every_key() throws YamlException {
    PeerConfig peer =
        read(HEAD
                + """
                filters:
                  in: {importV4: [{action: Reject, matchOperator: In, cidr: 10.0.0.0/8}]}
                neighbors:
                  - address: 10.200.1.2
                    asNumber: 65100
                    description: sink
                    port: 1179
                    passive: true
                    import: reject
                    export: accept
                    filters: [in]
                    families: [ipv4, ipv6]
                    password: s3cret
                    holdTime: 30s
                    keepaliveTime: 5s
                    sendHoldTime: 60s
                    connectRetry: 500ms
                    ttlSecurity: 2
                    sourceAddress: 10.200.1.1
                    localAsNumber: 65002
                    allowLocalAs: 2
                    nextHop: self
                    maxPrefix: {limit: 1000, action: discard, warnPercent: 80}
                    addPath: both
                    gracefulRestart: false
                    bfd: {interval: 300ms, multiplier: 5}
                """)
            .neighbors()
            .getFirst();
    assertThat(peer.remote()).isEqualTo(new Remote.At(ScopedAddress.parse("10.200.1.2")));
    assertThat(peer.asn()).isEqualTo(ExpectedAs.only(Asn.of(65100)));
    assertThat(peer.description()).isEqualTo("sink");
    assertThat(peer.connection().port()).isEqualTo(1179);
    assertThat(peer.connection().passive()).isTrue();
    assertThat(peer.connection().ttl()).isEqualTo(Ttl.secured(2));
    assertThat(peer.connection().password()).isEqualTo(new Password("s3cret"));
    assertThat(peer.connection().localAddress()).isEqualTo(IpAddress.parse("10.200.1.1"));
    assertThat(peer.families()).containsExactly(IpFamily.IPV4, IpFamily.IPV6);
    assertThat(peer.timers())
        .isEqualTo(
            new Timers(
                Duration.ofSeconds(30),
                Duration.ofSeconds(5),
                Duration.ofSeconds(60),
                Duration.ofMillis(500)));
    assertThat(peer.addPath()).isEqualTo(AddPathMode.BOTH);
    assertThat(peer.gracefulRestart()).isFalse();
    assertThat(peer.bfd()).isEqualTo(new BfdParameters(Duration.ofMillis(300), 5));
    PeerPolicy policy = peer.policy();
    assertThat(policy.importMode()).isEqualTo(ImportMode.REJECT);
    assertThat(policy.exportMode()).isEqualTo(ExportMode.ALL);
    assertThat(policy.filters()).extracting(RouteFilter::name).containsExactly("in");
    assertThat(policy.filters().getFirst().importV4().getFirst().prefix())
        .isEqualTo(new PrefixMatch(PrefixMatch.Operator.IN, Prefix.parse("10.0.0.0/8")));
    assertThat(policy.localAs()).isEqualTo(LocalAs.replacing(Asn.of(65002)));
    assertThat(policy.allowLocalAs()).isEqualTo(2);
    assertThat(policy.nextHop()).isEqualTo(NextHopMode.SELF);
    assertThat(policy.maxPrefix()).isEqualTo(new MaxPrefix(1000, MaxPrefix.Action.DISCARD, 80));
  }

  @Test
  void what_a_neighbor_does_not_state_is_left_to_rfc_8212() throws YamlException {
    PolicyModes modes = modes("address: 10.0.0.2, asNumber: 65002");
    assertThat(modes).isEqualTo(new PolicyModes(ImportMode.UNSTATED, ExportMode.UNSTATED));
    assertThat(modes("address: 10.0.0.2, asNumber: 65002, import: accept"))
        .isEqualTo(new PolicyModes(ImportMode.ACCEPT, ExportMode.UNSTATED));
  }

  private record PolicyModes(ImportMode in, ExportMode out) {}

  private static PolicyModes modes(String keys) throws YamlException {
    PeerPolicy policy = neighbor(keys).policy();
    return new PolicyModes(policy.importMode(), policy.exportMode());
  }

  @Test
  void families_default_to_the_address_own() throws YamlException {
    assertThat(neighbor("address: \"fd00::2\", asNumber: 65002").families())
        .containsExactly(IpFamily.IPV6);
    assertThat(neighbor("prefix: 10.0.0.0/24, asNumber: 65002").families())
        .containsExactly(IpFamily.IPV4);
  }

  @Test
  void an_external_neighbor_is_one_hop_away_unless_stated_otherwise() throws YamlException {
    assertThat(neighbor("address: 10.0.0.2, asNumber: 65002").connection().ttl())
        .isEqualTo(Ttl.adjacent());
    assertThat(neighbor("address: 10.0.0.2, asNumber: 65002, multihop: true").connection().ttl())
        .isEqualTo(Ttl.multihop(255));
    assertThat(neighbor("address: 10.0.0.2, asNumber: 65002, multihop: 3").connection().ttl())
        .isEqualTo(Ttl.multihop(3));
    assertThat(neighbor("address: 10.0.0.2, asNumber: 65001").connection().ttl())
        .isEqualTo(Ttl.multihop(255));
    assertThat(neighbor("address: 10.0.0.2, asNumber: 65002, ttlSecurity: true").connection().ttl())
        .isEqualTo(Ttl.secured(1));
  }

  @Test
  void an_interface_gives_a_link_local_address_its_scope() throws YamlException {
    assertThat(neighbor("address: \"fe80::2\", interface: eth0, asNumber: 65002").remote())
        .isEqualTo(new Remote.At(ScopedAddress.parse("fe80::2%eth0")));
    assertThat(neighbor("address: \"fe80::2%eth0\", asNumber: 65002").remote())
        .isEqualTo(new Remote.At(ScopedAddress.parse("fe80::2%eth0")));
  }

  @Test
  void a_range_waits_for_its_neighbors() throws YamlException {
    PeerConfig range = neighbor("prefix: 10.0.0.0/24, asNumber: 65001, routeReflectorClient: true");
    assertThat(range.remote()).isEqualTo(new Remote.Within(Prefix.parse("10.0.0.0/24")));
    assertThat(range.connection().passive()).isTrue();
    assertThat(range.routeReflectorClient()).isTrue();
    assertThat(neighbor("prefix: 10.0.0.0/24, asNumber: external").asn())
        .isEqualTo(new ExpectedAs.External());
  }

  @ParameterizedTest(name = "{1}")
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "asNumber: 0|f: asNumber: expected an AS number, 1 to 4294967295 (the dotted form in"
            + " quotes), got 0",
        "asNumber: 1.10|f: asNumber: expected an AS number, 1 to 4294967295 (the dotted form in"
            + " quotes), got 1.1",
        "bgp: x|f: bgp: expected one of ",
        "routerId: 0.0.0.0|f: routerId: expected an IPv4 address other than 0.0.0.0, got"
            + " \"0.0.0.0\"",
        "clusterId: 0|f: clusterId: expected an IPv4 address or a number, not zero, got 0",
        "listen: {port: 0}|f: listen.port: expected a whole number, 1 to 65535, got 0",
        "listen: [{address: 10.0.0.1}, {address: 10.0.0.1}]|f: listen[1]: 10.0.0.1 port 179 is"
            + " listed twice",
        "fib: maybe|f: fib: expected none or kernel, got \"maybe\"",
        "http: 9179|f: http: expected HOST:PORT with a literal address, like 127.0.0.1:9179, or"
            + " unix:PATH, or none, got 9179",
        "http: 127.0.0.1:179|f: http: conflicts with listen 0.0.0.0 port 179",
        "maxPaths: 1000|f: maxPaths: expected a whole number, 1 to 256, got 1000",
        "restartTime: 2h|f: restartTime: restart time 7200s is not in 0..4095s",
        "originate: [{prefix: 10.0.0.1/8}]|f: originate[0].prefix: expected a prefix without host"
            + " bits, got \"10.0.0.1/8\"",
        "originate: [10.0.0.0/8, 10.0.0.0/8]|f: originate[1]: 10.0.0.0/8 is originated twice",
        "originate: [{prefix: 10.0.0.0/8, communities: [x]}]|f: originate[0].communities[0]:"
            + " expected a community like \"65001:100\", got \"x\"",
        "neighbors: {}|f: neighbors: expected a list of neighbors, got {}",
        "filters: {a: {importV4: [{action: Drop}]}}|f: filters.a.importV4[0].action: expected"
            + " Accept or Reject, got \"Drop\"",
        "filters: {a: {importV4: [{action: Accept, cidr: \"::/0\", matchOperator: In}]}}|f:"
            + " filters.a.importV4[0].cidr: expected an IPv4 prefix without host bits, got"
            + " \"::/0\"",
        "filters: {a: {importV4: [{action: Accept, cidr: 10.0.0.0/8}]}}|f:"
            + " filters.a.importV4[0].matchOperator: expected Equal, NotEqual, In or NotIn, got"
            + " nothing",
        "filters: {a: {exportV4: [{action: Accept, matchOperator: In}]}}|f:"
            + " filters.a.exportV4[0].matchOperator: needs cidr beside it",
        "filters: {a: {importV6: [{action: Accept, source: RemotePeers}]}}|f:"
            + " filters.a.importV6[0].source: is only for export rules: what is imported is of a"
            + " peer",
        "filters: {a: {exportV4: [{action: Reject, operations: [{setPriority: {value: 5}}]}]}}|f:"
            + " filters.a.exportV4[0].operations: may only be used with action Accept",
        "filters: {a: {exportV4: [{action: Accept, operations: [{}]}]}}|f:"
            + " filters.a.exportV4[0].operations[0]: expected exactly one of addCommunity,"
            + " prependASPath, setPriority, got {}",
        "filters: {a: {exportV4: [{action: Accept, communities: {values: [a]}}]}}|f:"
            + " filters.a.exportV4[0].communities.values[0]: expected a community like",
        "asNumber|f: ",
        "x: [|f: line ",
      })
  void a_mistake_is_one_line_with_its_key(String line, String message) {
    String text = line.startsWith("asNumber") ? line + "\nrouterId: 1.1.1.1\n" : HEAD + line + "\n";
    if (line.startsWith("routerId")) {
      text = "asNumber: 65001\n" + line + "\n";
    }
    String whole = text;
    assertThatThrownBy(() -> read(whole))
        .isInstanceOf(YamlException.class)
        .message()
        .startsWith(message)
        .doesNotContain("\n");
  }

  @ParameterizedTest(name = "{1}")
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "asNumber: 65002|address: expected an IP address, like 10.0.0.2 or fe80::2%eth0, got"
            + " nothing",
        "address: 10.0.0.2|asNumber: expected an AS number, 1 to 4294967295 (the dotted form in"
            + " quotes), got nothing",
        "address: 10.0.0.2, asNumber: 65002, holdTime: 2s|holdTime: hold time 2s is neither zero"
            + " nor whole seconds from 3 to 65535",
        "address: 10.0.0.2, asNumber: 65002, holdTime: 90|holdTime: expected a duration like 300ms,"
            + " 3s or 2m, got 90",
        "address: 10.0.0.2, asNumber: 65002, keepaliveTime: 60s|keepaliveTime: keepalive time 60s"
            + " is more than a third of the hold time 90s",
        "address: 10.0.0.2, asNumber: 65002, connectRetry: 1ms|connectRetry: connect retry 1ms is"
            + " shorter than 100 ms",
        "address: 10.0.0.2, asNumber: 65002, sendHoldTime: 30s|sendHoldTime: send hold time 30s is"
            + " not longer than the hold time 90s (RFC 9687)",
        "address: 10.0.0.2, asNumber: 65002, ttlSecurity: 1, multihop: 3|multihop: conflicts with"
            + " ttlSecurity, which itself takes a number of hops",
        "address: 10.0.0.2, asNumber: 65002, ttlSecurity: 0|ttlSecurity: expected a whole number, 1"
            + " to 254, got 0",
        "address: 10.0.0.2, asNumber: 65002, password: 12345|password: expected a text of 1 to 80"
            + " octets, in quotes, got a number or a truth value",
        "address: 10.0.0.2, asNumber: 65002, password: ''|password: a BGP password has 1 to 80"
            + " octets, not 0",
        "address: 10.0.0.2, asNumber: 65002, import: yes|import: expected accept or reject, got ",
        "address: 10.0.0.2, asNumber: 65002, routeReflectorClient: true|routeReflectorClient:"
            + " conflicts with asNumber 65002: only peers of our AS are reflected to",
        "address: 10.0.0.2, asNumber: 65002, prefix: 10.0.0.0/8|address: conflicts with prefix:"
            + " such neighbors connect to us",
        "prefix: 10.0.0.0/8, asNumber: 65002, passive: false|passive: conflicts with prefix: such"
            + " neighbors connect to us",
        "address: 10.0.0.2, asNumber: 65002, interface: eth0|interface: is only for a link-local"
            + " address, which 10.0.0.2 is not",
        "address: 'fe80::2%eth1', asNumber: 65002, interface: eth0|interface: conflicts with"
            + " address fe80::2%eth1",
        "address: 'fe80::2', asNumber: 65002|address: peer fe80::2 is link-local and needs its"
            + " interface",
        "address: 10.0.0.2, asNumber: 65002, filters: [none]|filters[0]: expected the name of a"
            + " filter, and the top level has no filters, got \"none\"",
        "address: 10.0.0.2, asNumber: 65002, maxPrefix: {action: warn}|maxPrefix.limit: expected a"
            + " whole number of prefixes, got nothing",
        "address: 10.0.0.2, asNumber: 65002, bfd: {interval: 1ms}|bfd.interval: BFD interval 1 ms"
            + " is not in 10..60000 ms",
        "address: 10.0.0.2, asNumber: 65002, families: [ipv5]|families[0]: expected ipv4 or ipv6,"
            + " got \"ipv5\"",
        "address: 10.0.0.2, asNumber: 65002, allowLocalAs: 11|allowLocalAs: expected a whole"
            + " number, 0 to 10, got 11",
        "address: 10.0.0.2, asNumber: 65002, hold: 3s|hold: expected one of ",
        "address: 10.0.0.1, asNumber: 65002|address: 10.0.0.1 is already neighbors[0]",
      })
  void a_neighbors_mistake_is_one_line_with_its_key(String keys, String message) {
    String text =
        HEAD + "neighbors:\n  - {address: 10.0.0.1, asNumber: 65002}\n  - {" + keys + "}\n";
    assertThatThrownBy(() -> read(text))
        .isInstanceOf(YamlException.class)
        .message()
        .startsWith("f: neighbors[1]." + message)
        .doesNotContain("\n");
  }

  @Test
  void a_password_is_in_no_message() {
    assertThatThrownBy(() -> neighbor("address: 10.0.0.2, asNumber: 65002, password: [s3cret]"))
        .message()
        .doesNotContain("s3cret");
  }

  @Test
  void a_filter_takes_every_key() throws YamlException {
    RouteFilter filter =
        read(HEAD
                + """
                filters:
                  f:
                    exportV4:
                      - action: Accept
                        matchOperator: NotIn
                        cidr: 10.0.0.0/8
                        prefixLength: {min: 16, max: 24}
                        source: RemotePeers
                        interface: "eth*"
                        peerType: eBGP
                        communities: {values: ["65001:100"]}
                        asPathPrefix: [65002, 65003]
                        priority: 512
                        operations:
                          - addCommunity: {value: "65001:1:2"}
                          - prependASPath: {prefix: [65001]}
                          - setPriority: {value: 100}
                neighbors: [{address: 10.0.0.1, asNumber: 65002, filters: [f]}]
                """)
            .neighbors()
            .getFirst()
            .policy()
            .filters()
            .getFirst();
    assertThat(filter.exportV4()).hasSize(1);
    assertThat(filter.exportV4().getFirst().toString())
        .contains("NOT_IN 10.0.0.0/8{16,24}", "EXTERNAL", "65001:100", "512", "65001:1:2");
    assertThat(filter.exportV4().getFirst().operations()).hasSize(3);
    assertThat(List.of(filter.importV4(), filter.exportV6(), filter.importV6()))
        .containsOnly(List.of());
  }
}
