package io.margay.linux.netns;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SysctlTest {

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "ipv4",
        "../kernel/core_pattern",
        "ipv4/../../kernel/x",
        "ipv4//x",
        "/ipv4/x",
        "a/b c"
      })
  void a_path_out_of_the_network_tree_is_refused(String path) {
    assertThatThrownBy(() -> Sysctl.of(path)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void it_prints_as_the_sysctl_tool_names_it() {
    assertThat(Sysctl.of("ipv4/conf/all/rp_filter")).hasToString("net.ipv4.conf.all.rp_filter");
  }
}
