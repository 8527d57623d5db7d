package io.margay.cli.bgpd;

import io.margay.cli.ExitCodes;
import io.margay.cli.Signals;
import io.margay.cli.yaml.YamlException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.LinkedBlockingQueue;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `margay bgpd`: runs the BGP speaker alone until a signal ends it.
@Command(
    name = "bgpd",
    description = {
      "Runs the BGP speaker alone. Prints \"ready\" once it listens and knows its neighbors.",
      "SIGHUP reads the file again; a bad one is reported, and the old stays in force.",
      "SIGTERM tells every neighbor, removes the kernel routes and exits with 0.",
      "After SIGKILL neighbors and kernel keep the routes until the next start (graceful restart)."
    },
    footer = {
      "",
      "Exit codes: 0 stopped by a signal, 1 can't start (an address is taken), 2 unusable file, 70"
          + " a bug."
    })
public final class BgpdCommand implements Callable<Integer> {

  /// EX_SOFTWARE of sysexits.h, as the agent has it.
  private static final int BUG = 70;

  private enum Event {
    RELOAD,
    STOP,
    BUG
  }

  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(
      names = "--config",
      required = true,
      paramLabel = "FILE",
      description = "YAML; see dist/etc/bgpd.yaml and docs/bgpd.md")
  private Path config = Path.of("");

  @Option(names = "--check", description = "only read the file: 0 if it is usable, else 2")
  private boolean check;

  @Override
  public Integer call() throws InterruptedException {
    PrintWriter err = spec.commandLine().getErr();
    BgpdConfig wanted;
    try {
      wanted = BgpdConfig.read(config);
    } catch (YamlException unusable) {
      err.println(unusable.getMessage());
      return ExitCodes.USAGE;
    }
    if (check) {
      return ExitCodes.OK;
    }
    BlockingQueue<Event> events = new LinkedBlockingQueue<>();
    Signals.on("HUP", () -> events.add(Event.RELOAD));
    Signals.on("TERM", () -> events.add(Event.STOP));
    Signals.on("INT", () -> events.add(Event.STOP));
    Bgpd bgpd;
    try {
      bgpd = Bgpd.start(wanted, _ -> events.add(Event.BUG));
    } catch (IOException refused) {
      err.println("margay bgpd: " + refused.getMessage());
      return ExitCodes.FAILED;
    } catch (IllegalArgumentException conflict) {
      err.println(config + ": neighbors: " + conflict.getMessage());
      return ExitCodes.USAGE;
    }
    PrintWriter out = spec.commandLine().getOut();
    out.println("ready");
    out.flush();
    while (true) {
      switch (events.take()) {
        case RELOAD -> bgpd.reload(config);
        case STOP -> {
          bgpd.stop();
          return ExitCodes.OK;
        }
        // Sessions and routes stay as after a crash: neighbors keep our routes while we are gone.
        case BUG -> {
          return BUG;
        }
      }
    }
  }
}
