package io.margay.linux.nft;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// A rule as the kernel knows it: for counting, and for finding the rule a trace speaks of.
///
/// @param handle the kernel's number of it, unique in its table
/// @param id ours ([NftRule#id]); the comment of a foreign rule, empty if it has none
/// @param counter what its first counter has seen; null if it has none
public record NftRuleInfo(String chain, long handle, String id, @Nullable NftCounter counter) {

  /// What was counted under each rule id; rules of one id count together.
  public static Map<String, NftCounter> counters(List<NftRuleInfo> rules) {
    Map<String, NftCounter> sums = new TreeMap<>();
    for (NftRuleInfo rule : rules) {
      if (rule.counter() != null) {
        sums.merge(rule.id(), rule.counter(), NftCounter::plus);
      }
    }
    return sums;
  }

  /// @param in attributes of a NEWRULE message
  /// @return null if the rule is of another table
  static @Nullable NftRuleInfo read(AttributeReader in, String table) {
    String of = "";
    String chain = "";
    long handle = 0;
    String id = "";
    NftCounter counter = null;
    while (in.next()) {
      switch (in.type()) {
        case 1 -> of = in.text();
        case 2 -> chain = in.text();
        case 3 -> handle = in.be64();
        case 4 -> counter = counter(in.nested());
        case 7 -> id = NftRuleTag.id(in.data());
        default -> {}
      }
    }
    return of.equals(table) ? new NftRuleInfo(chain, handle, id, counter) : null;
  }

  private static @Nullable NftCounter counter(AttributeReader expressions) {
    while (expressions.next()) {
      AttributeReader expression = expressions.nested();
      boolean counts = false;
      while (expression.next()) {
        if (expression.type() == 1) {
          counts = expression.isText("counter");
        } else if (expression.type() == 2 && counts) {
          AttributeReader data = expression.nested();
          long octets = 0;
          long packets = 0;
          while (data.next()) {
            switch (data.type()) {
              case 1 -> octets = data.be64();
              case 2 -> packets = data.be64();
              default -> {}
            }
          }
          return new NftCounter(packets, octets);
        }
      }
    }
    return null;
  }
}
