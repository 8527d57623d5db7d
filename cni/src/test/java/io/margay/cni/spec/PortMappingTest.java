package io.margay.cni.spec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.margay.model.net.IpAddress;
import io.margay.model.resource.Protocol;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

final class PortMappingTest {

  private static final Optional<IpAddress> ANY = Optional.empty();

  private static List<PortMapping> parse(String mappings) throws CniException {
    String json = "{\"name\":\"n\",\"runtimeConfig\":{\"portMappings\":" + mappings + "}}";
    return NetConf.parse(CniJson.parse(json.getBytes(StandardCharsets.UTF_8))).portMappings();
  }

  private static PortMapping mapping(int host, int container, Protocol protocol, String hostIp) {
    return new PortMapping(host, container, protocol, Optional.of(IpAddress.parse(hostIp)));
  }

  static Stream<Arguments> spellings() {
    return Stream.of(
        Arguments.of(
            "containerd",
            "[{\"HostPort\":8080,\"ContainerPort\":80,\"Protocol\":\"tcp\",\"HostIP\":\"\"}]",
            List.of(new PortMapping(8080, 80, Protocol.Named.TCP, ANY))),
        Arguments.of(
            "podman",
            "[{\"hostPort\":53,\"containerPort\":5353,\"protocol\":\"udp\",\"hostIP\":\"10.0.0.1\"}]",
            List.of(mapping(53, 5353, Protocol.Named.UDP, "10.0.0.1"))),
        Arguments.of(
            "nomad, each port by both protocols, twice",
            "[{\"hostPort\":1,\"containerPort\":2,\"protocol\":\"tcp\"},{\"hostPort\":1,\"containerPort\":2,\"protocol\":\"udp\"},"
                + "{\"hostPort\":1,\"containerPort\":2,\"protocol\":\"tcp\"}]",
            List.of(
                new PortMapping(1, 2, Protocol.Named.TCP, ANY),
                new PortMapping(1, 2, Protocol.Named.UDP, ANY))),
        Arguments.of(
            "every address, three ways",
            "[{\"hostPort\":1,\"containerPort\":2,\"hostIP\":\"0.0.0.0\"},{\"hostPort\":1,\"containerPort\":2,\"hostIP\":\"::\"},"
                + "{\"hostPort\":1,\"containerPort\":2,\"protocol\":\"TCP\"}]",
            List.of(new PortMapping(1, 2, Protocol.Named.TCP, ANY))),
        Arguments.of(
            "two addresses of the node, one port",
            "[{\"hostPort\":1,\"containerPort\":2,\"hostIP\":\"10.0.0.1\"},{\"hostPort\":1,\"containerPort\":3,\"hostIP\":\"fd00::1\",\"protocol\":\"sctp\"}]",
            List.of(
                mapping(1, 2, Protocol.Named.TCP, "10.0.0.1"),
                mapping(1, 3, Protocol.Named.SCTP, "fd00::1"))),
        Arguments.of("no list", "null", List.of()));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("spellings")
  void every_runtimes_spelling_is_read(String runtime, String json, List<PortMapping> expected)
      throws CniException {
    assertThat(parse(json)).as(runtime).isEqualTo(expected);
  }

  static Stream<Arguments> wrong() {
    return Stream.of(
        Arguments.of("{}", "runtimeConfig.portMappings: {} found, a list expected"),
        Arguments.of("[7]", "runtimeConfig.portMappings: 7 found, a list of objects expected"),
        Arguments.of(
            "[{\"containerPort\":80}]", "runtimeConfig.portMappings[0].hostPort: missing, a port"),
        Arguments.of(
            "[{\"hostPort\":80}]", "runtimeConfig.portMappings[0].containerPort: missing, a port"),
        Arguments.of(
            "[{\"hostPort\":0,\"containerPort\":80}]",
            "portMappings[0].hostPort: 0 found, a whole number from 1 to 65535 expected"),
        Arguments.of(
            "[{\"hostPort\":65536,\"containerPort\":80}]", "portMappings[0].hostPort: 65536 found"),
        Arguments.of(
            "[{\"hostPort\":\"80\",\"containerPort\":80}]",
            "portMappings[0].hostPort: \"80\" found"),
        Arguments.of(
            "[{\"hostPort\":1,\"containerPort\":1},{\"hostPort\":80,\"containerPort\":80,\"protocol\":\"icmp\"}]",
            "portMappings[1].protocol: \"icmp\" found, tcp, udp or sctp expected"),
        Arguments.of(
            "[{\"hostPort\":80,\"containerPort\":80,\"hostIP\":\"eth0\"}]",
            "portMappings[0].hostIP: \"eth0\" found, an IP address of the node, or \"\" expected"),
        Arguments.of(
            "[{\"hostPort\":80,\"containerPort\":80},{\"hostPort\":80,\"containerPort\":81}]",
            "portMappings[1].containerPort: 81 found, 80, to which hostPort 80/tcp leads already,"
                + " expected"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("wrong")
  void a_wrong_mapping_names_key_value_and_what_is_expected(String json, String message) {
    assertThatThrownBy(() -> parse(json))
        .isInstanceOfSatisfying(
            CniException.class,
            failure -> {
              assertThat(failure.error().code()).isEqualTo(CniError.BAD_CONFIG);
              assertThat(failure.error().msg()).contains(message);
            });
  }

  @Test
  void mappings_collide_where_one_packet_could_be_meant_for_both() {
    PortMapping everywhere = new PortMapping(80, 1, Protocol.Named.TCP, ANY);
    PortMapping here = mapping(80, 2, Protocol.Named.TCP, "10.0.0.1");
    assertThat(everywhere.collidesWith(here)).isTrue();
    assertThat(here.collidesWith(everywhere)).isTrue();
    assertThat(here.collidesWith(mapping(80, 9, Protocol.Named.TCP, "10.0.0.1"))).isTrue();
    assertThat(here.collidesWith(mapping(80, 2, Protocol.Named.TCP, "10.0.0.2"))).isFalse();
    assertThat(here.collidesWith(mapping(80, 2, Protocol.Named.UDP, "10.0.0.1"))).isFalse();
    assertThat(here.collidesWith(mapping(81, 2, Protocol.Named.TCP, "10.0.0.1"))).isFalse();
  }
}
