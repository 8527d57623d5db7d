package io.margay.cni.spec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.margay.model.net.IpAddress;
import io.margay.model.net.MacAddress;
import io.margay.model.net.Prefix;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class CniResultTest {

  private static final CniResult DUAL =
      new CniResult(
          List.of(
              new CniResult.Interface(
                  "cali1", Optional.of(MacAddress.parse("ee:ee:ee:ee:ee:ee")), 1500, ""),
              new CniResult.Interface(
                  "eth0",
                  Optional.of(MacAddress.parse("02:00:00:00:00:01")),
                  1500,
                  "/var/run/netns/x")),
          List.of(
              new CniResult.Ip(IpAddress.parse("10.65.0.7"), 32, Optional.empty(), 1),
              new CniResult.Ip(IpAddress.parse("fd00:65::7"), 128, Optional.empty(), 1)),
          List.of(
              new CniResult.Route(
                  Prefix.parse("0.0.0.0/0"), Optional.of(IpAddress.parse("169.254.1.1"))),
              new CniResult.Route(Prefix.parse("::/0"), Optional.of(IpAddress.parse("fe80::1")))));

  private static final String ROUTES =
      "\"routes\":[{\"dst\":\"0.0.0.0/0\",\"gw\":\"169.254.1.1\"},{\"dst\":\"::/0\",\"gw\":\"fe80::1\"}]";

  @Test
  void version_1_1_has_the_mtu() throws CniException {
    assertThat(DUAL.toJson(CniVersion.V1_1_0).toString())
        .isEqualTo(
            "{\"cniVersion\":\"1.1.0\",\"interfaces\":[{\"name\":\"cali1\",\"mac\":\"ee:ee:ee:ee:ee:ee\",\"mtu\":1500},"
                + "{\"name\":\"eth0\",\"mac\":\"02:00:00:00:00:01\",\"mtu\":1500,\"sandbox\":\"/var/run/netns/x\"}],"
                + "\"ips\":[{\"address\":\"10.65.0.7/32\",\"interface\":1},{\"address\":\"fd00:65::7/128\",\"interface\":1}],"
                + ROUTES
                + "}");
  }

  @Test
  void version_1_0_has_not() throws CniException {
    assertThat(DUAL.toJson(CniVersion.V1_0_0).toString())
        .doesNotContain("mtu", "\"version\"", "dns")
        .contains("\"cniVersion\":\"1.0.0\"");
  }

  @ParameterizedTest
  @EnumSource(names = {"V0_3_0", "V0_3_1", "V0_4_0"})
  void versions_0_3_and_0_4_name_the_family_of_each_address_and_always_have_dns(CniVersion version)
      throws CniException {
    assertThat(DUAL.toJson(version).toString())
        .isEqualTo(
            "{\"cniVersion\":\""
                + version
                + "\",\"interfaces\":[{\"name\":\"cali1\",\"mac\":\"ee:ee:ee:ee:ee:ee\"},"
                + "{\"name\":\"eth0\",\"mac\":\"02:00:00:00:00:01\",\"sandbox\":\"/var/run/netns/x\"}],"
                + "\"ips\":[{\"version\":\"4\",\"address\":\"10.65.0.7/32\",\"interface\":1},"
                + "{\"version\":\"6\",\"address\":\"fd00:65::7/128\",\"interface\":1}],"
                + ROUTES
                + ",\"dns\":{}}");
  }

  @ParameterizedTest
  @EnumSource(names = {"V0_1_0", "V0_2_0"})
  void versions_0_1_and_0_2_have_one_address_a_family(CniVersion version) throws CniException {
    assertThat(DUAL.toJson(version).toString())
        .isEqualTo(
            "{\"cniVersion\":\""
                + version
                + "\",\"ip4\":{\"ip\":\"10.65.0.7/32\",\"routes\":[{\"dst\":\"0.0.0.0/0\",\"gw\":\"169.254.1.1\"}]},"
                + "\"ip6\":{\"ip\":\"fd00:65::7/128\",\"routes\":[{\"dst\":\"::/0\",\"gw\":\"fe80::1\"}]},\"dns\":{}}");
  }

  @Test
  void without_an_address_the_old_shape_is_an_error() {
    CniResult empty = new CniResult(List.of(), List.of(), List.of());
    assertThatThrownBy(() -> empty.toJson(CniVersion.V0_2_0)).isInstanceOf(CniException.class);
  }

  @ParameterizedTest
  @EnumSource
  void every_version_reads_back_what_it_can_say(CniVersion version) throws CniException {
    ObjectNode json = DUAL.toJson(version);
    CniResult back = ResultJson.read(new ConfNode(json, "prevResult"), CniVersion.NEWEST);
    assertThat(back.routes()).isEqualTo(DUAL.routes());
    assertThat(back.ips())
        .extracting(CniResult.Ip::cidr)
        .containsExactly("10.65.0.7/32", "fd00:65::7/128");
    assertThat(back.toJson(version)).isEqualTo(json);
  }

  @Test
  void verbs_are_known_from_their_version_on() {
    assertThat(CniVersion.V0_3_1.knows(CniVerb.CHECK)).isFalse();
    assertThat(CniVersion.V0_4_0.knows(CniVerb.CHECK)).isTrue();
    assertThat(CniVersion.V1_0_0.knows(CniVerb.STATUS)).isFalse();
    assertThat(CniVersion.V1_1_0.knows(CniVerb.GC)).isTrue();
  }
}
