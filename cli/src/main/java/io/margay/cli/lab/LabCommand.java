package io.margay.cli.lab;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.margay.cli.ExitCodes;
import io.margay.cli.lab.Topology.Pod;
import io.margay.cli.lab.Topology.Port;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `margay lab`: racks in network namespaces. Results go to stdout, progress and errors to stderr.
@Command(
    name = "lab",
    description = "Racks on this machine, in network namespaces: etcd, routers, agents, pods.",
    mixinStandardHelpOptions = true)
public final class LabCommand implements Runnable {

  private static final int SHOWN_DIFFERENCES = 20;

  @CommandLine.Spec private CommandLine.Model.@Nullable CommandSpec spec;

  @Override
  public void run() {
    if (spec != null) {
      spec.commandLine().usage(System.err);
    }
  }

  /// Work that may fail on the machine or for bad input.
  private interface Work {
    int run() throws LabException, TopologyException;
  }

  /// Runs it and turns its failure into one line and an exit code.
  private static int report(Work work) {
    try {
      return work.run();
    } catch (TopologyException bad) {
      System.err.println(bad.getMessage());
      return ExitCodes.USAGE;
    } catch (LabException failed) {
      System.err.println("margay lab: " + failed.getMessage());
      return ExitCodes.FAILED;
    }
  }

  @Command(
      name = "up",
      description = "Raises the rack of a topology file and returns with it running.")
  int up(
      @Option(
              names = {"-f", "--file"},
              required = true,
              paramLabel = "FILE",
              description = "Topology (docs/lab.md).")
          Path file,
      @Option(
              names = "--name",
              paramLabel = "NAME",
              description = "The lab's name; default: the topology's.")
          @Nullable String name,
      @Option(
              names = {"-o", "--output"},
              defaultValue = "text",
              paramLabel = "FORMAT",
              description = "text or json.")
          String output,
      @Option(names = "--keep-on-failure", description = "Leaves what stands when something fails.")
          boolean keepOnFailure) {
    return report(
        () -> {
          Output format = Output.parse(output);
          Topology topology = Topology.read(file);
          String lab = labName(name == null ? topology.name() : name);
          Distribution distribution = Distribution.ofThisProcess();
          Lab.Raised raised =
              Lab.raise(
                  lab,
                  topology,
                  file,
                  distribution,
                  new Lab.Options(keepOnFailure, true),
                  line -> System.err.println("lab " + lab + ": " + line));
          raised.lab().awaitHttp();
          ObjectNode description = LabState.describe(raised.lab().plan(), distribution);
          switch (format) {
            case JSON -> System.out.println(LabDocuments.text(description));
            case TEXT -> System.out.print(describe(raised.lab()));
          }
          return ExitCodes.OK;
        });
  }

  private static String describe(Lab lab) {
    LabPlan plan = lab.plan();
    StringBuilder text = new StringBuilder("lab " + plan.name() + " is ready\n");
    plan.topology()
        .tors()
        .forEach(
            tor ->
                text.append(
                    "  %-10s %-6s %s%n"
                        .formatted(
                            tor.name(), tor.daemon().word(), plan.machineNamespace(tor.name()))));
    plan.topology()
        .nodes()
        .forEach(
            node ->
                text.append(
                    "  %-10s %-6s %s%n"
                        .formatted(node.name(), "agent", plan.machineNamespace(node.name()))));
    text.append("  etcd       ").append(String.join(" ", plan.etcdUrls())).append('\n');
    return text.append("  margay lab down --name ")
        .append(plan.name())
        .append(" takes it down\n")
        .toString();
  }

  @Command(name = "down", description = "Takes a lab down, whatever state it is in; twice is fine.")
  int down(
      @Option(names = "--name", paramLabel = "NAME", description = "The lab's name.")
          @Nullable String name,
      @Option(names = "--all", description = "All labs of this machine.") boolean all,
      @Option(names = "--graceful", description = "Lets the agents end by themselves first.")
          boolean graceful) {
    return report(
        () -> {
          if (all == (name != null)) {
            throw new TopologyException("margay lab down: expected either --name NAME or --all");
          }
          List<String> names = name == null ? LabState.names() : List.of(labName(name));
          for (String lab : names) {
            LabTeardown.down(lab, graceful);
            System.err.println("lab " + lab + ": gone");
          }
          return ExitCodes.OK;
        });
  }

  @Command(name = "list", description = "The labs of this machine.")
  int list() {
    return report(
        () -> {
          LabState.names().forEach(System.out::println);
          return ExitCodes.OK;
        });
  }

  @Command(name = "exec", description = "Runs a command in the namespace of a node, router or pod.")
  int exec(
      @Option(
              names = "--name",
              required = true,
              paramLabel = "NAME",
              description = "The lab's name.")
          String name,
      @Parameters(
              index = "0",
              paramLabel = "WHERE",
              description = "A node, router or pod, or mgmt.")
          String where,
      @Parameters(
              index = "1..*",
              arity = "1..*",
              paramLabel = "COMMAND",
              description = "The command.")
          List<String> argv) {
    return report(
        () -> {
          LabPlan plan = LabState.open(labName(name));
          List<String> all =
              new ArrayList<>(List.of("ip", "netns", "exec", namespace(plan, where)));
          all.addAll(argv);
          try {
            return new ProcessBuilder(all).inheritIO().start().waitFor();
          } catch (IOException notStarted) {
            throw new LabException("ip can't be started: " + notStarted.getMessage(), notStarted);
          } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new LabException("interrupted", interrupted);
          }
        });
  }

  private static String namespace(LabPlan plan, String where) throws LabException {
    Optional<Pod> pod =
        plan.topology().pods().stream()
            .filter(candidate -> candidate.name().equals(where))
            .findFirst();
    String namespace = pod.map(plan::podNamespace).orElseGet(() -> plan.machineNamespace(where));
    if (!plan.namespaces().contains(namespace)) {
      List<String> known = new ArrayList<>(List.of("mgmt"));
      plan.topology().tors().forEach(tor -> known.add(tor.name()));
      plan.topology().nodes().forEach(node -> known.add(node.name()));
      plan.topology().pods().forEach(each -> known.add(each.name()));
      throw new LabException(
          "lab " + plan.name() + " has no " + where + "; it has " + String.join(", ", known));
    }
    return namespace;
  }

  @Command(
      name = "probe",
      description = "Tries every pod against every port of every pod, over IPv4 and IPv6.")
  int probe(
      @Option(
              names = "--name",
              required = true,
              paramLabel = "NAME",
              description = "The lab's name.")
          String name,
      @Option(names = "--expect", paramLabel = "FILE", description = "The matrix there should be.")
          @Nullable Path expect,
      @Option(
              names = {"-o", "--output"},
              defaultValue = "text",
              paramLabel = "FORMAT",
              description = "text or json.")
          String output,
      @Option(
              names = "--ports",
              split = ",",
              paramLabel = "PORT/PROTO",
              description = "For example 80/tcp,53/udp.")
          @Nullable List<String> ports) {
    return report(
        () -> {
          Output format = Output.parse(output);
          List<Port> wanted = ports(ports);
          Lab lab = Lab.open(labName(name), Distribution.ofThisProcess());
          Probe probe = new Probe(lab, wanted);
          Optional<Matrix> expected =
              expect == null ? Optional.empty() : Optional.of(expectation(expect, lab, probe));
          List<Probe.Try> tries = probe.run();
          Matrix seen = probe.matrix(tries);
          List<String> differences =
              expected
                  .map(matrix -> seen.differencesFrom(matrix, SHOWN_DIFFERENCES))
                  .orElse(List.of());
          switch (format) {
            case JSON -> System.out.println(LabDocuments.text(json(tries, seen, expected)));
            case TEXT -> print(System.out, seen, differences);
          }
          return differences.isEmpty() ? ExitCodes.OK : ExitCodes.FAILED;
        });
  }

  private static List<Port> ports(@Nullable List<String> texts) throws TopologyException {
    List<Port> ports = new ArrayList<>();
    for (String text : texts == null ? List.<String>of() : texts) {
      try {
        ports.add(Port.parse(text));
      } catch (IllegalArgumentException refused) {
        throw new TopologyException("--ports: expected ports like 80/tcp or 53/udp, got " + text);
      }
    }
    return ports;
  }

  private static Matrix expectation(Path file, Lab lab, Probe probe) throws TopologyException {
    List<String> pods = lab.plan().topology().pods().stream().map(Pod::name).toList();
    Matrix matrix = Matrix.read(file, pods);
    if (!matrix.ports().containsAll(probe.ports())) {
      throw new TopologyException(
          file + ": expected squares for " + probe.ports() + ", got " + matrix.ports());
    }
    return matrix;
  }

  private static void print(PrintStream out, Matrix seen, List<String> differences) {
    out.print(seen);
    differences.forEach(line -> out.println("MISMATCH " + line));
  }

  private static ObjectNode json(List<Probe.Try> tries, Matrix seen, Optional<Matrix> expected) {
    ObjectNode document = LabDocuments.JSON.createObjectNode();
    expected.ifPresent(matrix -> document.put("mismatches", seen.countDifferences(matrix)));
    ArrayNode rows = document.putArray("probes");
    for (Probe.Try one : tries) {
      ObjectNode row =
          rows.addObject()
              .put("from", one.from().name())
              .put("to", one.to().name())
              .put("port", one.port().number())
              .put("protocol", one.port().protocol().name().toLowerCase(Locale.ROOT))
              .put("family", one.family().bits() == 32 ? 4 : 6)
              .put("seen", one.seen().name().toLowerCase(Locale.ROOT));
      expected.ifPresent(
          matrix ->
              row.put(
                  "expected",
                  Matrix.allows(
                          matrix.cell(
                              one.port(),
                              matrix.pods().indexOf(one.from().name()),
                              matrix.pods().indexOf(one.to().name())),
                          one.family())
                      ? "open"
                      : "closed"));
    }
    return document;
  }

  private static String labName(String text) throws TopologyException {
    if (!LabState.isLabName(text)) {
      throw new TopologyException(
          "--name: expected letters, digits, dashes and underscores, 32 at most, got \""
              + text
              + "\"");
    }
    return text;
  }

  /// How a result is written.
  private enum Output {
    TEXT,
    JSON;

    static Output parse(String text) throws TopologyException {
      return switch (text) {
        case "text" -> TEXT;
        case "json" -> JSON;
        default -> throw new TopologyException("-o: expected text or json, got \"" + text + "\"");
      };
    }
  }
}
