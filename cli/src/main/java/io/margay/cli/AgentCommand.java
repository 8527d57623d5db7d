package io.margay.cli;

import io.margay.agent.NodeAgent;
import io.margay.agent.service.ServiceManager;
import io.margay.agent.settings.AgentSettings;
import io.margay.agent.settings.SettingsException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.Semaphore;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `margay agent`: runs the node agent until a signal ends it.
@Command(
    name = "agent",
    description = {
      "Runs the node agent. Prints \"ready\" when the CNI socket, the dataplane and BGP are up.",
      "SIGTERM stops it for a restart: kernel state stays, peers keep our routes (graceful"
          + " restart).",
      "SIGHUP reads the settings again: those that can change in a running agent do, the others are"
          + " named in the log (docs/node.md). Unusable ones change nothing.",
      "Under systemd it is a service of Type=notify with a watchdog; see docs/systemd.md."
    })
public final class AgentCommand implements Callable<Integer> {

  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(
      names = "--config",
      required = true,
      paramLabel = "FILE",
      description = "settings; see dist/etc/agent.yaml. MARGAY_* in the environment wins")
  private Path config = Path.of("");

  @Override
  public Integer call() throws InterruptedException {
    // From the very start: unanswered, the signal would end the process. On a thread of its own,
    // since readiness need not wait for it.
    Semaphore asked = new Semaphore(0);
    Thread.ofPlatform().daemon().name("signals").start(() -> Signals.on("HUP", asked::release));
    AgentSettings settings;
    try {
      settings = AgentSettings.read(config, System.getenv());
    } catch (SettingsException unusable) {
      spec.commandLine().getErr().println(unusable.getMessage());
      return ExitCodes.USAGE;
    }
    settings.log().apply();
    NodeAgent agent;
    try {
      agent =
          NodeAgent.start(
              settings,
              System.out::println,
              ServiceManager.of(System.getenv(), ProcessHandle.current().pid()));
    } catch (NodeAgent.StartException refused) {
      spec.commandLine().getErr().println(refused.getMessage());
      return ExitCodes.FAILED;
    }
    Thread stop = new Thread(agent::close, "stop");
    Runtime.getRuntime().addShutdownHook(stop);
    Thread.ofPlatform().daemon().name("reload").start(() -> reload(agent, asked));
    return agent.awaitEnd();
  }

  /// Each time somebody asks, until the process ends.
  private void reload(NodeAgent agent, Semaphore asked) {
    while (true) {
      asked.acquireUninterruptibly();
      asked.drainPermits();
      agent.reload(config, System.getenv());
    }
  }
}
