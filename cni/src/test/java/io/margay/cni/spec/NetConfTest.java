package io.margay.cni.spec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.MacAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.MethodSource;

final class NetConfTest {

  private static NetConf parse(String json) throws CniException {
    return NetConf.parse(CniJson.parse(json.getBytes(StandardCharsets.UTF_8)));
  }

  @Test
  void the_smallest_configuration_has_calicos_defaults() throws CniException {
    NetConf conf = parse("{\"name\":\"n\"}");
    assertThat(conf.version()).isEqualTo(CniVersion.V0_2_0);
    assertThat(conf.ipam().assignIpv4()).isTrue();
    assertThat(conf.ipam().assignIpv6()).isFalse();
    assertThat(conf.mtu()).isZero();
    assertThat(conf.prevResult()).isEmpty();
    assertThat(conf.validAttachments()).isEmpty();
  }

  @Test
  void keys_match_in_any_case_as_runtimes_spell_them_in_two_ways() throws CniException {
    NetConf conf =
        parse(
            "{\"CNIVersion\":\"1.0.0\",\"NAME\":\"n\",\"Mtu\":1400,\"IPAM\":{\"Type\":\"calico-ipam\",\"Assign_IPv6\":\"true\"},"
                + "\"RuntimeConfig\":{\"IPs\":[\"10.0.0.9/24\",\"fd00::9\"],\"MAC\":\"02:AA:bb:cc:dd:ee\"}}");
    assertThat(conf.version()).isEqualTo(CniVersion.V1_0_0);
    assertThat(conf.mtu()).isEqualTo(1400);
    assertThat(conf.ipam().assignIpv6()).isTrue();
    assertThat(conf.requestedAddresses())
        .containsExactly(IpAddress.parse("10.0.0.9"), IpAddress.parse("fd00::9"));
    assertThat(conf.requestedMac()).contains(MacAddress.parse("02:aa:bb:cc:dd:ee"));
  }

  @Test
  void an_exact_key_beats_one_in_another_case_and_null_is_absence() throws CniException {
    assertThat(
            parse("{\"NAME\":\"x\",\"name\":\"n\",\"Name\":\"y\",\"mtu\":null,\"prevResult\":null}")
                .name())
        .isEqualTo("n");
  }

  @ParameterizedTest(name = "{0}")
  @FieldSource("io.margay.cni.spec.NetConf#CAPABILITIES")
  void every_capability_is_read(String capability) {
    assertThatThrownBy(() -> parse("{\"name\":\"n\",\"runtimeConfig\":{\"" + capability + "\":7}}"))
        .isInstanceOf(CniException.class)
        .hasMessageContaining("key runtimeConfig." + capability);
  }

  /// libcni drops what the conflist does not declare.
  @Test
  void the_shipped_conflist_declares_every_capability_and_no_other() throws Exception {
    Path shipped =
        Path.of(System.getProperty("margay.root", ".."), "deploy/etc/05-margay.conflist");
    JsonNode plugin = CniJson.parse(Files.readAllBytes(shipped)).path("plugins").get(0);
    assertThat(plugin.path("capabilities").properties())
        .allMatch(declared -> declared.getValue().asBoolean())
        .extracting(Map.Entry::getKey)
        .containsExactlyElementsOf(NetConf.CAPABILITIES);
  }

  @Test
  void the_recorded_containerd_configuration_is_read() throws CniException {
    NetConf conf =
        parse(
            "{\"capabilities\":{\"portMappings\":true},\"cniVersion\":\"1.0.0\",\"name\":\"l3net\",\"runtimeConfig\":{\"bandwidth\":"
                + "{\"IngressRate\":10000000,\"IngressBurst\":4294967295},\"dns\":{\"Servers\":[\"10.96.0.10\"]},"
                + "\"io.kubernetes.cri.pod-annotations\":{\"note\":\"x\"},\"portMappings\":[{\"HostPort\":18080,\"ContainerPort\":80,\"Protocol\":\"tcp\",\"HostIP\":\"\"}]},\"type\":\"margay-cni\"}");
    assertThat(conf.unknownKeys()).isEmpty();
    assertThat(conf.portMappings()).hasSize(1);
    assertThat(conf.bandwidth()).contains(new Bandwidth(10_000_000, 4_294_967_295L, 0, 0));
  }

  @Test
  void calicos_own_configuration_applies_unchanged() throws CniException {
    NetConf conf =
        parse(
            "{\"name\":\"k8s-pod-network\",\"cniVersion\":\"0.3.1\",\"type\":\"calico\",\"log_level\":\"info\",\"datastore_type\":\"etcdv3\","
                + "\"etcd_endpoints\":\"http://127.0.0.1:2379\",\"mtu\":0,\"nodename\":\"n1\",\"ipam\":{\"type\":\"calico-ipam\","
                + "\"assign_ipv4\":\"true\",\"assign_ipv6\":\"true\",\"ipv4_pools\":[\"10.0.0.0/16\"]},\"policy\":{\"type\":\"k8s\"},"
                + "\"kubernetes\":{\"kubeconfig\":\"x\"},\"container_settings\":{\"allow_ip_forwarding\":false}}");
    assertThat(conf.unknownKeys()).isEmpty();
    assertThat(conf.ipam().ipv4Pools()).containsExactly("10.0.0.0/16");
  }

  @Test
  void labels_come_from_args_as_the_conventions_have_them() throws CniException {
    assertThat(
            parse(
                    "{\"name\":\"n\",\"args\":{\"cni\":{\"labels\":[{\"key\":\"app\",\"value\":\"web\"}]}}}")
                .labels())
        .containsEntry("app", "web");
  }

  @Test
  void valid_attachments_tell_absent_empty_and_null_apart() throws CniException {
    assertThat(parse("{\"name\":\"n\"}").validAttachments()).isEmpty();
    assertThat(parse("{\"name\":\"n\",\"cni.dev/valid-attachments\":null}").validAttachments())
        .contains(Set.of());
    assertThat(parse("{\"name\":\"n\",\"cni.dev/attachments\":[]}").validAttachments())
        .contains(Set.of());
    assertThat(
            parse(
                    "{\"name\":\"n\",\"cni.dev/valid-attachments\":[{\"containerID\":\"c\",\"ifname\":\"eth0\"}]}")
                .validAttachments())
        .contains(Set.of(new AttachmentId("c", new InterfaceName("eth0"))));
  }

  @Test
  void a_previous_result_of_any_version_is_read() throws CniException {
    CniResult old =
        parse(
                "{\"name\":\"n\",\"cniVersion\":\"0.2.0\",\"prevResult\":{\"ip4\":{\"ip\":\"10.0.0.5/32\",\"gateway\":\"10.0.0.1\"},\"ip6\":{\"ip\":\"fd00::5/128\"}}}")
            .prevResult()
            .orElseThrow();
    assertThat(old.ips())
        .containsExactly(
            new CniResult.Ip(
                IpAddress.parse("10.0.0.5"),
                32,
                Optional.of(IpAddress.parse("10.0.0.1")),
                CniResult.NO_INTERFACE),
            new CniResult.Ip(
                IpAddress.parse("fd00::5"), 128, Optional.empty(), CniResult.NO_INTERFACE));
    CniResult wrapped =
        parse(
                "{\"name\":\"n\",\"cniVersion\":\"1.0.0\",\"prevResult\":{\"cniVersion\":\"1.0.0\",\"ips\":[{\"address\":\"10.0.0.5/24\",\"interface\":-7}]}}")
            .prevResult()
            .orElseThrow();
    assertThat(wrapped.ips().getFirst().interfaceIndex())
        .as("negative means none")
        .isEqualTo(CniResult.NO_INTERFACE);
  }

  static Stream<Arguments> wrong() {
    return Stream.of(
        Arguments.of("{}", 7, "name"),
        Arguments.of("{\"name\":\"\",\"cniVersion\":\"9\"}", 7, "name"),
        Arguments.of("{\"name\":\"-n\"}", 7, "name"),
        Arguments.of("{\"name\":{}}", 7, "name"),
        Arguments.of("{\"name\":\"n\",\"cniVersion\":\"1.0.1\",\"mtu\":\"x\"}", 1, "1.0.1"),
        Arguments.of("{\"name\":\"n\",\"mtu\":\"1400\"}", 7, "mtu"),
        Arguments.of("{\"name\":\"n\",\"mtu\":68}", 7, "mtu"),
        Arguments.of("{\"name\":\"n\",\"mtu\":1.5}", 7, "mtu"),
        Arguments.of("{\"name\":\"n\",\"ipam\":{\"type\":\"../host-local\"}}", 7, "ipam.type"),
        Arguments.of("{\"name\":\"n\",\"ipam\":{\"type\":\"..\"}}", 7, "ipam.type"),
        Arguments.of("{\"name\":\"n\",\"ipam\":[]}", 7, "ipam"),
        Arguments.of("{\"name\":\"n\",\"ipam\":{\"assign_ipv4\":\"yes\"}}", 7, "ipam.assign_ipv4"),
        Arguments.of(
            "{\"name\":\"n\",\"runtimeConfig\":{\"ips\":[\"host.example\"]}}",
            7,
            "runtimeConfig.ips"),
        Arguments.of(
            "{\"name\":\"n\",\"runtimeConfig\":{\"mac\":\"01:00:00:00:00:01\"}}",
            7,
            "runtimeConfig.mac"),
        Arguments.of(
            "{\"name\":\"n\",\"args\":{\"cni\":{\"labels\":[{\"value\":\"v\"}]}}}", 7, "labels"),
        Arguments.of(
            "{\"name\":\"n\",\"prevResult\":{\"cniVersion\":\"1.0.0\",\"ips\":[{\"address\":\"10.0.0.1/33\"}]}}",
            7,
            "prevResult.ips[0].address"),
        Arguments.of("{\"name\":\"n\",\"strict\":true,\"colour\":\"red\"}", 2, "colour"),
        Arguments.of(
            "{\"name\":\"n\",\"cni.dev/valid-attachments\":[{\"containerID\":\"c\"}]}",
            7,
            "valid-attachments"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("wrong")
  void a_wrong_value_names_its_key_path(String json, int code, String named) {
    assertThatThrownBy(() -> parse(json))
        .isInstanceOfSatisfying(
            CniException.class,
            failure -> {
              assertThat(failure.error().code()).as(failure.getMessage()).isEqualTo(code);
              assertThat(failure.error().msg()).contains(named);
            });
  }

  @Test
  void unknown_keys_are_reported_unless_strict() throws CniException {
    assertThat(parse("{\"name\":\"n\",\"colour\":\"red\"}").unknownKeys())
        .containsExactly("colour");
  }

  @Test
  void json_is_bounded() {
    String deep = "{\"a\":" + "[".repeat(80) + "]".repeat(80) + "}";
    for (byte[] octets :
        new byte[][] {
          new byte[CniJson.MAX_OCTETS + 1],
          deep.getBytes(StandardCharsets.UTF_8),
          {},
          "[]".getBytes(StandardCharsets.UTF_8),
          "{} {}".getBytes(StandardCharsets.UTF_8)
        }) {
      assertThatThrownBy(() -> CniJson.parse(octets))
          .isInstanceOfSatisfying(
              CniException.class, failure -> assertThat(failure.error().code()).isEqualTo(6));
    }
  }
}
