package io.margay.cli.node;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;

/// What the agent needs of a machine: a kernel of some age, parts of it, and its settings. Looks
/// where a kernel says what it is made of, and loads nothing.
final class SystemChecks {

  /// The oldest kernel whose nf_tables has all that our rules use.
  static final int MAJOR = 5;

  static final int MINOR = 15;

  private static final Pattern VERSION = Pattern.compile("(\\d+)\\.(\\d+).*", Pattern.DOTALL);

  /// A part of the kernel.
  ///
  /// @param module its name as a module
  /// @param option its name in a kernel's configuration
  /// @param need what it is for; what is optional says so
  private record Part(String module, String option, String need, boolean required) {}

  private static final List<Part> PARTS =
      List.of(
          new Part("nf_tables", "CONFIG_NF_TABLES", "policy", true),
          new Part("nft_ct", "CONFIG_NFT_CT", "policy that knows connections", true),
          new Part("nf_conntrack", "CONFIG_NF_CONNTRACK", "policy that knows connections", true),
          new Part("nf_conntrack_netlink", "CONFIG_NF_CT_NETLINK", "cutting connections", true),
          new Part("nft_limit", "CONFIG_NFT_LIMIT", "rules that log", true),
          new Part("nft_log", "CONFIG_NFT_LOG", "rules that log", true),
          new Part("nft_masq", "CONFIG_NFT_MASQ", "natOutgoing", true),
          new Part("nft_nat", "CONFIG_NFT_NAT", "host ports", true),
          new Part("veth", "CONFIG_VETH", "pods", true),
          new Part("ipv6", "CONFIG_IPV6", "IPv6", true),
          new Part("sch_tbf", "CONFIG_NET_SCH_TBF", "bandwidth limits of pods (optional)", false),
          new Part("ifb", "CONFIG_IFB", "bandwidth limits of pods (optional)", false));

  private static final List<String> SETTINGS =
      List.of("net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding", "net/ipv4/conf/all/rp_filter");

  /// One line of the answer.
  ///
  /// @param group heading it stands under
  /// @param detail where it was found, or what is wrong
  record Check(String group, String name, Outcome outcome, String detail) {}

  enum Outcome {
    OK,
    /// Not there, and nothing but a named use of it fails.
    WARNING,
    FAILED
  }

  private final Path root;
  private final String release;
  private final List<String> loaded;
  private final List<String> configuration;
  private final List<String> onDisk;

  /// Whether the machine is taken at that file's word: where modules are not where they are here.
  private final boolean isConfigurationNamed;

  private SystemChecks(Path root, Optional<Path> kernelConfig) throws IOException {
    this.root = root;
    this.release = first(root.resolve("proc/sys/kernel/osrelease"));
    this.loaded = lines(root.resolve("proc/modules"));
    this.configuration =
        kernelConfig.isPresent()
            ? Files.readAllLines(kernelConfig.get(), StandardCharsets.UTF_8)
            : configuration(root, release);
    this.isConfigurationNamed = kernelConfig.isPresent();
    Path modules = root.resolve("lib/modules").resolve(release);
    this.onDisk =
        Stream.of("modules.builtin", "modules.dep")
            .flatMap(file -> lines(modules.resolve(file)).stream())
            .toList();
  }

  /// @param root where the machine's files are: `/`
  /// @param kernelConfig the kernel's configuration; empty: looked for
  /// @throws IOException if `kernelConfig` can't be read
  static List<Check> of(Path root, Optional<Path> kernelConfig) throws IOException {
    SystemChecks checks = new SystemChecks(root, kernelConfig);
    List<Check> all = new ArrayList<>();
    all.add(checks.kernel());
    PARTS.forEach(part -> all.add(checks.part(part)));
    SETTINGS.forEach(setting -> all.add(checks.setting(setting)));
    return all;
  }

  private Check kernel() {
    Matcher version = VERSION.matcher(release);
    if (!version.matches()) {
      return new Check(
          "kernel version", "unknown", Outcome.FAILED, "/proc/sys/kernel/osrelease says nothing");
    }
    int major = Integer.parseInt(version.group(1));
    int minor = Integer.parseInt(version.group(2));
    boolean enough = major > MAJOR || major == MAJOR && minor >= MINOR;
    return new Check(
        "kernel version",
        release,
        enough ? Outcome.OK : Outcome.FAILED,
        enough ? "" : "at least " + MAJOR + "." + MINOR + " is needed");
  }

  private Check part(Part part) {
    String where = where(part);
    Outcome missing = part.required() ? Outcome.FAILED : Outcome.WARNING;
    return new Check(
        "kernel modules",
        part.module(),
        where.isEmpty() ? missing : Outcome.OK,
        where.isEmpty()
            ? "neither loaded, built in nor to be loaded, as far as can be seen; needed for "
                + part.need()
            : where);
  }

  /// Where a part was found; empty if nowhere.
  private String where(Part part) {
    if (loaded.stream().anyMatch(line -> line.startsWith(part.module() + " "))) {
      return "loaded";
    }
    if (Files.isDirectory(root.resolve("sys/module").resolve(part.module()))
        || configuration.contains(part.option() + "=y")) {
      return "built in";
    }
    String file = "/" + part.module() + ".ko";
    if (onDisk.stream().anyMatch(line -> line.contains(file))) {
      return "can be loaded";
    }
    return isConfigurationNamed && configuration.contains(part.option() + "=m")
        ? "a module, as configured"
        : "";
  }

  private Check setting(String setting) {
    String name = setting.replace('/', '.');
    String value = first(root.resolve("proc/sys").resolve(setting));
    return new Check(
        "kernel settings",
        name,
        value.isEmpty() ? Outcome.FAILED : Outcome.OK,
        value.isEmpty() ? "not there" : "is " + value);
  }

  /// The kernel's configuration, where it or its package shows it.
  private static List<String> configuration(Path root, String release) {
    Path running = root.resolve("proc/config.gz");
    try (GZIPInputStream in = new GZIPInputStream(Files.newInputStream(running))) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList();
    } catch (IOException notShown) {
      return lines(root.resolve("boot/config-" + release));
    }
  }

  private static List<String> lines(Path file) {
    try {
      return Files.readAllLines(file, StandardCharsets.UTF_8);
    } catch (IOException absent) {
      return List.of();
    }
  }

  private static String first(Path file) {
    List<String> lines = lines(file);
    return lines.isEmpty() ? "" : lines.getFirst().strip();
  }

  /// The findings as calicoctl prints them.
  static String text(List<Check> checks) {
    StringBuilder text = new StringBuilder();
    String group = "";
    for (Check check : checks) {
      if (!check.group().equals(group)) {
        group = check.group();
        text.append("Checking ").append(group).append("...\n");
      }
      text.append(
          "  %-36s %-8s %s"
              .formatted(check.name(), check.outcome(), check.detail())
              .stripTrailing());
      text.append('\n');
    }
    text.append(
        isEnough(checks)
            ? "System meets minimum system requirements to run Margay!\n"
            : "System doesn't meet one or more minimum systems requirements to run Margay\n");
    return text.toString();
  }

  static boolean isEnough(List<Check> checks) {
    return checks.stream().noneMatch(check -> check.outcome() == Outcome.FAILED);
  }
}
