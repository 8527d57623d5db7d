package io.margay.cli;

import io.margay.cli.bgpd.BgpdCommand;
import io.margay.cli.calico.ImportCommands;
import io.margay.cli.datastore.DatastoreCommands;
import io.margay.cli.demo.DemoCommand;
import io.margay.cli.doctor.DoctorCommand;
import io.margay.cli.install.InstallCommand;
import io.margay.cli.install.UninstallCommand;
import io.margay.cli.ipam.IpamCommands;
import io.margay.cli.lab.LabCommand;
import io.margay.cli.node.BgpCommand;
import io.margay.cli.node.NodeCommand;
import io.margay.cli.node.VersionCommand;
import io.margay.cli.policy.PolicyCommands;
import io.margay.cli.policy.WhyCommands;
import io.margay.cli.resource.IgnoredOptions;
import io.margay.cli.resource.ResourceCommands;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.Stream;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.HelpCommand;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// The `margay` command.
@Command(
    name = "margay",
    description = "BGP-routed layer-3 networking for containers on bare metal",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    synopsisSubcommandLabel = "COMMAND",
    footer = {"", Main.EXIT_CODES})
public final class Main implements Runnable {

  static final String EXIT_CODES =
      "Exit codes: 0 done, 1 failed, refused or not valid, 2 unusable command line or file,"
          + " 3 datastore or agent unreachable, 4 conflicts with what is stored.";
  private static final int USAGE_WIDTH = 100;

  /// In the order of the help text; the commands on resources come after these.
  private static final List<String> COMMANDS =
      List.of(
          "agent",
          "bgpd",
          "bgp",
          "node",
          "version",
          "doctor",
          "lab",
          "demo",
          "policy",
          "why",
          "ipam",
          "datastore",
          "import",
          "install",
          "uninstall",
          "cni",
          "completion",
          "help");

  /// Commands about the others.
  private static final Set<String> NEED_ALL = Set.of("help", "completion");

  private static final Set<String> DAEMONS = Set.of("agent", "bgpd");

  /// gRPC logs its start-up at INFO to standard error; kept here, or the level would be forgotten
  /// with the logger.
  private static final Logger GRPC = Logger.getLogger("io.grpc");

  @Mixin private final IgnoredOptions ignored = new IgnoredOptions();

  @Spec private CommandSpec spec = CommandSpec.create();

  private Main() {}

  public static void main(String[] args) {
    System.exit(run(args));
  }

  /// Runs one command.
  ///
  /// @return its exit code
  public static int run(String[] args) {
    GRPC.setLevel(Level.WARNING);
    String command = args.length == 0 ? "" : args[0];
    if (ResourceCommands.NAMES.contains(command)) {
      WarmUp.resources();
    } else if (command.equals("agent")) {
      WarmUp.agent();
    }
    if (!DAEMONS.contains(command)) {
      dropLibraryLogs();
    }
    return prepared(args).execute(args);
  }

  /// A command says what went wrong itself, so its class path has no logger; and SLF4J is kept from
  /// complaining about that.
  private static void dropLibraryLogs() {
    PrintStream err = System.err;
    System.setErr(new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8));
    LoggerFactory.getILoggerFactory();
    System.setErr(err);
  }

  /// `margay` with the one command that is asked for: describing them all takes longer than most of
  /// them run. All of them where the first word is none, such as for `--help` and to suggest what
  /// was meant.
  private static CommandLine prepared(String[] args) {
    CommandLine margay = new CommandLine(new Main());
    if (args.length == 0 || NEED_ALL.contains(args[0]) || !add(margay, args[0])) {
      names().forEach(name -> add(margay, name));
    }
    return prepared(margay);
  }

  /// Every command, in the order of the help text.
  static List<String> names() {
    return Stream.concat(COMMANDS.stream(), ResourceCommands.NAMES.stream()).toList();
  }

  /// @return whether there is such a command
  private static boolean add(CommandLine margay, String name) {
    switch (name) {
      case "policy" -> PolicyCommands.register(margay);
      case "why" -> WhyCommands.register(margay);
      case "ipam" -> IpamCommands.register(margay);
      case "node" -> NodeCommand.register(margay);
      case "datastore" -> DatastoreCommands.register(margay);
      case "import" -> ImportCommands.register(margay);
      default -> {
        return addSingle(margay, name);
      }
    }
    return true;
  }

  private static boolean addSingle(CommandLine margay, String name) {
    Object command =
        switch (name) {
          case "agent" -> new AgentCommand();
          case "bgpd" -> new BgpdCommand();
          case "bgp" -> new BgpCommand();
          case "version" -> new VersionCommand();
          case "doctor" -> new DoctorCommand();
          case "lab" -> new LabCommand();
          case "demo" -> new DemoCommand();
          case "install" -> new InstallCommand();
          case "uninstall" -> new UninstallCommand();
          case "cni" -> new CniCommand();
          case "completion" -> new CompletionCommand();
          case "help" -> new HelpCommand();
          default -> ResourceCommands.command(name).orElse(null);
        };
    if (command != null) {
      margay.addSubcommand(name, command);
    }
    return command != null;
  }

  private static CommandLine prepared(CommandLine commands) {
    describe(commands);
    commands.setOut(new PrintWriter(System.out, true, StandardCharsets.UTF_8));
    commands.setErr(new PrintWriter(System.err, true, StandardCharsets.UTF_8));
    commands.setUsageHelpWidth(USAGE_WIDTH);
    commands.setCaseInsensitiveEnumValuesAllowed(true);
    commands.setParameterExceptionHandler(Main::explain);
    return commands;
  }

  /// Gives every command the `--help` that each error points to.
  private static void describe(CommandLine command) {
    CommandSpec spec = command.getCommandSpec();
    if (spec.userObject() instanceof HelpCommand) {
      return;
    }
    if (!spec.mixinStandardHelpOptions()) {
      // An option, not the mixin: that one would shift the arguments of commands that are methods.
      spec.addOption(
          OptionSpec.builder("-h", "--help")
              .usageHelp(true)
              .description("Show this help message and exit.")
              .build());
    }
    if (ResourceCommands.NAMES.contains(spec.name())) {
      spec.usageMessage().footer("", EXIT_CODES);
    }
    command.getSubcommands().values().forEach(Main::describe);
  }

  /// One line about what is wrong, one about where to look; never the whole usage text.
  private static int explain(ParameterException problem, String[] args) {
    CommandLine command = problem.getCommandLine();
    PrintWriter err = command.getErr();
    err.println("margay: " + String.valueOf(problem.getMessage()).replace('\n', ' '));
    CommandLine.UnmatchedArgumentException.printSuggestions(problem, err);
    err.println("Try: " + command.getCommandSpec().qualifiedName() + " --help");
    err.flush();
    return ExitCodes.USAGE;
  }

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "a command is missing");
  }

  static final class Version implements CommandLine.IVersionProvider {
    @Override
    public String[] getVersion() {
      String version = Main.class.getPackage().getImplementationVersion();
      return new String[] {"margay " + (version == null ? "(not packaged)" : version)};
    }
  }
}
