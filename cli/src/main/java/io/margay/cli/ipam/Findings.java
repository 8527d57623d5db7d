package io.margay.cli.ipam;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import io.margay.ipam.care.Finding;
import io.margay.ipam.care.FindingKind;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// Findings as people and programs read them.
final class Findings {

  /// How many of a kind are shown unless all are asked for.
  static final int FEW = 5;

  private static final JsonMapper JSON = JsonMapper.builder().build();

  private Findings() {}

  /// Kind by kind: what it means and why it matters, then each with its repair.
  static String text(List<Finding> findings, boolean all) {
    Map<FindingKind, List<Finding>> byKind = new TreeMap<>();
    findings.forEach(
        finding -> byKind.computeIfAbsent(finding.kind(), _ -> new ArrayList<>()).add(finding));
    StringBuilder text = new StringBuilder();
    byKind.forEach(
        (kind, list) -> {
          text.append(kind).append(": ").append(list.size()).append('\n');
          text.append(IpamCommand.wrapped("  ", kind.meaning() + ": " + kind.why()));
          list.stream().limit(all ? Long.MAX_VALUE : FEW).forEach(one -> describe(one, text));
          if (!all && list.size() > FEW) {
            text.append("  and ").append(list.size() - FEW).append(" more: --show-problem-ips\n");
          }
        });
    return text.toString();
  }

  private static void describe(Finding finding, StringBuilder text) {
    text.append(IpamCommand.wrapped("  - ", finding.object() + ": " + finding.detail()));
    text.append(IpamCommand.wrapped("    repair: ", finding.remedy()));
  }

  static ArrayNode json(List<Finding> findings) {
    ArrayNode array = JSON.createArrayNode();
    for (Finding finding : findings) {
      array
          .addObject()
          .put("kind", finding.kind().name())
          .put("object", finding.object())
          .put("detail", finding.detail())
          .put("why", finding.kind().why())
          .put("repair", finding.remedy())
          .put("repairable", finding.fix().isPresent());
    }
    return array;
  }
}
