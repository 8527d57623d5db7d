package io.margay.cli.policy;

import io.margay.agent.NodeAgent;
import io.margay.linux.nft.KernelNftables;
import io.margay.linux.nft.NftException;
import io.margay.linux.nft.NftPrintedRule;
import io.margay.linux.nft.NftTableName;
import io.margay.model.net.IpFamily;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/// One of the node's tables as its kernel has it now.
///
/// @param chains their rules in order
/// @param printer who wrote the rules' words, and why if it is not libnftables alone
record LiveTable(NftTableName name, Map<String, List<Rule>> chains, String printer) {

  /// A rule, whose it is, and its words.
  ///
  /// @param isPrintedByUs whether the words are not libnftables'
  record Rule(NftPrintedRule rule, RuleAuthor author, String text, boolean isPrintedByUs) {}

  /// Reads the table in this thread's network namespace; empty if there is none.
  static Optional<LiveTable> read(KernelNftables kernel, IpFamily family)
      throws NftException, IOException {
    NftTableName name = new NftTableName(family, NodeAgent.TABLE);
    List<NftPrintedRule> rules = kernel.printedRules(name);
    if (rules.isEmpty()) {
      return Optional.empty();
    }
    // Chains with rules that some versions of the library end at come last.
    List<String> chains =
        rules.stream()
            .collect(
                Collectors.groupingBy(
                    rule -> rule.info().chain(),
                    LinkedHashMap::new,
                    Collectors.reducing(false, NftPrintedRule::isHardToPrint, Boolean::logicalOr)))
            .entrySet()
            .stream()
            .sorted(Map.Entry.comparingByValue())
            .map(Map.Entry::getKey)
            .toList();
    return Optional.of(of(name, rules, LibraryWords.of(name, chains)));
  }

  /// @param words of libnftables; a rule that has none is printed by us
  static LiveTable of(NftTableName name, List<NftPrintedRule> rules, LibraryWords words) {
    Map<String, List<Rule>> chains = new LinkedHashMap<>();
    int without = 0;
    for (NftPrintedRule rule : rules) {
      String text = words.byHandle().get(rule.info().handle());
      without += text == null ? 1 : 0;
      chains
          .computeIfAbsent(rule.info().chain(), _ -> new ArrayList<>())
          .add(
              new Rule(
                  rule,
                  RuleAuthor.of(rule.info().id()),
                  text == null ? rule.text() : text,
                  text == null));
    }
    return new LiveTable(name, chains, printer(without, rules.size(), words.trouble()));
  }

  private static String printer(int without, int all, String trouble) {
    if (without == 0) {
      return "printed by libnftables";
    }
    String why = trouble.isEmpty() ? "" : "; " + trouble;
    return without == all
        ? "printed by margay itself" + why
        : "printed by libnftables, but for the "
            + without
            + " rules marked *, printed by margay itself"
            + why;
  }

  /// Only the rules that are meant, in their chains.
  LiveTable only(Predicate<RuleAuthor> meant) {
    Map<String, List<Rule>> kept = new LinkedHashMap<>();
    chains.forEach(
        (chain, rules) -> {
          List<Rule> those = rules.stream().filter(rule -> meant.test(rule.author())).toList();
          if (!those.isEmpty()) {
            kept.put(chain, those);
          }
        });
    return new LiveTable(name, kept, printer);
  }

  /// The chains that hold a rule that is meant, and all that these lead to.
  LiveTable from(Predicate<RuleAuthor> meant) {
    Set<String> reached = new LinkedHashSet<>(only(meant).chains.keySet());
    Deque<String> left = new ArrayDeque<>(reached);
    while (!left.isEmpty()) {
      for (Rule rule : chains.getOrDefault(left.removeFirst(), List.of())) {
        for (String next : rule.rule().jumps()) {
          if (reached.add(next)) {
            left.addLast(next);
          }
        }
      }
    }
    Map<String, List<Rule>> kept = new LinkedHashMap<>();
    reached.forEach(chain -> kept.put(chain, chains.getOrDefault(chain, List.of())));
    return new LiveTable(name, kept, printer);
  }
}
