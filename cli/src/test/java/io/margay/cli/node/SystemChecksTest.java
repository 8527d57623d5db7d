package io.margay.cli.node;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/// Machines made of files.
class SystemChecksTest {

  @TempDir private Path root;

  @BeforeEach
  void machine() throws IOException {
    file("proc/sys/kernel/osrelease", "6.1.0-42-amd64\n");
    file("proc/sys/net/ipv4/ip_forward", "0\n");
    file("proc/sys/net/ipv6/conf/all/forwarding", "1\n");
    file("proc/sys/net/ipv4/conf/all/rp_filter", "2\n");
    file("proc/modules", "nf_tables 290816 1 nft_ct, Live 0x0000000000000000\n");
    file(
        "lib/modules/6.1.0-42-amd64/modules.dep",
        """
        kernel/net/netfilter/nft_ct.ko.xz: kernel/net/netfilter/nf_tables.ko.xz
        kernel/net/netfilter/nft_masq.ko:
        kernel/net/netfilter/nft_nat.ko:
        kernel/drivers/net/veth.ko.zst:
        """);
    Path config = root.resolve("proc/config.gz");
    try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(config))) {
      out.write(
          """
          CONFIG_IPV6=y
          CONFIG_NF_CONNTRACK=y
          CONFIG_NF_CT_NETLINK=y
          CONFIG_NFT_LIMIT=y
          CONFIG_NFT_LOG=y
          CONFIG_NET_SCH_TBF=m
          """
              .getBytes(StandardCharsets.UTF_8));
    }
  }

  private void file(String name, String content) throws IOException {
    Path file = root.resolve(name);
    Files.createDirectories(file.getParent());
    Files.writeString(file, content);
  }

  private SystemChecks.Check check(String name) throws IOException {
    List<SystemChecks.Check> found =
        SystemChecks.of(root, Optional.empty()).stream()
            .filter(check -> check.name().equals(name))
            .toList();
    assertThat(found).hasSize(1);
    return found.getFirst();
  }

  @Test
  void parts_are_found_loaded_built_in_and_on_disk() throws IOException {
    assertThat(check("nf_tables").detail()).isEqualTo("loaded");
    assertThat(check("nft_limit").detail()).isEqualTo("built in");
    assertThat(check("veth").detail()).isEqualTo("can be loaded");
    assertThat(check("net.ipv4.ip_forward").detail()).isEqualTo("is 0");
    assertThat(SystemChecks.isEnough(SystemChecks.of(root, Optional.empty()))).isTrue();
  }

  @Test
  void what_is_optional_may_be_missing() throws IOException {
    assertThat(check("sch_tbf").outcome()).isEqualTo(SystemChecks.Outcome.WARNING);
  }

  @Test
  void a_missing_part_fails_and_says_what_it_is_for() throws IOException {
    file("lib/modules/6.1.0-42-amd64/modules.dep", "");

    assertThat(check("veth"))
        .isEqualTo(
            new SystemChecks.Check(
                "kernel modules",
                "veth",
                SystemChecks.Outcome.FAILED,
                "neither loaded, built in nor to be loaded, as far as can be seen; needed for"
                    + " pods"));
  }

  @Test
  void a_kernels_configuration_can_be_named() throws IOException {
    file("lib/modules/6.1.0-42-amd64/modules.dep", "");
    file(
        "elsewhere/config",
        """
        CONFIG_IPV6=y
        CONFIG_NF_CONNTRACK=y
        CONFIG_NF_CT_NETLINK=y
        CONFIG_NFT_CT=m
        CONFIG_NFT_LIMIT=y
        CONFIG_NFT_LOG=y
        CONFIG_NFT_MASQ=m
        CONFIG_NFT_NAT=m
        CONFIG_VETH=m
        """);
    assertThat(run()).isEqualTo(1);
    String config = root.resolve("elsewhere/config").toString();
    assertThat(run("-f", config)).isZero();
    assertThat(run("--kernel-config=" + config)).isZero();
    assertThat(run("-f", config + ".not-there")).isEqualTo(2);
  }

  @Test
  void an_old_kernel_fails() throws IOException {
    file("proc/sys/kernel/osrelease", "5.10.0-8\n");

    assertThat(check("5.10.0-8").detail()).isEqualTo("at least 5.15 is needed");
  }

  @Test
  void the_exit_code_says_whether_all_is_there() throws IOException {
    assertThat(run()).isZero();
    file("proc/modules", "");
    file("lib/modules/6.1.0-42-amd64/modules.dep", "");
    assertThat(run()).isEqualTo(1);
  }

  private int run(String... arguments) {
    CommandLine line = new CommandLine(new NodeCommand()).setCaseInsensitiveEnumValuesAllowed(true);
    line.setOut(new PrintWriter(new StringWriter()));
    line.setErr(new PrintWriter(new StringWriter()));
    List<String> all =
        new ArrayList<>(List.of("checksystem", "--root", root.toString(), "-o", "json"));
    all.addAll(List.of(arguments));
    return line.execute(all.toArray(String[]::new));
  }
}
