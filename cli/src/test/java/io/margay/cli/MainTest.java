package io.margay.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class MainTest {

  @Test
  void a_command_that_is_a_method_gets_its_own_arguments() {
    assertThat(Main.run(new String[] {"lab", "list"})).isZero();
  }

  @Test
  void every_command_explains_itself() {
    assertThat(Main.run(new String[] {"lab", "up", "--help"})).isZero();
    assertThat(Main.run(new String[] {"bgp", "rib", "--help"})).isZero();
    assertThat(Main.run(new String[] {"bgpd", "--help"})).isZero();
    assertThat(Main.run(new String[] {"apply", "-h"})).isZero();
  }

  @Test
  void each_command_that_help_lists_can_be_run_alone() {
    for (String name : Main.names()) {
      assertThat(Main.run(new String[] {name, "--help"})).as(name).isZero();
    }
  }

  @Test
  void a_typo_is_a_usage_error() {
    assertThat(Main.run(new String[] {"lab", "lst"})).isEqualTo(ExitCodes.USAGE);
  }
}
