package io.margay.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The completion scripts in the shells they are for.
class CompletionTest {

  @Test
  void bash_completes_commands_options_and_kinds(@TempDir Path folder) throws Exception {
    Path script = Files.writeString(folder.resolve("margay.bash"), script("bash"));

    assertThat(completions(script, "margay", "valid")).containsExactly("validate");
    assertThat(completions(script, "margay", "get", "ippo")).containsExactly("ippools");
    assertThat(completions(script, "margay", "delete", "networkp"))
        .containsExactly("networkpolicies");
    assertThat(completions(script, "margay", "get", "--all-n")).containsExactly("--all-namespaces");
    assertThat(completions(script, "margay", "get", "-o", "wi")).containsExactly("wide");
    assertThat(completions(script, "margay", "completion", "z")).containsExactly("zsh");
  }

  @Test
  @Tag("lab") // fish is installed for it
  void fish_completes_commands_options_and_kinds(@TempDir Path folder) throws Exception {
    Path script = Files.writeString(folder.resolve("margay.fish"), script("fish"));

    assertThat(fish(script, "margay valid")).containsExactly("validate");
    assertThat(fish(script, "margay get ippo")).containsExactly("ippools");
    assertThat(fish(script, "margay delete networkp")).containsExactly("networkpolicies");
    assertThat(fish(script, "margay get --all-n")).containsExactly("--all-namespaces");
    assertThat(fish(script, "margay get -o wi")).containsExactly("wide");
    assertThat(fish(script, "margay node check")).containsExactly("checksystem");
    assertThat(fish(script, "margay node checksystem valid")).isEmpty();
    assertThat(fish(script, "margay completion f")).containsExactly("fish");
  }

  @Test
  void fish_is_told_of_every_command_once() {
    List<String> lines = script("fish").lines().toList();
    for (String name : Main.names()) {
      assertThat(lines)
          .filteredOn(
              line -> line.startsWith("complete -c margay -n '__margay_exactly' -a " + name + " "))
          .as(name)
          .hasSize(1);
    }
    assertThat(lines).noneMatch(line -> line.contains("${"));
  }

  /// What fish offers for the last word of a line.
  private static List<String> fish(Path script, String line) throws Exception {
    Process fish =
        new ProcessBuilder(
                "fish",
                "--no-config",
                "-c",
                "source " + script + "; complete --do-complete '" + line + "'")
            .redirectErrorStream(true)
            .start();
    String out = new String(fish.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(fish.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(fish.exitValue()).as(out).isZero();
    return out.lines().map(offer -> offer.replaceFirst("\t.*", "")).toList();
  }

  private static String script(String shell) {
    PrintStream before = System.out;
    ByteArrayOutputStream octets = new ByteArrayOutputStream();
    System.setOut(new PrintStream(octets, true, StandardCharsets.UTF_8));
    try {
      assertThat(Main.run(new String[] {"completion", shell})).isZero();
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
