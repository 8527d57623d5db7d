package io.margay.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
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

  /// calicoctl's options for all commands, before the command and after it.
  @Test
  void what_scripts_tell_calicoctl_is_no_error() {
    for (String command : List.of("get", "version", "validate")) {
      assertThat(Main.run(new String[] {"-l", "debug", "--context=c", command, "--help"})).isZero();
    }
    assertThat(
            Main.run(
                new String[] {
                  "--allow-version-mismatch", "version", "--client", "--log-level", "info"
                }))
        .isZero();
    assertThat(Main.run(new String[] {"ipam", "check", "--kubeconfig=k", "-l", "info", "-h"}))
        .isZero();
    assertThat(Main.run(new String[] {"node", "checksystem", "--allow-version-mismatch", "-h"}))
        .isZero();
  }

  @Test
  void a_typo_is_a_usage_error() {
    assertThat(Main.run(new String[] {"lab", "lst"})).isEqualTo(ExitCodes.USAGE);
  }
}
