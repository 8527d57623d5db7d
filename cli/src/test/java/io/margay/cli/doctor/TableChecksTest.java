package io.margay.cli.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.cli.doctor.Finding.Severity;
import io.margay.linux.netns.Netns;
import io.margay.linux.nft.KernelNftables;
import io.margay.linux.nft.NftChain;
import io.margay.linux.nft.NftHook;
import io.margay.linux.nft.NftTable;
import io.margay.model.net.IpFamily;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// What `margay doctor` says of real tables.
@Tag("netns")
final class TableChecksTest {

  private final String name = "mgyt-doctor-" + ProcessHandle.current().pid();
  private Netns namespace;

  @BeforeEach
  void raise() throws Exception {
    run("ip", "netns", "add", name);
    namespace = Netns.open(Path.of("/run/netns", name));
  }

  @AfterEach
  void clean() throws Exception {
    namespace.close();
    run("ip", "netns", "del", name);
  }

  private static void run(String... command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as("%s: %s", List.of(command), output).isZero();
  }

  private List<Finding> findings() throws Exception {
    try (KernelNftables kernel = KernelNftables.openIn(namespace.fd())) {
      return TableChecks.all(kernel);
    }
  }

  @Test
  void a_node_without_our_tables_is_told_so() throws Exception {
    assertThat(findings())
        .filteredOn(finding -> finding.severity() == Severity.ERROR)
        .extracting(Finding::what)
        .containsExactly("there is no table ip margay", "there is no table ip6 margay");
  }

  @Test
  void chains_that_would_drop_what_we_accept_are_named_with_a_way_out() throws Exception {
    try (NftTable table =
        new NftTable(
            KernelNftables.openIn(namespace.fd()), "margay", NftTable.Ownership.WHERE_PERSISTENT)) {
      for (IpFamily family : IpFamily.values()) {
        NftHook hook = new NftHook(NftHook.Type.FILTER, NftHook.Point.FORWARD, -10);
        table.putChain(family, new NftChain("ingress", hook, List.of()));
      }
      table.apply();
      assertThat(findings()).extracting(Finding::severity).containsOnly(Severity.OK);
      assertThat(findings().getFirst().what()).contains("owned by a running agent");

      for (String rule :
          List.of(
              "add table ip filter",
              "add chain ip filter FORWARD { type filter hook forward priority 0; policy drop; }",
              "add chain ip filter INPUT { type filter hook input priority 0; policy drop; }",
              "add table inet firewalld",
              "add chain inet firewalld forwarded { type filter hook forward priority 10; }",
              "add rule inet firewalld forwarded counter reject with icmpx admin-prohibited",
              "add table inet harmless",
              "add chain inet harmless forwarded { type filter hook forward priority 5; }",
              "add rule inet harmless forwarded tcp dport 25 drop")) {
        run("ip", "netns", "exec", name, "nft", rule);
      }
      List<Finding> warnings =
          findings().stream().filter(f -> f.severity() == Severity.WARNING).toList();
      assertThat(warnings)
          .extracting(Finding::what)
          .containsExactlyInAnyOrder(
              "chain FORWARD of table ip filter (forward, priority 0): its policy is drop",
              "chain forwarded of table inet firewalld (forward, priority 10): its last rule"
                  + " rejects everything");
      assertThat(warnings).allSatisfy(warning -> assertThat(warning.fix()).isNotEmpty());
    }
  }

  @Test
  void a_kernel_that_cannot_own_tables_is_a_warning() {
    assertThat(TableChecks.ownership(false).severity()).isEqualTo(Severity.WARNING);
    assertThat(TableChecks.ownership(true).severity()).isEqualTo(Severity.OK);
  }
}
