package io.margay.cli.policy;

import io.margay.linux.nft.NftCounter;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/// A table for people, at most [#WIDTH] columns wide but for words that are longer by themselves.
final class LiveTableText {

  static final int WIDTH = 100;

  /// Packets and octets, right-aligned.
  private static final String NUMBERS = "%12s %14s  ";

  private static final int INDENT = 31;
  private static final Pattern COUNTED = Pattern.compile("counter packets [0-9]+ bytes [0-9]+");

  private LiveTableText() {}

  static void print(LiveTable table, PrintWriter out) {
    wrap("table " + table.name() + ", " + table.printer(), 0).forEach(out::println);
    boolean isMixed =
        table.chains().values().stream()
            .flatMap(List::stream)
            .anyMatch(rule -> !rule.isPrintedByUs());
    for (Map.Entry<String, List<LiveTable.Rule>> chain : table.chains().entrySet()) {
      out.println();
      out.println("chain " + chain.getKey());
      out.println(NUMBERS.formatted("PACKETS", "BYTES") + "RULE");
      for (LiveTable.Rule rule : chain.getValue()) {
        NftCounter counter = rule.rule().info().counter();
        String numbers =
            counter == null
                ? NUMBERS.formatted("-", "-")
                : NUMBERS.formatted(counter.packets(), counter.octets());
        List<String> lines = new ArrayList<>(wrap(rule.author().words(), INDENT - 2));
        out.println(numbers + lines.removeFirst());
        lines.forEach(line -> out.println(" ".repeat(INDENT - 2) + line));
        String text = COUNTED.matcher(rule.text()).replaceAll("counter");
        wrap(isMixed && rule.isPrintedByUs() ? "* " + text : text, INDENT)
            .forEach(line -> out.println(" ".repeat(INDENT) + line));
      }
    }
  }

  private static List<String> wrap(String text, int indent) {
    List<String> lines = new ArrayList<>();
    StringBuilder line = new StringBuilder();
    for (String word : text.split(" ")) {
      if (!line.isEmpty() && indent + line.length() + 1 + word.length() > WIDTH) {
        lines.add(line.toString());
        line.setLength(0);
      }
      line.append(line.isEmpty() ? "" : " ").append(word);
    }
    lines.add(line.toString());
    return lines;
  }
}
