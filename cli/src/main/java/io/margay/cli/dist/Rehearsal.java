package io.margay.cli.dist;

import io.margay.cli.Main;
import java.util.Arrays;
import java.util.List;

/// Runs several commands in one process, so that one training run sees the classes of all of them.
public final class Rehearsal {

  private static final String SEPARATOR = "--";

  private Rehearsal() {}

  /// @param args commands, `--` between them; it ends with the first exit code that is not 0
  public static void main(String[] args) {
    List<String> words = Arrays.asList(args);
    int code = 0;
    while (code == 0 && !words.isEmpty()) {
      int end = words.contains(SEPARATOR) ? words.indexOf(SEPARATOR) : words.size();
      code = Main.run(words.subList(0, end).toArray(String[]::new));
      words = words.subList(Math.min(end + 1, words.size()), words.size());
    }
    System.exit(code);
  }
}
