package io.margay.cni.spec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.margay.model.net.IpAddress;
import io.margay.model.net.MacAddress;
import org.junit.jupiter.api.Test;

final class CniArgsTest {

  @Test
  void pairs_come_in_any_order_repeat_and_hold_equals_signs() throws CniException {
    CniArgs args = CniArgs.parse("IgnoreUnknown=1;K8S_POD_NAME=a;X=b=c;K8S_POD_NAME=web-0;EMPTY=;");
    assertThat(args.get("K8S_POD_NAME")).contains("web-0");
    assertThat(args.get("X")).contains("b=c");
    assertThat(args.get("EMPTY")).isEmpty();
    assertThat(CniArgs.parse("").values()).isEmpty();
  }

  @Test
  void a_running_containers_address_and_mac_are_honoured() throws CniException {
    CniArgs args =
        CniArgs.parse(
            "IgnoreUnknown=1;K8S_POD_NAME=pbox2;MAC=02:11:22:33:44:55;IP=10.77.0.99,fd00::99");
    assertThat(args.addresses())
        .containsExactly(IpAddress.parse("10.77.0.99"), IpAddress.parse("fd00::99"));
    assertThat(args.mac()).contains(MacAddress.parse("02:11:22:33:44:55"));
  }

  @Test
  void what_is_no_pair_is_code_4() {
    assertThatThrownBy(() -> CniArgs.parse("a=b;nonsense"))
        .isInstanceOfSatisfying(
            CniException.class, failure -> assertThat(failure.error().code()).isEqualTo(4));
    assertThatThrownBy(() -> CniArgs.parse("=b")).isInstanceOf(CniException.class);
  }
}
