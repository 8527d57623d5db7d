package io.margay.cli;

import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/// The completion script for fish, made of the commands' own descriptions: one `complete` a word.
final class FishCompletion {

  private final StringBuilder script = new StringBuilder();
  private final String program;

  private FishCompletion(String program) {
    this.program = program;
  }

  static String of(CommandLine program) {
    FishCompletion completion = new FishCompletion(program.getCommandName());
    completion.script.append(functions(completion.program));
    completion.command(program, List.of());
    return completion.script.toString();
  }

  /// Where on the command line one is: after exactly these words, or after them and others. Words
  /// that begin with a hyphen don't count.
  private static String functions(String program) {
    return """
    # Completion for margay. Load it by: margay completion fish | source
    function __%1$s_words
        for word in (commandline -opc)[2..-1]
            string match -q -- '-*' $word; or echo $word
        end
    end
    function __%1$s_after
        set -l words (__%1$s_words)
        test (count $words) -ge (count $argv); or return 1
        for i in (seq (count $argv))
            test "$words[$i]" = "$argv[$i]"; or return 1
        end
    end
    function __%1$s_exactly
        test (count (__%1$s_words)) -eq (count $argv); and __%1$s_after $argv
    end
    complete -c %1$s -f
    """
        .formatted(program);
  }

  private void command(CommandLine command, List<String> path) {
    CommandSpec spec = command.getCommandSpec();
    for (OptionSpec option : spec.options()) {
      if (!option.hidden()) {
        option(option, path);
      }
    }
    for (PositionalParamSpec parameter : spec.positionalParameters()) {
      List<String> words = words(parameter);
      if (!words.isEmpty()) {
        line(condition("after", path) + " -a " + quoted(String.join(" ", words)));
      }
    }
    command
        .getSubcommands()
        .forEach(
            (name, inner) -> {
              line(
                  condition("exactly", path)
                      + " -a "
                      + name
                      + described(first(inner.getCommandSpec().usageMessage().description())));
              List<String> below = new ArrayList<>(path);
              below.add(name);
              command(inner, below);
            });
  }

  private void option(OptionSpec option, List<String> path) {
    StringBuilder text = new StringBuilder(condition("after", path));
    for (String name : option.names()) {
      text.append(
          name.startsWith("--")
              ? " -l " + name.substring(2)
              : (name.length() == 2 ? " -s " : " -o ") + name.substring(1));
    }
    if (option.arity().max() > 0) {
      List<String> words = words(option);
      // Without words of its own it may well be a file.
      text.append(words.isEmpty() ? " -r -F" : " -x -a " + quoted(String.join(" ", words)));
    }
    line(text + described(first(option.description())));
  }

  private static List<String> words(ArgSpec argument) {
    List<String> words = new ArrayList<>();
    Iterable<String> candidates = argument.completionCandidates();
    if (candidates != null) {
      candidates.forEach(words::add);
    }
    return words;
  }

  private String condition(String where, List<String> path) {
    return path.isEmpty() && where.equals("after")
        ? ""
        : " -n " + quoted(("__" + program + "_" + where + " " + String.join(" ", path)).strip());
  }

  private void line(String rest) {
    script.append("complete -c ").append(program).append(rest).append('\n');
  }

  private static String first(String[] description) {
    return description.length == 0 ? "" : description[0].replace("%%", "%").replace("%n", " ");
  }

  private static String described(String text) {
    return text.isEmpty() || text.contains("${") ? "" : " -d " + quoted(text);
  }

  /// fish knows two escapes within single quotes.
  private static String quoted(String text) {
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'";
  }
}
