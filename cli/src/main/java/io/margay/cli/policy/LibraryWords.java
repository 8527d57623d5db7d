package io.margay.cli.policy;

import io.margay.linux.nft.LibNftables;
import io.margay.linux.nft.NftException;
import io.margay.linux.nft.NftTableName;
import io.margay.model.net.IpFamily;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/// Rules in the words of libnftables, from a process of its own: the library may end the process
/// where it can't put a rule into words, and what it said so far counts.
///
/// @param byHandle each rule's, by its handle
/// @param trouble why some are missing; empty if nothing went wrong
record LibraryWords(Map<Long, String> byHandle, String trouble) {

  /// Exit code of the process where there is no such library.
  private static final int NO_LIBRARY = 3;

  /// How long the library may take for all chains.
  private static final int PATIENCE_SECONDS = 30;

  /// The other process: prints the rules of one chain after the other, `handle<TAB>words` a line.
  /// The names of the chains are on its standard input, a line each: there may be very many.
  ///
  /// @param arguments family, table
  public static void main(String[] arguments) throws IOException {
    PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    List<String> chains =
        new String(System.in.readAllBytes(), StandardCharsets.UTF_8).lines().toList();
    Optional<LibNftables> library = LibNftables.load();
    if (library.isEmpty()) {
      System.exit(NO_LIBRARY);
    }
    NftTableName table = new NftTableName(IpFamily.valueOf(arguments[0]), arguments[1]);
    for (String chain : chains) {
      try {
        library
            .get()
            .rules(table, chain)
            .forEach((handle, text) -> out.println(handle + "\t" + text));
        out.flush();
      } catch (NftException refused) {
        System.err.println(refused.getMessage());
      }
    }
  }

  /// @param chains those that the library may end at last
  static LibraryWords of(NftTableName table, List<String> chains) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home", ""), "bin", "java").toString());
    command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
    command.addAll(
        List.of(
            "-cp",
            System.getProperty("java.class.path", ""),
            LibraryWords.class.getName(),
            table.family().name(),
            table.name()));
    return of(new ProcessBuilder(command).start(), chains, Duration.ofSeconds(PATIENCE_SECONDS));
  }

  /// @param process takes the chains and answers as [#main]
  static LibraryWords of(Process process, List<String> chains, Duration patience) {
    // Ends the reading below, whatever the process does.
    CompletableFuture<Boolean> late =
        new CompletableFuture<Boolean>()
            .completeOnTimeout(true, patience.toMillis(), TimeUnit.MILLISECONDS);
    late.thenAccept(isLate -> end(process, isLate));
    // Read beside the answer: a process that nobody listens to would stand still.
    CompletableFuture<String> said = new CompletableFuture<>();
    Thread.ofVirtual().start(() -> said.complete(firstLine(process)));
    Map<Long, String> words = new HashMap<>();
    String trouble = "";
    try (Writer to = process.outputWriter(StandardCharsets.UTF_8)) {
      to.write(String.join("\n", chains));
    } catch (IOException ended) {
      trouble = "it ended at once";
    }
    try (BufferedReader in = process.inputReader(StandardCharsets.UTF_8)) {
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        int tab = line.indexOf('\t');
        if (tab > 0 && line.substring(0, tab).chars().allMatch(Character::isDigit)) {
          words.put(Long.valueOf(line.substring(0, tab)), line.substring(tab + 1));
        }
      }
    } catch (IOException cut) {
      trouble = String.valueOf(cut.getMessage());
    }
    int exit = process.onExit().join().exitValue();
    boolean isLate = !late.complete(false);
    String first = said.join();
    return new LibraryWords(
        words,
        isLate
            ? "libnftables did not answer in " + patience.toSeconds() + " s"
            : trouble(exit, first.isEmpty() ? trouble : first));
  }

  private static void end(Process process, boolean isLate) {
    if (isLate) {
      process.destroyForcibly();
    }
  }

  private static String firstLine(Process process) {
    try (BufferedReader errors = process.errorReader(StandardCharsets.UTF_8)) {
      return errors.lines().reduce("", (before, line) -> before.isEmpty() ? line : before);
    } catch (IOException | UncheckedIOException closed) {
      return "";
    }
  }

  private static String trouble(int exit, String said) {
    return switch (exit) {
      case 0 -> said;
      case NO_LIBRARY -> "libnftables is not installed here";
      default -> "the libnftables here gives up on them" + (said.isEmpty() ? "" : ": " + said);
    };
  }
}
