package io.margay.cli.doctor;

import io.margay.agent.birth.HostSysctls;
import io.margay.linux.netns.Sysctl;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;

/// Looks at the kernel's settings and at the agent.
final class HostChecks {

  private static final String FORWARDING = "forwarding";
  private static final String REVERSE_PATH = "reverse-path";
  private static final String MULTIPATH = "multipath";
  private static final String AGENT = "agent";

  /// What stands beside links' names, and the link by which no router sends.
  private static final Set<String> NO_UPLINKS = Set.of("all", "default", "lo");

  private static final String POD_PREFIX = "cali";

  private HostChecks() {}

  /// @param sysctls the folder of kernel settings, `/proc/sys`
  static List<Finding> settings(Path sysctls) {
    List<Finding> findings = new ArrayList<>();
    findings.add(forwarding(sysctls, "net/ipv4/ip_forward", "IPv4"));
    boolean speaksIpv6 = Files.isDirectory(sysctls.resolve("net/ipv6/conf"));
    findings.add(
        speaksIpv6
            ? forwarding(sysctls, "net/ipv6/conf/all/forwarding", "IPv6")
            : Finding.ok(FORWARDING, "this kernel has no IPv6; pods have IPv4 alone"));
    HostSysctls.wanted()
        .forEach(
            (setting, wanted) -> {
              boolean isThere = speaksIpv6 || !setting.segments().getFirst().equals("ipv6");
              if (isThere && !HostSysctls.isNeeded(setting)) {
                findings.add(balance(sysctls, setting, wanted));
              }
            });
    findings.add(reversePath(sysctls.resolve("net/ipv4/conf")));
    return findings;
  }

  private static Finding forwarding(Path sysctls, String setting, String family) {
    String name = setting.replace('/', '.');
    String value = read(sysctls.resolve(setting));
    return value.equals("1")
        ? Finding.ok(FORWARDING, family + " is forwarded")
        : Finding.error(
            FORWARDING,
            name + " is " + value,
            family + " packets from and to pods are not forwarded",
            "sysctl -w " + name + "=1; the agent sets it at its start, so something else reset it");
  }

  private static Finding balance(Path sysctls, Sysctl setting, String wanted) {
    String value = read(sysctls.resolve("net").resolve(String.join("/", setting.segments())));
    return value.equals(wanted)
        ? Finding.ok(MULTIPATH, setting + " is " + value)
        : Finding.warning(
            MULTIPATH,
            setting + " is " + value,
            "of several equal ways some are used more than others, or one whose router is dead",
            "sysctl -w "
                + setting
                + "="
                + wanted
                + "; the agent sets it at its start, so something else reset it, or this kernel has"
                + " none");
  }

  /// @param links the folder of all links' settings
  private static Finding reversePath(Path links) {
    Map<String, String> byLink = new TreeMap<>();
    for (String link : names(links)) {
      if (!NO_UPLINKS.contains(link) && !link.startsWith(POD_PREFIX)) {
        byLink.put(link, read(links.resolve(link).resolve("rp_filter")));
      }
    }
    String all = read(links.resolve("all/rp_filter"));
    return HostSysctls.strictReversePath(all, byLink)
        .map(
            strict ->
                Finding.warning(
                    REVERSE_PATH,
                    strict + " is 1 (strict)",
                    "with several uplinks, packets that come by another than the best way back are"
                        + " dropped without a trace",
                    "sysctl -w net.ipv4.conf.all.rp_filter=2, which counts for every link; the"
                        + " agent sets it at its start, so something else reset it"))
        .orElseGet(
            () ->
                Finding.ok(
                    REVERSE_PATH,
                    "net.ipv4.conf.all.rp_filter is " + all + ", and no link's check is strict"));
  }

  private static List<String> names(Path folder) {
    try (Stream<Path> entries = Files.list(folder)) {
      return entries.map(entry -> entry.getFileName().toString()).toList();
    } catch (IOException absent) {
      return List.of();
    }
  }

  private static String read(Path setting) {
    try {
      return Files.readString(setting).strip();
    } catch (IOException absent) {
      return "not there";
    }
  }

  /// @param socket where the agent serves CNI
  static Finding agent(Path socket) {
    try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      channel.connect(UnixDomainSocketAddress.of(socket));
      return Finding.ok(AGENT, "the agent takes requests at " + socket);
    } catch (IOException refused) {
      return Finding.error(
          AGENT,
          "nobody answers at " + socket + ": " + refused.getMessage(),
          "pods can't be started or stopped on this node, and policy changes don't reach it",
          "start margay agent, or see in its log why it is not ready");
    }
  }
}
