package io.margay.cli.node;

import io.margay.agent.NodeAgent;
import io.margay.linux.LinuxException;
import io.margay.linux.nft.KernelNftables;
import io.margay.linux.nft.NftDump;
import io.margay.linux.nft.NftException;
import io.margay.linux.nft.NftHookedChain;
import io.margay.linux.nft.NftTableName;
import io.margay.linux.route.Link;
import io.margay.linux.route.Route;
import io.margay.linux.route.Rtnetlink;
import io.margay.model.net.IpFamily;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/// The kernel's and the disk's part of a node's diagnostics, as text. Nothing is changed.
final class NodeState {

  /// Lines of the system's journal that are taken.
  private static final int LOG_LINES = 20_000;

  private static final int LOG_SECONDS = 20;

  private NodeState() {}

  /// Our tables as the kernel has them: chains with the ids of their rules, sets with their
  /// elements; and the chains of others on the same hooks.
  static String tables() throws NftException {
    StringBuilder text = new StringBuilder();
    try (KernelNftables kernel = KernelNftables.open()) {
      for (IpFamily family : IpFamily.values()) {
        NftTableName name = new NftTableName(family, NodeAgent.TABLE);
        Optional<NftDump> dump = kernel.dump(name);
        text.append("table ").append(name).append(dump.isEmpty() ? ": not there\n" : "\n");
        if (dump.isPresent()) {
          table(dump.get(), text);
          kernel.rules(name).forEach(rule -> text.append("  ").append(rule).append('\n'));
        }
      }
      text.append("hooked chains\n");
      for (NftHookedChain chain : kernel.hookedChains()) {
        text.append("  ").append(chain).append('\n');
      }
    }
    return text.toString();
  }

  private static void table(NftDump dump, StringBuilder text) {
    text.append("  owned ").append(dump.owned());
    text.append(", persistent ").append(dump.persistent());
    text.append(", dormant ").append(dump.dormant()).append('\n');
    new TreeMap<>(dump.chains())
        .forEach(
            (name, chain) ->
                text.append("  chain ")
                    .append(name)
                    .append(chain.hook().isEmpty() ? "" : " " + chain.hook())
                    .append(": ")
                    .append(chain.ruleTags().size())
                    .append(" rules\n"));
    for (Map.Entry<String, NftDump.Elements> set : new TreeMap<>(dump.sets()).entrySet()) {
      text.append("  set ").append(set.getKey()).append('\n');
      set.getValue()
          .elements()
          .values()
          .forEach(element -> text.append("    ").append(element).append('\n'));
    }
  }

  static String links() throws LinuxException {
    StringBuilder text = new StringBuilder();
    try (Rtnetlink rtnetlink = Rtnetlink.open()) {
      for (Link link : rtnetlink.links().list()) {
        text.append(link).append('\n');
        rtnetlink
            .addresses()
            .list(link.index())
            .forEach(address -> text.append("  ").append(address).append('\n'));
      }
    }
    return text.toString();
  }

  /// The main table of both families, everybody's.
  static String routes() throws LinuxException {
    StringBuilder text = new StringBuilder();
    try (Rtnetlink rtnetlink = Rtnetlink.open()) {
      for (IpFamily family : IpFamily.values()) {
        for (Route route : rtnetlink.routes().list(family, 0, Route.MAIN_TABLE)) {
          text.append(route).append('\n');
        }
      }
    }
    return text.toString();
  }

  /// Names, sizes and times of the files in a folder and below; not what they hold.
  static String listing(Path folder) throws IOException {
    List<String> lines = new ArrayList<>();
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted().toList()) {
        BasicFileAttributes about = Files.readAttributes(file, BasicFileAttributes.class);
        lines.add(
            (about.isDirectory() ? "d " : "- ")
                + about.size()
                + " "
                + about.lastModifiedTime()
                + " "
                + file);
      }
    }
    return String.join("\n", lines) + "\n";
  }

  /// What the system's journal has of the agent.
  static String journal(String unit) throws IOException, InterruptedException {
    Process journalctl =
        new ProcessBuilder(
                "journalctl", "--unit", unit, "--lines", "" + LOG_LINES, "--no-pager", "--quiet")
            .redirectErrorStream(true)
            .start();
    String text = new String(journalctl.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (!journalctl.waitFor(LOG_SECONDS, TimeUnit.SECONDS) || journalctl.exitValue() != 0) {
      journalctl.destroy();
      throw new IOException("journalctl --unit " + unit + " failed: " + text.strip());
    }
    if (text.isBlank()) {
      throw new IOException(
          "the journal has nothing of " + unit + "; if the agent logs elsewhere, give --log FILE");
    }
    return text;
  }
}
