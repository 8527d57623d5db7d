package io.margay.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The completion script in a real bash.
class CompletionTest {

  @Test
  void bash_completes_commands_options_and_kinds(@TempDir Path folder) throws Exception {
    Path script = Files.writeString(folder.resolve("margay.bash"), script());

    assertThat(completions(script, "margay", "valid")).containsExactly("validate");
    assertThat(completions(script, "margay", "get", "ippo")).containsExactly("ippools");
    assertThat(completions(script, "margay", "delete", "networkp"))
        .containsExactly("networkpolicies");
    assertThat(completions(script, "margay", "get", "--all-n")).containsExactly("--all-namespaces");
    assertThat(completions(script, "margay", "get", "-o", "wi")).containsExactly("wide");
    assertThat(completions(script, "margay", "completion", "z")).containsExactly("zsh");
  }

  private static String script() {
    PrintStream before = System.out;
    ByteArrayOutputStream octets = new ByteArrayOutputStream();
    System.setOut(new PrintStream(octets, true, StandardCharsets.UTF_8));
    try {
      assertThat(Main.run(new String[] {"completion", "bash"})).isZero();
    } finally {
      System.setOut(before);
    }
    return octets.toString(StandardCharsets.UTF_8);
  }

  /// What bash offers for the last word.
  private static List<String> completions(Path script, String... words) throws Exception {
    String line =
        "source "
            + script
            + "; COMP_WORDS=("
            + String.join(" ", words)
            + "); COMP_CWORD="
            + (words.length - 1)
            + "; COMP_LINE=\""
            + String.join(" ", words)
            + "\"; _complete_margay; printf '%s\\n' \"${COMPREPLY[@]}\"";
    // Outside of a completion bash complains about compopt, which only says how to add blanks.
    Process bash =
        new ProcessBuilder("bash", "--norc", "-c", line)
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    String out = new String(bash.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(bash.waitFor(60, TimeUnit.SECONDS)).isTrue();
    return out.lines().map(String::strip).filter(word -> !word.isEmpty()).distinct().toList();
  }
}
