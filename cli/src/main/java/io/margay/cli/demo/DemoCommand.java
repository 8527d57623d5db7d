package io.margay.cli.demo;

import io.margay.cli.ExitCodes;
import io.margay.cli.lab.Distribution;
import io.margay.cli.lab.LabException;
import io.margay.cli.lab.LabTeardown;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// `margay demo`: the whole stack on one machine in a minute and a half. Exits with 0 only if every
/// expectation held.
@Command(
    name = "demo",
    description = "Raises a rack, shows that it works, breaks it, and takes it down.",
    mixinStandardHelpOptions = true)
public final class DemoCommand implements Callable<Integer> {

  @Option(names = "--keep", description = "Leaves the last rack up.")
  private boolean keep;

  /// Unique by default, so that two demos don't meet.
  @Option(
      names = "--name",
      paramLabel = "NAME",
      description = "The first lab's name; default: demo and a number.")
  private String name = "demo" + ProcessHandle.current().pid();

  @Override
  public Integer call() {
    Demo demo;
    try {
      demo = new Demo(System.out, Distribution.ofThisProcess(), name);
    } catch (LabException notStarted) {
      System.err.println("margay demo: " + notStarted.getMessage());
      return ExitCodes.FAILED;
    }
    Thread undo = new Thread(() -> takeDown(demo), "undo-demo");
    Runtime.getRuntime().addShutdownHook(undo);
    Optional<String> failure = play(demo);
    if (keep && forget(undo)) {
      demo.standing()
          .forEach(
              lab ->
                  System.out.println(
                      "    lab " + lab + " stays up: margay lab down --name " + lab));
    }
    if (failure.isPresent()) {
      System.out.flush();
      System.err.println("    NOT held: " + failure.get());
      return ExitCodes.FAILED;
    }
    System.out.printf(
        "All %d steps held in %s.%n",
        demo.steps().count(), Steps.seconds(demo.steps().elapsed().toNanos()));
    return ExitCodes.OK;
  }

  /// What did not hold; empty when all did.
  private Optional<String> play(Demo demo) {
    try {
      demo.play(keep);
      return Optional.empty();
    } catch (DemoException notSo) {
      return Optional.of(String.valueOf(notSo.getMessage()));
    } catch (LabException broken) {
      return Optional.of(String.valueOf(broken.getMessage()));
    }
  }

  private static boolean forget(Thread undo) {
    try {
      return Runtime.getRuntime().removeShutdownHook(undo);
    } catch (IllegalStateException alreadyEnding) {
      return false;
    }
  }

  private static void takeDown(Demo demo) {
    for (String lab : demo.standing()) {
      try {
        LabTeardown.down(lab, false);
      } catch (LabException failed) {
        System.err.println("margay demo: " + failed.getMessage());
      }
    }
  }
}
