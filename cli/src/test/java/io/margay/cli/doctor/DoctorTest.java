package io.margay.cli.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.json.JsonMapper;
import io.margay.cli.doctor.Finding.Severity;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DoctorTest {

  @TempDir Path folder;

  private void sysctl(String name, String value) throws IOException {
    Path file = folder.resolve(name);
    Files.createDirectories(file.getParent());
    Files.writeString(file, value + "\n");
  }

  @Test
  void settings_that_stop_packets_are_named_with_the_way_out() throws Exception {
    sysctl("net/ipv4/ip_forward", "0");
    sysctl("net/ipv6/conf/all/forwarding", "1");
    sysctl("net/ipv4/conf/all/rp_filter", "1");
    sysctl("net/ipv4/fib_multipath_hash_policy", "1");
    sysctl("net/ipv6/fib_multipath_hash_policy", "1");
    sysctl("net/ipv4/fib_multipath_use_neigh", "0");
    List<Finding> findings = HostChecks.settings(folder);
    assertThat(findings)
        .extracting(Finding::severity)
        .containsExactly(
            Severity.ERROR,
            Severity.OK,
            Severity.OK,
            Severity.OK,
            Severity.WARNING,
            Severity.WARNING);
    assertThat(findings.get(4).fix()).contains("sysctl -w net.ipv4.fib_multipath_use_neigh=1");
    assertThat(findings.getFirst().fix()).contains("sysctl -w net.ipv4.ip_forward=1");
    sysctl("net/ipv4/ip_forward", "1");
    sysctl("net/ipv4/conf/all/rp_filter", "2");
    sysctl("net/ipv4/fib_multipath_use_neigh", "1");
    assertThat(HostChecks.settings(folder)).extracting(Finding::severity).containsOnly(Severity.OK);
  }

  @Test
  void a_kernel_without_ipv6_lacks_nothing() throws Exception {
    sysctl("net/ipv4/ip_forward", "1");
    sysctl("net/ipv4/conf/all/rp_filter", "2");
    sysctl("net/ipv4/fib_multipath_hash_policy", "1");
    sysctl("net/ipv4/fib_multipath_use_neigh", "1");
    List<Finding> findings = HostChecks.settings(folder);
    assertThat(findings).extracting(Finding::severity).containsOnly(Severity.OK);
    assertThat(findings)
        .extracting(Finding::what)
        .contains("this kernel has no IPv6; pods have IPv4 alone");
  }

  @Test
  void a_strict_check_of_the_way_back_is_found_where_it_is_in_force() throws Exception {
    for (Case each :
        List.of(
            new Case("0", "0", Severity.OK),
            new Case("0", "1", Severity.WARNING),
            new Case("0", "2", Severity.OK),
            new Case("1", "0", Severity.WARNING),
            new Case("1", "2", Severity.WARNING),
            new Case("2", "1", Severity.OK))) {
      sysctl("net/ipv4/conf/all/rp_filter", each.all);
      sysctl("net/ipv4/conf/lo/rp_filter", each.all);
      sysctl("net/ipv4/conf/cali1/rp_filter", "1");
      sysctl("net/ipv4/conf/default/rp_filter", "1");
      sysctl("net/ipv4/conf/eth0/rp_filter", each.own);
      Finding finding = HostChecks.settings(folder).getLast();
      assertThat(finding.severity()).as(each.toString()).isEqualTo(each.found);
      if (each.found == Severity.WARNING) {
        assertThat(finding.what()).contains(each.all.equals("0") ? ".eth0." : ".all.");
      }
    }
  }

  private record Case(String all, String own, Severity found) {}

  @Test
  void an_agent_answers_or_not() throws Exception {
    Path socket = folder.resolve("cni.sock");
    assertThat(HostChecks.agent(socket).severity()).isEqualTo(Severity.ERROR);
    try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      server.bind(UnixDomainSocketAddress.of(socket));
      assertThat(HostChecks.agent(socket).severity()).isEqualTo(Severity.OK);
    }
    assertThat(HostChecks.agent(socket).severity()).isEqualTo(Severity.ERROR);
  }

  @Test
  void findings_are_printed_for_people_and_for_scripts() throws Exception {
    List<Finding> findings =
        List.of(Finding.ok("agent", "fine"), Finding.error("tables", "gone", "open", "start it"));
    assertThat(DoctorCommand.text(findings))
        .isEqualTo(
            """
            ok       agent            fine
            error    tables           gone
                                      why: open
                                      fix: start it
            """);
    assertThat(new JsonMapper().readTree(DoctorCommand.json(findings)).get(1).toString())
        .isEqualTo(
            "{\"severity\":\"error\",\"check\":\"tables\",\"what\":\"gone\",\"why\":\"open\","
                + "\"fix\":\"start it\"}");
  }
}
