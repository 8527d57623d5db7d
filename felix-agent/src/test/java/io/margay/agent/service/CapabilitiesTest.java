package io.margay.agent.service;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class CapabilitiesTest {

  @Test
  void what_is_lacking_is_named_with_what_it_is_for() {
    assertThat(Capabilities.missing(List.of("Name:\tjava", "CapEff:\t000001ffffffffff"))).isEmpty();
    assertThat(Capabilities.missing(List.of("CapEff:\t0000000000200400")))
        .contains(
            "this process lacks CAP_NET_ADMIN, needed for routes, links, nftables and sysctls of"
                + " the network");
    assertThat(Capabilities.missing(List.of("CapEff:\t0000000000000000")).orElseThrow())
        .contains("CAP_NET_BIND_SERVICE", "CAP_NET_ADMIN", "CAP_SYS_ADMIN");
    assertThat(Capabilities.missing(List.of("Name:\tjava"))).isEmpty();
  }

  @Test
  void the_unit_grants_these_and_no_others() throws Exception {
    String line =
        Files.readAllLines(
                Path.of(System.getProperty("margay.root", ".."), "deploy/systemd/margay.service"))
            .stream()
            .filter(text -> text.startsWith("CapabilityBoundingSet="))
            .findFirst()
            .orElseThrow();
    assertThat(List.of(line.substring(line.indexOf('=') + 1).split(" ")))
        .containsExactlyInAnyOrderElementsOf(
            Arrays.stream(Capabilities.values())
                .map(Capabilities::name)
                .collect(Collectors.toList()));
  }
}
