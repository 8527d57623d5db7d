package io.margay.cli.policy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.margay.agent.NodeAgent;
import io.margay.linux.nft.KernelNftables;
import io.margay.linux.nft.NftChain;
import io.margay.linux.nft.NftCounter;
import io.margay.linux.nft.NftException;
import io.margay.linux.nft.NftHook;
import io.margay.linux.nft.NftRule;
import io.margay.linux.nft.NftRuleBuilder;
import io.margay.linux.nft.NftRuleBuilder.Side;
import io.margay.linux.nft.NftRuleInfo;
import io.margay.linux.nft.NftTable;
import io.margay.linux.nft.NftTableName;
import io.margay.linux.nft.NftTrace;
import io.margay.linux.nft.NftTraceListener;
import io.margay.policy.oracle.Flow;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/// Follows the packets of one flow through all tables of this network namespace's kernel, whichever
/// tool wrote them.
///
/// A table of its own, `margay-why-PID`, which marks such packets for tracing and decides nothing,
/// is there while it watches. It is this process's own: the kernel takes it away however the
/// process ends, by SIGKILL too. A kernel before 5.12 doesn't, which is said.
final class LiveTrace {

  /// Before every other tool's chains, and before connection tracking.
  private static final int PRIORITY = -450;

  private static final int PACKETS_PER_SECOND = 20;
  private static final Duration SLICE = Duration.ofMillis(200);
  private static final Set<Integer> WITH_PORTS = Set.of(6, 17, 132, 136);

  private final Flow flow;
  private final NftTableName ours;
  private final Consumer<String> warnings;

  /// @param warnings told, a line each, what a person should know of the way it is done
  LiveTrace(Flow flow, Consumer<String> warnings) {
    this.flow = flow;
    this.warnings = warnings;
    this.ours = new NftTableName(flow.family(), NodeAgent.TABLE);
  }

  /// What was seen.
  ///
  /// @param packets how many were traced
  /// @param dropped by whom, and how often
  /// @param counted rules of ours whose counters rose meanwhile, by how many packets
  record Seen(int packets, Map<String, Integer> dropped, Map<String, Long> counted, long seconds) {

    void print(PrintWriter out) {
      if (packets == 0) {
        out.println("  live: no such packet came by in " + seconds + " s; is it sent, and is this");
        out.println("        the node of one of its ends?");
      } else if (dropped.isEmpty()) {
        out.println("  live: " + packets + " packets came by and none was dropped here");
      }
      dropped.forEach(
          (who, times) ->
              out.println(
                  "  live: " + times + " of " + packets + " packets were dropped by " + who));
      counted.forEach(
          (rule, times) -> out.println("  counted meanwhile: " + rule + ": " + times + " packets"));
    }

    JsonNode toJson() {
      ObjectNode document = JsonNodeFactory.instance.objectNode();
      document.put("seconds", seconds).put("packets", packets);
      ArrayNode drops = document.putArray("dropped");
      dropped.forEach((who, times) -> drops.addObject().put("by", who).put("packets", times));
      ArrayNode counters = document.putArray("counted");
      counted.forEach(
          (rule, times) -> counters.addObject().put("rule", rule).put("packets", times));
      return document;
    }
  }

  Seen watch(Duration time) throws NftException {
    String name = "margay-why-" + ProcessHandle.current().pid();
    try (KernelNftables reader = KernelNftables.open();
        NftTraceListener listener = NftTraceListener.open();
        NftTable marker =
            new NftTable(KernelNftables.open(), name, NftTable.Ownership.WHILE_OPEN)) {
      if (!reader.features().passingOwner()) {
        warnings.accept(
            "this kernel lets no table end with its process: if SIGKILL ends this one, remove "
                + new NftTableName(flow.family(), name)
                + " with `nft delete table`");
      }
      Map<String, NftCounter> before = counters(reader);
      Thread onExit = new Thread(() -> remove(marker));
      Runtime.getRuntime().addShutdownHook(onExit);
      try {
        for (NftHook.Point point : List.of(NftHook.Point.PREROUTING, NftHook.Point.OUTPUT)) {
          marker.putChain(
              flow.family(),
              new NftChain(
                  point.name().toLowerCase(Locale.ROOT),
                  new NftHook(NftHook.Type.FILTER, point, PRIORITY),
                  List.of(mark())));
        }
        marker.apply();
        return listen(listener, reader, before, time);
      } finally {
        Runtime.getRuntime().removeShutdownHook(onExit);
        remove(marker);
      }
    }
  }

  private static void remove(NftTable marker) {
    try {
      marker.destroy();
    } catch (NftException refused) {
      System.err.println(
          "margay: the table that marks packets for tracing is left behind: "
              + refused.getMessage());
    }
  }

  private NftRule mark() {
    NftRuleBuilder rule =
        new NftRuleBuilder(flow.family())
            .address(Side.SOURCE, flow.source().toHostPrefix(), false)
            .address(Side.DESTINATION, flow.destination().toHostPrefix(), false)
            .protocol(flow.protocol(), false);
    if (WITH_PORTS.contains(flow.protocol())) {
      rule.port(Side.DESTINATION, flow.destinationPort(), flow.destinationPort(), false);
    }
    return rule.limit(PACKETS_PER_SECOND, PACKETS_PER_SECOND).trace().build("why");
  }

  private Seen listen(
      NftTraceListener listener,
      KernelNftables reader,
      Map<String, NftCounter> before,
      Duration time)
      throws NftException {
    Map<Long, NftRuleInfo> rules = new HashMap<>();
    for (NftRuleInfo rule : reader.rules(ours)) {
      rules.put(rule.handle(), rule);
    }
    Set<Integer> packets = new HashSet<>();
    Map<String, Integer> dropped = new LinkedHashMap<>();
    long end = System.nanoTime() + time.toNanos();
    while (System.nanoTime() < end) {
      for (NftTrace step : listener.take(SLICE)) {
        packets.add(step.id());
        if (step.verdict().code() == NftTrace.Code.DROP) {
          dropped.merge(who(step, rules), 1, Integer::sum);
        }
      }
    }
    Map<String, Long> counted = new LinkedHashMap<>();
    counters(reader)
        .forEach(
            (rule, now) -> {
              NftCounter then = before.get(rule);
              long rose = now.packets() - (then == null ? 0 : then.packets());
              if (rose > 0) {
                counted.put(rule, rose);
              }
            });
    return new Seen(packets.size(), dropped, counted, time.toSeconds());
  }

  private String who(NftTrace step, Map<Long, NftRuleInfo> rules) {
    List<String> words = new ArrayList<>();
    NftRuleInfo rule = rules.get(step.ruleHandle());
    if (step.table().equals(ours.name()) && rule != null) {
      words.add("our rule " + rule.id());
    } else if (step.kind() == NftTrace.Kind.POLICY) {
      words.add("the policy of the chain, no rule");
    } else {
      words.add("rule handle " + step.ruleHandle());
    }
    words.add("in table " + step.table() + ", chain " + step.chain());
    return String.join(" ", words);
  }

  private Map<String, NftCounter> counters(KernelNftables reader) throws NftException {
    return NftRuleInfo.counters(reader.rules(ours));
  }
}
