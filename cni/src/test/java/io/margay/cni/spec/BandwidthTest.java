package io.margay.cni.spec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

final class BandwidthTest {

  private static NetConf parse(String rest) throws CniException {
    return NetConf.parse(
        CniJson.parse(("{\"name\":\"n\"," + rest + "}").getBytes(StandardCharsets.UTF_8)));
  }

  private static NetConf parsePod(String bandwidth) throws CniException {
    return parse("\"runtimeConfig\":{\"bandwidth\":" + bandwidth + "}");
  }

  @Test
  void each_direction_is_read_alone() throws CniException {
    assertThat(parsePod("{\"IngressRate\":10000000,\"IngressBurst\":4294967295}").bandwidth())
        .contains(new Bandwidth(10_000_000, 4_294_967_295L, 0, 0));
    assertThat(parsePod("{\"egressRate\":8000,\"egressBurst\":16000}").bandwidth())
        .contains(new Bandwidth(0, 0, 8000, 16_000));
  }

  @Test
  void zeros_and_absence_limit_nothing() throws CniException {
    assertThat(parsePod("null").bandwidth()).isEmpty();
    assertThat(parsePod("{}").bandwidth()).isEmpty();
    assertThat(
            parsePod("{\"ingressRate\":0,\"ingressBurst\":0,\"egressRate\":0,\"egressBurst\":null}")
                .bandwidth())
        .isEmpty();
  }

  @Test
  void the_networks_own_limits_stand_above_the_pods() throws CniException {
    NetConf conf =
        parse(
            "\"ingressRate\":1000,\"ingressBurst\":2000,\"strict\":true,"
                + "\"runtimeConfig\":{\"bandwidth\":{\"egressRate\":9000,\"egressBurst\":9000}}");
    assertThat(conf.bandwidth()).isEqualTo(Optional.of(new Bandwidth(1000, 2000, 0, 0)));
    assertThat(conf.unknownKeys()).isEmpty();
  }

  static Stream<Arguments> wrong() {
    return Stream.of(
        Arguments.of("[]", "runtimeConfig.bandwidth: [] found, an object expected"),
        Arguments.of(
            "{\"ingressRate\":1000}",
            "runtimeConfig.bandwidth.ingressBurst: missing, the burst in bits that goes with"
                + " ingressRate 1000 expected"),
        Arguments.of(
            "{\"egressBurst\":1000}",
            "runtimeConfig.bandwidth.egressRate: missing, the rate in bits a second that goes with"
                + " egressBurst 1000 expected"),
        Arguments.of(
            "{\"egressRate\":1000,\"egressBurst\":7}",
            "bandwidth.egressBurst: 7 found, the burst in bits"),
        Arguments.of(
            "{\"egressRate\":7,\"egressBurst\":1000}",
            "bandwidth.egressRate: 7 found, 0 or at least 8 bits a second expected"),
        Arguments.of("{\"egressRate\":-1}", "bandwidth.egressRate: -1 found, a whole number"),
        Arguments.of("{\"egressRate\":\"1M\"}", "bandwidth.egressRate: \"1M\" found"),
        Arguments.of("{\"egressRate\":1.5}", "bandwidth.egressRate: 1.5 found"),
        Arguments.of(
            "{\"egressRate\":1000,\"egressBurst\":34359738361}",
            "bandwidth.egressBurst: 34359738361 found, a whole number from 0 to 34359738360"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("wrong")
  void a_wrong_limit_names_key_value_and_what_is_expected(String json, String message) {
    assertThatThrownBy(() -> parsePod(json))
        .isInstanceOfSatisfying(
            CniException.class,
            failure -> {
              assertThat(failure.error().code()).isEqualTo(CniError.BAD_CONFIG);
              assertThat(failure.error().msg()).contains(message);
            });
  }
}
