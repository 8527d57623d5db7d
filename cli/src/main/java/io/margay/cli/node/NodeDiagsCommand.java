package io.margay.cli.node;

import io.margay.agent.settings.AgentSettings;
import io.margay.cli.ExitCodes;
import io.margay.cli.http.HttpClient;
import io.margay.cli.resource.IgnoredOptions;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `margay node diags`: everything that helps to judge a node from elsewhere, in one file.
@Command(
    name = "diags",
    mixinStandardHelpOptions = true,
    description = {
      "Collects what helps to judge this node from elsewhere into a tar.gz.",
      "The agent's state, metrics and log, our tables, links, routes, kernel settings, versions,",
      "and the agent's settings without secrets. Changes nothing. What could not be had is listed",
      "in missing.txt."
    })
final class NodeDiagsCommand implements Callable<Integer> {

  private static final DateTimeFormatter STAMP =
      DateTimeFormatter.ofPattern("yyyyMMdd_HHmmss").withZone(ZoneOffset.UTC);
  private static final String UNIT = "margay-agent";

  private static final Map<String, String> ANSWERS =
      Map.of(
          "agent/status.json", "/api/v1/status",
          "agent/health.json", "/healthcheck",
          "agent/endpoints.json", "/api/v1/endpoints",
          "agent/bgp-summary.json", "/api/v1/bgp/summary",
          "agent/bgp-peers.json", "/api/v1/bgp/peers",
          "agent/bgp-best-routes.json", "/api/v1/bgp/routes?kind=best",
          "agent/metrics.txt", "/metrics");

  private static final List<String> SYSTEM_FILES =
      List.of(
          "proc/version",
          "proc/cmdline",
          "proc/uptime",
          "proc/loadavg",
          "proc/meminfo",
          "proc/cpuinfo",
          "proc/modules",
          "proc/net/dev",
          "proc/net/snmp",
          "proc/net/netstat",
          "proc/net/sockstat",
          "proc/sys/net/ipv4/ip_forward",
          "proc/sys/net/ipv6/conf/all/forwarding",
          "proc/sys/net/ipv4/conf/all/rp_filter",
          "proc/sys/net/netfilter/nf_conntrack_count",
          "proc/sys/net/netfilter/nf_conntrack_max",
          "etc/os-release",
          "etc/hostname");

  @Spec private CommandSpec spec = CommandSpec.create();

  @Mixin private final IgnoredOptions ignored = new IgnoredOptions();

  @Option(
      names = "--to",
      paramLabel = "FILE",
      description = "the archive to write (default: diags-TIME.tar.gz in the temporary folder)")
  private @Nullable Path to;

  @Option(
      names = "--api",
      paramLabel = "URL",
      defaultValue = ApiOptions.DEFAULT,
      description = "where the agent answers (default: ${DEFAULT-VALUE})")
  private String api = "";

  @Option(names = "--config", paramLabel = "FILE", description = "the agent's settings")
  private Path config = Path.of("/etc/margay/agent.yaml");

  @Option(
      names = {"--log", "--log-dir"},
      paramLabel = "FILE|DIR",
      description = "where the agent logs (default: the system's journal)")
  private @Nullable Path log;

  @Option(names = "--run-dir", paramLabel = "DIR", description = "the agent's runDir")
  private Path runDir = AgentSettings.DEFAULT_RUN_DIR;

  @Option(names = "--state-dir", paramLabel = "DIR", description = "the agent's stateDir")
  private Path stateDir = AgentSettings.DEFAULT_STATE_DIR;

  @Override
  public Integer call() {
    PrintWriter out = spec.commandLine().getOut();
    Instant now = Instant.now();
    String folder = "diags-" + STAMP.format(now);
    Path archive =
        to == null
            ? Path.of(System.getProperty("java.io.tmpdir"), folder + ".tar.gz")
            : to.toAbsolutePath();
    out.println("Collecting diagnostics");
    Diagnostics diagnostics = collect();
    try {
      write(diagnostics, archive, folder, now);
    } catch (IOException failure) {
      PrintWriter err = spec.commandLine().getErr();
      err.println(
          archive + " can't be written: " + failure.getMessage() + "; name another by --to FILE");
      err.flush();
      return ExitCodes.FAILED;
    }
    diagnostics.missing().forEach(line -> out.println("  not collected: " + line));
    out.println(
        "Diags saved to " + archive + " (" + diagnostics.size() + " files; readable by you alone)");
    out.flush();
    return ExitCodes.OK;
  }

  private static void write(Diagnostics diagnostics, Path archive, String folder, Instant now)
      throws IOException {
    Files.deleteIfExists(archive);
    Files.createFile(
        archive,
        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    try (OutputStream file = Files.newOutputStream(archive)) {
      diagnostics.write(file, folder, now);
    }
  }

  private Diagnostics collect() {
    Diagnostics all = new Diagnostics();
    all.add("versions.txt", NodeDiagsCommand::versions);
    ANSWERS.entrySet().stream()
        .sorted(Map.Entry.comparingByKey())
        .forEach(answer -> all.add(answer.getKey(), () -> ask(answer.getValue())));
    all.add("agent/settings.yaml", () -> Files.readString(config));
    logs(all);
    all.add("agent/run-dir.txt", () -> NodeState.listing(runDir));
    all.add("agent/state-dir.txt", () -> NodeState.listing(stateDir));
    all.add("network/tables.txt", NodeState::tables);
    all.add("network/links.txt", NodeState::links);
    all.add("network/routes.txt", NodeState::routes);
    all.add(
        "checksystem.txt",
        () -> SystemChecks.text(SystemChecks.of(Path.of("/"), Optional.empty())));
    for (String file : SYSTEM_FILES) {
      all.add("system/" + file.replace('/', '-') + ".txt", () -> Files.readString(root(file)));
    }
    return all;
  }

  private static Path root(String file) {
    return Path.of("/").resolve(file);
  }

  private void logs(Diagnostics all) {
    Path where = log;
    if (where == null) {
      all.add("agent/log.txt", () -> NodeState.journal(UNIT));
    } else if (Files.isDirectory(where)) {
      try (var files = Files.list(where)) {
        files
            .filter(Files::isRegularFile)
            .sorted()
            .forEach(
                file -> all.add("agent/log/" + file.getFileName(), () -> Diagnostics.endOf(file)));
      } catch (IOException unreadable) {
        all.add(
            "agent/log",
            () -> {
              throw unreadable;
            });
      }
    } else {
      all.add("agent/log.txt", () -> Diagnostics.endOf(where));
    }
  }

  private static String versions() {
    String version = NodeDiagsCommand.class.getPackage().getImplementationVersion();
    return "margay "
        + (version == null ? "(not packaged)" : version)
        + "\njava "
        + Runtime.version()
        + " ("
        + System.getProperty("java.vendor")
        + ")\nkernel "
        + System.getProperty("os.version")
        + " "
        + System.getProperty("os.arch")
        + "\n";
  }

  private String ask(String target) throws IOException {
    try (HttpClient.Response response = new HttpClient(api).get(target)) {
      return new String(response.body().readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
