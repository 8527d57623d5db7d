package io.margay.linux.nft;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Gathers the base chains of all tables, and for each how its last rule ends.
final class HookedChainsReader {

  private static final int NF_DROP = 0;

  private static final List<String> HOOKS =
      List.of("prerouting", "input", "forward", "output", "postrouting", "ingress");

  private record Key(int family, String table, String chain) {}

  private record Chain(String type, int hook, int priority, boolean dropPolicy) {}

  private final Map<Key, Chain> chains = new LinkedHashMap<>();
  private final Map<Key, NftHookedChain.End> lastRules = new HashMap<>();

  void chain(int family, AttributeReader in) {
    String table = "";
    String name = "";
    String type = "";
    int hook = -1;
    int priority = 0;
    int policy = 1;
    while (in.next()) {
      switch (in.type()) {
        case 1 -> table = in.text();
        case 3 -> name = in.text();
        case 4 -> {
          AttributeReader hooked = in.nested();
          while (hooked.next()) {
            if (hooked.type() == 1) {
              hook = hooked.be32();
            } else if (hooked.type() == 2) {
              priority = hooked.be32();
            }
          }
        }
        case 5 -> policy = in.be32();
        case 7 -> type = in.text();
        default -> {}
      }
    }
    if (hook >= 0) {
      chains.put(new Key(family, table, name), new Chain(type, hook, priority, policy == NF_DROP));
    }
  }

  /// Rules come in their order: the last one stays.
  void rule(int family, AttributeReader in) {
    String table = "";
    String chain = "";
    NftHookedChain.End end = NftHookedChain.End.ACCEPT;
    while (in.next()) {
      switch (in.type()) {
        case 1 -> table = in.text();
        case 2 -> chain = in.text();
        case 4 -> end = end(in.nested());
        default -> {}
      }
    }
    lastRules.put(new Key(family, table, chain), end);
  }

  /// A rule takes every packet if nothing in it can fail to match.
  private static NftHookedChain.End end(AttributeReader expressions) {
    NftHookedChain.End end = NftHookedChain.End.ACCEPT;
    while (expressions.next()) {
      AttributeReader expression = expressions.nested();
      String name = "";
      NftHookedChain.End said = NftHookedChain.End.ACCEPT;
      while (expression.next()) {
        if (expression.type() == 1) {
          name = expression.text();
        } else if (expression.type() == 2 && name.equals("immediate")) {
          said = drops(expression.nested()) ? NftHookedChain.End.DROP_RULE : said;
        }
      }
      switch (name) {
        case "counter", "log" -> {}
        case "immediate" -> end = said;
        case "reject" -> end = NftHookedChain.End.REJECT_RULE;
        default -> {
          return NftHookedChain.End.ACCEPT;
        }
      }
    }
    return end;
  }

  private static boolean drops(AttributeReader immediate) {
    while (immediate.next()) {
      if (immediate.type() == 2) {
        AttributeReader data = immediate.nested();
        while (data.next()) {
          if (data.type() == 2) {
            return isDrop(data.nested());
          }
        }
      }
    }
    return false;
  }

  private static boolean isDrop(AttributeReader verdict) {
    while (verdict.next()) {
      if (verdict.type() == 1) {
        return verdict.be32() == NF_DROP;
      }
    }
    return false;
  }

  /// Those of IPv4 and IPv6 packets.
  List<NftHookedChain> chains() {
    return chains.entrySet().stream()
        .filter(entry -> family(entry.getKey().family()) != null)
        .map(entry -> hooked(entry.getKey(), entry.getValue()))
        .toList();
  }

  private NftHookedChain hooked(Key key, Chain chain) {
    NftHookedChain.End end =
        chain.dropPolicy()
            ? NftHookedChain.End.DROP_POLICY
            : lastRules.getOrDefault(key, NftHookedChain.End.ACCEPT);
    String hook =
        chain.hook() < HOOKS.size() ? HOOKS.get(chain.hook()) : Integer.toString(chain.hook());
    return new NftHookedChain(
        String.valueOf(family(key.family())),
        key.table(),
        key.chain(),
        chain.type(),
        hook,
        chain.priority(),
        end);
  }

  /// NFPROTO_* of linux/netfilter.h; null for frames of bridges and devices, and for ARP.
  private static @Nullable String family(int code) {
    return switch (code) {
      case 1 -> "inet";
      case 2 -> "ip";
      case 10 -> "ip6";
      default -> null;
    };
  }
}
