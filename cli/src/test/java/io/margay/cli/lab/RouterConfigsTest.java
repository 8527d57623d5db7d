package io.margay.cli.lab;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The files routers are given, as golden files in `src/test/resources/golden`.
class RouterConfigsTest {

  private static final Path ROOT =
      Path.of(
          System.getProperty("margay.root", Path.of("..").toAbsolutePath().normalize().toString()));
  private static final Path GOLDEN = ROOT.resolve("cli/src/test/resources/golden");

  @ParameterizedTest
  @CsvSource({
    "rack.yaml, bird, rack-tor1.bird.conf",
    "dual-tor.yaml, bird, dual-tor-tor1.bird.conf",
    "dual-tor.yaml, frr, dual-tor-tor1.bgpd.conf",
    "dual-tor.yaml, zebra, dual-tor-tor1.zebra.conf",
    "rack.yaml, gobgp, rack-tor1.gobgpd.toml",
    "dual-tor.yaml, agent, dual-tor-node2.agent.yaml",
    "dual-tor.yaml, resources, dual-tor.resources.yaml",
    "dual-tor-bfd.yaml, bird, dual-tor-bfd-tor1.bird.conf",
    "dual-tor-bfd.yaml, frr, dual-tor-bfd-tor1.bgpd.conf",
    "dual-tor-bfd.yaml, resources, dual-tor-bfd.resources.yaml",
    "as-per-rack.yaml, bird, as-per-rack-spine.bird.conf",
    "as-per-rack.yaml, resources, as-per-rack.resources.yaml",
    "reflectors.yaml, bird, reflectors-router.bird.conf",
    "reflectors.yaml, resources, reflectors.resources.yaml",
    "unnumbered.yaml, frr, unnumbered-tor1.bgpd.conf",
    "unnumbered.yaml, resources, unnumbered.resources.yaml",
    "ipv6-only.yaml, bird, ipv6-only-tor1.bird.conf",
    "ipv6-only.yaml, agent, ipv6-only-node2.agent.yaml",
    "ipv6-only.yaml, resources, ipv6-only.resources.yaml",
    "rack.yaml, conflist, rack-node1.conflist",
    "rack.yaml, lab, rack.lab.json",
  })
  void configurations_are_those_on_record(String topology, String kind, String golden)
      throws Exception {
    LabPlan plan =
        new LabPlan(
            "x",
            Topology.read(ROOT.resolve("deploy/lab/" + topology)),
            Path.of("/run/margay-lab/x"));
    Topology.Tor tor = plan.topology().tors().getFirst();
    Topology.Node first = plan.topology().nodes().getFirst();
    String text =
        switch (kind) {
          case "bird" -> RouterConfigs.bird(plan, tor);
          case "frr" -> RouterConfigs.frr(plan, tor);
          case "zebra" -> RouterConfigs.zebra(plan, tor);
          case "gobgp" -> RouterConfigs.gobgp(plan, tor);
          case "agent" -> LabDocuments.agent(plan, plan.topology().nodes().get(1));
          case "resources" -> LabDocuments.resources(plan);
          case "conflist" -> LabDocuments.pretty(LabDocuments.conflist(plan, first));
          case "lab" ->
              LabDocuments.pretty(
                  LabState.describe(plan, new Distribution(Path.of("/opt/margay"))));
          default -> throw new IllegalArgumentException(kind);
        };
    Path file = GOLDEN.resolve(golden);
    if (Boolean.getBoolean("update-golden")) {
      Files.createDirectories(GOLDEN);
      Files.writeString(file, text);
    }
    assertThat(text).isEqualTo(Files.readString(file));
  }
}
