package io.margay.cli.policy;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.linux.nft.NftCounter;
import io.margay.linux.nft.NftPrintedRule;
import io.margay.linux.nft.NftRuleInfo;
import io.margay.linux.nft.NftTableName;
import io.margay.model.net.IpFamily;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class LiveTableTest {

  private static final NftTableName NAME = new NftTableName(IpFamily.IPV4, "margay");

  private static final List<NftPrintedRule> RULES =
      List.of(
          rule("i-cali1", 1, "tier|default|ingress", null, "jump t-1", "t-1"),
          rule("i-cali1", 2, "endpoint|shop/n1-k8s-my--db-eth0|ingress|end", counter(1), "drop"),
          rule("t-1", 3, "policy|shop/db|ingress", null, "jump p-1", "p-1"),
          rule(
              "t-1", 4, "tier|default|ingress|merged|0", counter(9), "long ".repeat(40) + "accept"),
          rule("p-1", 5, "policy|shop/db|ingress|0", counter(7), "counter accept"),
          rule("p-1", 6, "policy|shop/db|ingress|1", counter(0), "counter drop"),
          rule("spoof", 7, "spoof|source|cali", counter(0), "counter drop"));

  private static NftPrintedRule rule(
      String chain,
      long handle,
      String id,
      @Nullable NftCounter counter,
      String text,
      String... jumps) {
    return new NftPrintedRule(new NftRuleInfo(chain, handle, id, counter), text, List.of(jumps));
  }

  private static NftCounter counter(long packets) {
    return new NftCounter(packets, packets * 60);
  }

  private static LiveTable table(Map<Long, String> words, String trouble) {
    return LiveTable.of(NAME, RULES, new LibraryWords(words, trouble));
  }

  private static String text(LiveTable table) {
    StringWriter text = new StringWriter();
    LiveTableText.print(table, new PrintWriter(text, true));
    return text.toString();
  }

  @Test
  void a_policy_is_found_by_either_name_and_a_pod_by_its_own() {
    assertThat(table(Map.of(), "").only(author -> author.isOfPolicy("shop/db")).chains().keySet())
        .containsExactly("t-1", "p-1");
    assertThat(table(Map.of(), "").only(author -> author.isOfPolicy("db")).chains()).hasSize(2);
    assertThat(table(Map.of(), "").only(author -> author.isOfPolicy("b")).chains()).isEmpty();
    assertThat(RuleAuthor.of("endpoint|shop/n1-k8s-my--db-eth0|ingress|end"))
        .matches(author -> author.isOfEndpoint("shop/my-db"))
        .matches(author -> author.isOfEndpoint("shop/n1-k8s-my--db-eth0"))
        .matches(author -> !author.isOfEndpoint("shop/db"))
        .matches(author -> !author.isOfEndpoint("other/my-db"));
  }

  @Test
  void a_pods_chains_are_those_its_packets_can_reach() {
    assertThat(
            table(Map.of(), "").from(author -> author.isOfEndpoint("shop/my-db")).chains().keySet())
        .containsExactly("i-cali1", "t-1", "p-1");
  }

  @Test
  void each_rule_has_its_counts_its_author_and_its_words_within_the_width() {
    String text = text(table(Map.of(), "libnftables is not installed here"));
    assertThat(text.lines())
        .allMatch(line -> line.length() <= LiveTableText.WIDTH)
        .contains(
            "table ip margay, printed by margay itself; libnftables is not installed here",
            "           7            420  policy shop/db, ingress rule 0",
            "                               counter accept",
            "           -              -  policy shop/db, ingress",
            "           9            540  tier default, ingress: rules of several policies, as"
                + " one");
  }

  @Test
  void what_the_library_can_not_print_is_marked() {
    Map<Long, String> words =
        Map.of(5L, "counter packets 7 bytes 420 accept", 6L, "counter packets 0 bytes 0 drop");
    String text = text(table(words, "crashed"));
    assertThat(text)
        .startsWith(
            "table ip margay, printed by libnftables, but for the 5 rules marked *, printed by")
        .contains("crashed", "                               counter accept\n", " * jump p-1\n");
  }
}
