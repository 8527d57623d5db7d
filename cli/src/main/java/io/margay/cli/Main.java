package io.margay.cli;

import io.margay.cli.bgpd.BgpdCommand;
import io.margay.cli.demo.DemoCommand;
import io.margay.cli.ipam.IpamCommands;
import io.margay.cli.lab.LabCommand;
import io.margay.cli.node.BgpCommand;
import io.margay.cli.node.NodeCommand;
import io.margay.cli.resource.ResourceCommands;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.logging.Level;
import java.util.logging.Logger;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.HelpCommand;
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
    subcommands = {
      AgentCommand.class,
      BgpdCommand.class,
      BgpCommand.class,
      NodeCommand.class,
      LabCommand.class,
      DemoCommand.class,
      CniCommand.class,
      HelpCommand.class
    },
    footer = {
      "",
      "Exit codes: 0 done, 1 failed or refused, 2 unusable command line or file, 3 datastore or"
          + " agent unreachable."
    })
public final class Main implements Runnable {

  private static final int USAGE_WIDTH = 100;
  private static final String DAEMON = "bgpd";

  /// gRPC logs its start-up at INFO to standard error; kept here, or the level would be forgotten
  /// with the logger.
  private static final Logger GRPC = Logger.getLogger("io.grpc");

  @Spec private CommandSpec spec = CommandSpec.create();

  private Main() {}

  public static void main(String[] args) {
    System.exit(run(args));
  }

  static int run(String[] args) {
    GRPC.setLevel(Level.WARNING);
    // The daemon does not pay for describing commands that it never runs: a third of its start.
    if (args.length > 0 && args[0].equals(DAEMON)) {
      CommandLine daemon = new CommandLine(new BgpdCommand()).setCommandName("margay " + DAEMON);
      return prepared(daemon).execute(Arrays.copyOfRange(args, 1, args.length));
    }
    CommandLine commands = new CommandLine(new Main());
    ResourceCommands.register(commands);
    IpamCommands.register(commands);
    return prepared(commands).execute(args);
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
