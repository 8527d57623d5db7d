package io.margay.agent.firewall;

import io.margay.linux.nft.NftData;
import io.margay.linux.nft.NftDump;
import io.margay.linux.nft.NftElement;
import io.margay.linux.nft.NftException;
import io.margay.linux.nft.NftKernel;
import io.margay.linux.nft.NftOp;
import io.margay.linux.nft.NftSet;
import io.margay.linux.nft.NftTableName;
import io.margay.linux.nft.NftVerdict;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;

/// What another process may do to our tables, by the nft tool or by messages of its own.
enum Tampering {
  FLUSH_RULESET,
  DELETE_TABLE,
  FLUSH_TABLE,
  SWITCH_TABLE_OFF,
  FLUSH_CHAIN,
  DELETE_CHAIN,
  DELETE_RULE,
  ACCEPT_AT_THE_HEAD,
  FLUSH_SET,
  DELETE_SET_ELEMENT,
  ADD_SET_ELEMENT,
  DELETE_MAP_ELEMENT,
  MAP_ELEMENT_TO_ACCEPT,
  ADD_COUNTER,
  COUNT_WITH_A_COUNTER_OF_THEIRS,
  A_TABLE_OF_THEIR_OWN;

  /// @throws IOException if the nft tool was refused
  /// @throws NftException if the messages were refused
  void by(FirewallNamespaces lab, NftKernel other, NftTableName table)
      throws IOException, NftException {
    String family = table.toString().split(" ")[0];
    switch (this) {
      case FLUSH_RULESET -> lab.in("r", "nft flush ruleset");
      case DELETE_TABLE -> lab.in("r", "nft delete table " + table);
      case FLUSH_TABLE -> lab.in("r", "nft flush table " + table);
      case SWITCH_TABLE_OFF -> lab.in("r", "nft add table " + table + " { flags dormant; }");
      case FLUSH_CHAIN -> lab.in("r", "nft flush chain " + table + " ingress");
      case DELETE_CHAIN -> lab.in("r", "nft delete chain " + table + " ingress");
      case DELETE_RULE -> {
        String last =
            lab.in("r", "nft -a list chain " + table + " ingress")
                .lines()
                .filter(line -> line.contains("unknown-interface"))
                .findFirst()
                .orElseThrow();
        String handle = last.substring(last.indexOf("# handle "));
        lab.in("r", "nft delete rule " + table + " ingress " + handle.substring(2));
      }
      case ACCEPT_AT_THE_HEAD -> lab.in("r", "nft insert rule " + table + " ingress accept");
      case FLUSH_SET -> lab.in("r", "nft flush set " + table + " owned");
      case DELETE_SET_ELEMENT -> {
        Map.Entry<NftSet, NftElement> member = first(other, table, "members");
        other.commit(
            List.of(new NftOp.DeleteElements(table, member.getKey(), List.of(member.getValue()))));
      }
      case ADD_SET_ELEMENT -> {
        Map.Entry<NftSet, NftElement> member = first(other, table, "members");
        byte[] key = member.getValue().key().toBytes();
        key[key.length - 1] = 3;
        other.commit(
            List.of(
                new NftOp.AddElements(
                    table, member.getKey(), List.of(NftElement.of(NftData.of(key))))));
      }
      case DELETE_MAP_ELEMENT -> {
        Map.Entry<NftSet, NftElement> wire = first(other, table, "to_wl");
        other.commit(
            List.of(new NftOp.DeleteElements(table, wire.getKey(), List.of(wire.getValue()))));
      }
      case MAP_ELEMENT_TO_ACCEPT -> {
        Map.Entry<NftSet, NftElement> wire = first(other, table, "to_wl");
        other.commit(
            List.of(
                new NftOp.DeleteElements(table, wire.getKey(), List.of(wire.getValue())),
                new NftOp.AddElements(
                    table,
                    wire.getKey(),
                    List.of(NftElement.verdict(wire.getValue().key(), NftVerdict.ACCEPT)))));
      }
      case ADD_COUNTER -> lab.in("r", "nft add counter " + table + " theirs");
      case COUNT_WITH_A_COUNTER_OF_THEIRS ->
          lab.in(
              "r",
              "nft add counter "
                  + (table + " theirs ; insert rule ")
                  + (table + " ingress counter name theirs accept"));
      case A_TABLE_OF_THEIR_OWN -> {
        lab.in("r", "nft add table " + family + " theirs");
        lab.in("r", "nft delete table " + family + " theirs");
      }
    }
  }

  /// The set with its first element by key.
  private static Map.Entry<NftSet, NftElement> first(
      NftKernel kernel, NftTableName table, String set) throws NftException {
    NftDump.Elements found =
        Objects.requireNonNull(kernel.dump(table).orElseThrow().sets().get(set), set);
    List<NftElement> sorted =
        found.elements().values().stream()
            .sorted((a, b) -> a.key().compareTo(b.key()))
            .collect(Collectors.toList());
    return Map.entry(found.definition(), sorted.getFirst());
  }
}
