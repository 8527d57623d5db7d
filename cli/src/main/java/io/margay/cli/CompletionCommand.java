package io.margay.cli;

import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `margay completion`: a script that teaches a shell to complete commands, options and kinds.
@Command(
    name = "completion",
    description = {
      "Prints a script that completes commands, options and kinds:",
      "  bash: source <(margay completion bash)",
      "  zsh:  source <(margay completion zsh)",
      "  fish: margay completion fish | source"
    })
final class CompletionCommand implements Callable<Integer> {

  /// The shells there is a script for.
  enum Shell {
    bash,
    zsh,
    fish
  }

  /// zsh takes bash's scripts when told to.
  private static final String ZSH_PREFACE =
      "autoload -U +X compinit bashcompinit && compinit && bashcompinit";

  @Spec private CommandSpec spec = CommandSpec.create();

  @Parameters(paramLabel = "SHELL", description = "${COMPLETION-CANDIDATES}")
  private Shell shell = Shell.bash;

  @Override
  public Integer call() {
    CommandLine parent = spec.commandLine().getParent();
    if (parent == null) {
      throw new ParameterException(spec.commandLine(), "is a command of margay");
    }
    PrintWriter out = spec.commandLine().getOut();
    switch (shell) {
      case bash -> out.println(AutoComplete.bash(parent.getCommandName(), parent));
      case zsh -> {
        out.println(ZSH_PREFACE);
        out.println(AutoComplete.bash(parent.getCommandName(), parent));
      }
      case fish -> out.print(FishCompletion.of(parent));
    }
    out.flush();
    return ExitCodes.OK;
  }
}
