package io.margay.agent.settings;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.margay.agent.firewall.PacketLog;
import io.margay.ipam.care.GarbageCollector;
import io.margay.linux.route.NextHopLayout;
import io.margay.model.net.Asn;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Ipv4Address;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

class AgentSettingsTest {

  private static final String MINIMAL =
      "nodeName: n1\ndatastore: {endpoints: ['http://127.0.0.1:2379']}\n";

  @Test
  void defaults_are_those_of_the_documents() throws SettingsException {
    AgentSettings settings = AgentSettings.parse("f", MINIMAL, Map.of());
    assertThat(settings.runDir()).isEqualTo(Path.of("/run/margay"));
    assertThat(settings.stateDir()).isEqualTo(Path.of("/var/lib/margay"));
    assertThat(settings.http())
        .hasValueSatisfying(at -> assertThat(at).hasToString("127.0.0.1:9199"));
    assertThat(settings.bgp().gracefulRestart()).isTrue();
    assertThat(settings.log()).isEqualTo(AgentSettings.LogLevel.INFO);
    assertThat(settings.gc()).isEqualTo(GarbageCollector.Mode.DRY_RUN);
    assertThat(settings.reclaimAfter()).isEqualTo(Duration.ofSeconds(30));
    assertThat(settings.policyChangeMode()).isEqualTo(PolicyChangeMode.REEVALUATE);
    assertThat(settings.packetLog()).isEqualTo(PacketLog.DEFAULT);
    assertThat(settings.nextHopGroups()).isEqualTo(NextHopLayout.NONE);
  }

  @Test
  void every_key_is_read() throws SettingsException {
    AgentSettings settings =
        AgentSettings.parse(
            "f",
            """
            nodeName: rack1-n7
            datastore: {endpoints: ['http://10.0.0.1:2379', 'http://10.0.0.2:2379'], user: margay, password: s3cret}
            runDir: /run/m1
            stateDir: /var/lib/m1
            http: none
            bgp: {ipv4: 10.0.0.7, ipv6: 'fd00::7', asNumber: 65007, routerId: 10.0.0.7, gracefulRestart: false}
            log: debug
            gc: on
            reclaimAfterSeconds: 5
            policyChangeMode: Keep
            packetLog: {rules: nflog, verdicts: denied}
            routes: {nextHopGroups: resilient}
            docker: {socket: /run/docker/plugins/margay.sock}
            firstPool: {ipv4: 10.65.0.0/16, blockSize: 27}
            """,
            Map.of());
    assertThat(settings.nodeName()).isEqualTo("rack1-n7");
    assertThat(settings.datastore().endpoints()).hasSize(2);
    assertThat(settings.http()).isEmpty();
    assertThat(settings.gc()).isEqualTo(GarbageCollector.Mode.ON);
    assertThat(settings.reclaimAfter()).isEqualTo(Duration.ofSeconds(5));
    assertThat(settings.policyChangeMode()).isEqualTo(PolicyChangeMode.KEEP);
    assertThat(settings.packetLog().rules()).isEqualTo(PacketLog.Target.NFLOG);
    assertThat(settings.packetLog().verdicts()).isEqualTo(PacketLog.Verdicts.DENIED);
    assertThat(settings.nextHopGroups()).isEqualTo(NextHopLayout.RESILIENT);
    assertThat(settings.bgp().ipv4()).contains(Ipv4Address.parse("10.0.0.7"));
    assertThat(settings.bgp().asNumber()).contains(Asn.of(65007));
    assertThat(settings.birth().firstPool().pools()).hasSize(1);
    assertThat(settings.bgp().gracefulRestart()).isFalse();
    assertThat(settings.toString()).doesNotContain("s3cret");
  }

  @Test
  void a_router_id_may_be_that_of_the_name() throws SettingsException {
    assertThat(
            AgentSettings.parse(
                    "f",
                    "nodeName: n1\ndatastore: {endpoints: ['http://10.0.0.1:2379']}\nbgp:"
                        + " {routerId: hash}\n",
                    Map.of())
                .bgp()
                .routerId())
        .contains(HashedRouterId.of("n1"));
  }

  @Test
  void an_address_is_given_detected_or_left_to_the_node() throws SettingsException {
    AgentSettings said =
        AgentSettings.parse(
            "f",
            MINIMAL + "bgp: {ipv4: 'interface=^eth0$,^eth1$'}\n",
            Map.of("MARGAY_BGP_IPV6", "fd00::7"));
    assertThat(said.birth().ipv4()).isInstanceOf(AddressChoice.OnInterfaces.class);
    assertThat(said.bgp().ipv4()).isEmpty();
    assertThat(said.bgp().ipv6()).hasValueSatisfying(six -> assertThat(six).hasToString("fd00::7"));
    assertThat(said.birth().address(IpFamily.IPV6)).isInstanceOf(AddressChoice.Given.class);
    AgentSettings unsaid = AgentSettings.parse("f", MINIMAL, Map.of());
    assertThat(unsaid.birth().ipv4()).isEqualTo(new AddressChoice.Unsaid());
    assertThat(unsaid.birth().firstPool()).isEqualTo(FirstPool.NONE);
  }

  @Test
  void the_environment_wins_over_the_file() throws SettingsException {
    AgentSettings settings =
        AgentSettings.parse(
            "f",
            MINIMAL + "log: debug\n",
            Map.of(
                "MARGAY_LOG", "warn",
                "MARGAY_GC", "off",
                "MARGAY_NODE_NAME", "other",
                "MARGAY_BGP_AS_NUMBER", "65099",
                "MARGAY_DATASTORE_ENDPOINTS", "http://a:1,http://b:2"));
    assertThat(settings.log()).isEqualTo(AgentSettings.LogLevel.WARN);
    assertThat(settings.gc()).isEqualTo(GarbageCollector.Mode.OFF);
    assertThat(settings.nodeName()).isEqualTo("other");
    assertThat(settings.bgp().asNumber()).contains(Asn.of(65099));
    assertThat(settings.datastore().endpoints()).containsExactly("http://a:1", "http://b:2");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "nodename: x                     | f: nodename: unknown key",
        "bgp: {asn: 1}                   | f: bgp.asn: unknown key",
        "bgp: {asNumber: 0}              | f: bgp.asNumber: expected an AS number, 1 to 4294967294,"
            + " got \"0\"",
        "bgp: {ipv4: 'interface=['}      | f: bgp.ipv4: expected an IPv4 address, none,"
            + " first-found",
        "firstPool: {ipv4: 10.0.0.0/8, blockSize: 8} | f: firstPool.blockSize: expected a prefix"
            + " length from 20 to 32",
        "firstPool: {ipv4: fd00::/48}    | f: firstPool.ipv4: expected a CIDR of IPv4",
        "bgp: {asNumber: many}           | f: bgp.asNumber: expected an AS number",
        "bgp: {asNumber: [1]}            | f: bgp.asNumber: expected an AS number",
        "bgp: 7                          | f: bgp: expected a mapping, got 7",
        "bgp: {ipv4: 'fd00::1'}          | f: bgp.ipv4: expected an IPv4 address",
        "bgp: {routerId: 0.0.0.0}        | f: bgp.routerId: expected a router id",
        "bgp: {gracefulRestart: perhaps} | f: bgp.gracefulRestart: expected true or false",
        "runDir: run                     | f: runDir: expected an absolute path",
        "http: '9199'                    | f: http: expected HOST:PORT or none",
        "http: 'a:99999'                 | f: http: expected HOST:PORT or none",
        "reclaimAfterSeconds: 0          | f: reclaimAfterSeconds: expected a number of seconds",
        "docker: {socket: margay.sock}   | f: docker.socket: expected an absolute path of a file",
        "docker: {socket: /run/margay}   | f: docker.socket: expected an absolute path of a file",
        "docker: {socket: /run/.sock}    | f: docker.socket: expected an absolute path of a file",
        "policyChangeMode: keep          | f: policyChangeMode: expected one of Reevaluate, Keep",
        "routes: {nextHopGroups: on}     | f: routes.nextHopGroups: expected one of none,"
            + " multipath, resilient",
        "log: loud                       | f: log: expected one of",
        "datastore: {endpoints: ['http://a:1'], user: x} | f: datastore: expected user and password"
            + " together",
        "datastore: {endpoints: {}}      | f: datastore.endpoints: expected a list of",
        "datastore: {endpoints: [[1]]}   | f: datastore.endpoints[0]: expected",
        "datastore: {endpoints: [ftp]}   | f: datastore.endpoints: \"ftp\" is not",
      })
  void a_bad_value_is_one_line_with_file_path_and_expectation(String line, String message) {
    boolean replacesStore = line.startsWith("datastore");
    String text = (replacesStore ? "nodeName: n1\n" : MINIMAL) + line + "\n";
    assertThatThrownBy(() -> AgentSettings.parse("f", text, Map.of()))
        .isInstanceOf(SettingsException.class)
        .hasMessageStartingWith(message)
        .message()
        .doesNotContain("\n");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "datastore: {endpoints: ['http://a:1']} | f: nodeName: missing; expected the node's name"
            + " (or MARGAY_NODE_NAME)",
        "nodeName: n1 | f: datastore.endpoints: missing; expected a list of etcd URLs (or"
            + " MARGAY_DATASTORE_ENDPOINTS)",
        "'nodeName: N1' | f: nodeName: expected",
        "[1] | f: expected a mapping",
        "'a: b: c' | f:1: not YAML",
        "'nodeName: a\nnodeName: b' | f:",
      })
  void what_is_missing_or_malformed_is_named(String text, String message) {
    assertThatThrownBy(() -> AgentSettings.parse("f", text.replace("'", ""), Map.of()))
        .isInstanceOf(SettingsException.class)
        .hasMessageStartingWith(message);
  }

  @Test
  void docker_is_served_where_the_settings_say_and_otherwise_not_at_all() throws Exception {
    assertThat(AgentSettings.parse("f", MINIMAL, Map.of()).dockerSocket()).isEmpty();
    assertThat(
            AgentSettings.parse(
                    "f", MINIMAL, Map.of("MARGAY_DOCKER_SOCKET", "/run/docker/plugins/margay.sock"))
                .dockerSocket())
        .contains(AgentSettings.USUAL_DOCKER_SOCKET);
  }

  @Test
  void the_level_takes_effect_on_loggers_that_were_there_before() {
    Logger early = LoggerFactory.getLogger("io.margay.agent.Early");
    try {
      AgentSettings.LogLevel.DEBUG.apply();
      assertThat(early.isDebugEnabled()).isTrue();
      assertThat(early.isTraceEnabled()).isFalse();
    } finally {
      AgentSettings.LogLevel.INFO.apply();
    }
    assertThat(early.isDebugEnabled()).isFalse();
  }

  /// Beside one key that has no other value here.
  @Test
  void every_key_is_compared_when_settings_are_read_again() throws SettingsException {
    AgentSettings one =
        AgentSettings.parse(
            "f",
            MINIMAL + "bgp: {ipv4: 'interface=^eth[01]$,^bond', ipv6: 'cidr=fd00::/64'}\n",
            Map.of());
    AgentSettings same =
        AgentSettings.parse(
            "f",
            MINIMAL + "bgp: {ipv4: 'interface=^eth[01]$,^bond', ipv6: 'cidr=fd00::/64'}\n",
            Map.of());
    assertThat(SettingKey.differences(one, same)).isEmpty();
    AgentSettings other =
        AgentSettings.parse(
            "f",
            """
            nodeName: rack1-n7
            datastore:
              endpoints: ['https://10.0.0.1:2379']
              user: margay
              password: s3cret
              tls: {ca: /ca, cert: /c, key: /k}
            runDir: /run/m1
            stateDir: /var/lib/m1
            http: none
            bgp:
              ipv4: 10.0.0.7
              ipv6: can-reach=fd00::1
              asNumber: 65007
              routerId: 10.0.0.7
              gracefulRestart: false
              passwordDir: /etc/secrets
            log: debug
            gc: on
            reclaimAfterSeconds: 5
            reserve: 3
            policyChangeMode: Keep
            packetLog: {rules: nflog, verdicts: denied}
            routes: {nextHopGroups: resilient}
            docker: {socket: /run/docker/plugins/margay.sock}
            firstPool: {ipv4: 10.65.0.0/16, blockSize: 27}
            """,
            Map.of());
    assertThat(SettingKey.differences(one, other)).hasSize(SettingKey.values().length);
    assertThat(SettingKey.differences(one, one.withLiveOf(other)))
        .isNotEmpty()
        .allMatch(SettingKey.Difference::isLive)
        .hasSize(
            (int)
                SettingKey.differences(one, other).stream()
                    .filter(SettingKey.Difference::isLive)
                    .count());
  }
}
