package io.margay.linux.nft;

import io.margay.model.net.IpFamily;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Reads a rule's instructions as the kernel shows them: what [ExprCodec] writes, read back.
final class ExprDecoder {

  private static final int LIST_ELEM = 1;
  private static final int META_NFTRACE = 12;

  private ExprDecoder() {}

  /// @param in the contents of NFTA_RULE_EXPRESSIONS
  /// @param family the table's
  /// @return null if one of them is none that we write
  static @Nullable List<NftExpr> decode(AttributeReader in, IpFamily family) {
    List<NftExpr> expressions = new ArrayList<>();
    while (in.next()) {
      if (in.type() != LIST_ELEM) {
        continue;
      }
      NftExpr expression = expression(in.nested(), family);
      if (expression == null) {
        return null;
      }
      expressions.add(expression);
    }
    return expressions;
  }

  private static @Nullable NftExpr expression(AttributeReader in, IpFamily family) {
    String name = "";
    Fields fields = new Fields(Map.of());
    while (in.next()) {
      switch (in.type()) {
        case 1 -> name = in.text();
        case 2 -> fields = Fields.of(in.nested());
        default -> {}
      }
    }
    try {
      return expression(name, fields, family);
    } catch (IllegalArgumentException notOurs) {
      return null;
    }
  }

  private static @Nullable NftExpr expression(String name, Fields in, IpFamily family) {
    return switch (name) {
      case "payload" ->
          switch (in.number(2)) {
            case 1 -> payload(NftExpr.Base.NETWORK, in);
            case 2 -> payload(NftExpr.Base.TRANSPORT, in);
            default -> null;
          };
      case "meta" -> meta(in);
      case "ct" -> ct(in, family);
      case "bitwise" -> new NftExpr.Mask(in.register(1), in.value(4));
      case "cmp" -> {
        for (NftExpr.Comparison comparison : NftExpr.Comparison.values()) {
          if (comparison.code() == in.number(2)) {
            yield new NftExpr.Compare(in.register(1), comparison, in.value(3));
          }
        }
        yield null;
      }
      case "range" ->
          new NftExpr.Range(in.register(1), in.number(2) == 1, in.value(3), in.value(4));
      case "lookup" -> lookup(in);
      case "fib" ->
          in.number(3) == 1
              ? new NftExpr.SourceType(in.register(1))
              : new NftExpr.DestinationType(in.register(1));
      case "immediate" -> {
        NftVerdict verdict = in.verdict(2);
        yield verdict == null
            ? new NftExpr.Load(in.register(1), in.value(2))
            : new NftExpr.Judge(verdict);
      }
      case "counter" -> new NftExpr.Counter();
      case "limit" -> new NftExpr.Limit(in.longNumber(1), (int) in.longNumber(2), in.number(3));
      case "log" ->
          in.has(1)
              ? new NftExpr.LogGroup(in.text(2), in.number(1), in.number(3))
              : new NftExpr.Log(in.text(2));
      case "masq" -> new NftExpr.Masquerade(in.register(2), in.register(3));
      case "notrack" -> new NftExpr.Notrack();
      case "nat" ->
          in.number(1) == ExprCodec.NAT_SOURCE
              ? new NftExpr.SourceNat(family, in.register(3), in.register(5), in.register(6))
              : new NftExpr.DestinationNat(family, in.register(3), in.register(5));
      default -> null;
    };
  }

  private static NftExpr payload(NftExpr.Base base, Fields in) {
    return new NftExpr.Payload(base, in.number(3), in.number(4), in.register(1));
  }

  private static @Nullable NftExpr meta(Fields in) {
    if (in.number(2) == META_NFTRACE && in.has(3)) {
      return new NftExpr.Trace(in.register(3));
    }
    for (NftExpr.MetaKey key : NftExpr.MetaKey.values()) {
      if (key.code() == in.number(2)) {
        return new NftExpr.Meta(key, in.register(1));
      }
    }
    return null;
  }

  private static @Nullable NftExpr ct(Fields in, IpFamily family) {
    int register = in.register(1);
    int key = in.number(2);
    if (key == ExprCodec.CT_KEY_STATE) {
      return new NftExpr.CtState(register);
    }
    if (key == ExprCodec.CT_KEY_STATUS) {
      return new NftExpr.CtStatus(register);
    }
    for (NftExpr.CtEnd end : NftExpr.CtEnd.values()) {
      if (ExprCodec.key(end, family) == key) {
        return new NftExpr.CtOriginal(end, family, register);
      }
    }
    return null;
  }

  private static NftExpr lookup(Fields in) {
    if (!in.has(3)) {
      return new NftExpr.Lookup(
          in.text(1), in.register(2), (in.number(5) & ExprCodec.LOOKUP_INVERTED) != 0);
    }
    return in.number(3) == ExprCodec.VERDICT_REGISTER
        ? new NftExpr.VerdictMap(in.text(1), in.register(2))
        : new NftExpr.DataMap(in.text(1), in.register(2), in.register(3));
  }

  /// An instruction's attributes by their number.
  private record Fields(Map<Integer, AttributeReader> positions) {

    /// `NFT_REG_1` to `NFT_REG_4`, of 16 octets each, are how the kernel shows every fourth slot.
    private static final int WIDE_REGISTERS = 4;

    static Fields of(AttributeReader in) {
      Map<Integer, AttributeReader> positions = new HashMap<>();
      while (in.next()) {
        positions.put(in.type(), in.here());
      }
      return new Fields(positions);
    }

    boolean has(int type) {
      return positions.containsKey(type);
    }

    private AttributeReader at(int type) {
      AttributeReader found = positions.get(type);
      if (found == null) {
        throw new IllegalArgumentException("attribute " + type + " is missing");
      }
      return found;
    }

    int number(int type) {
      return has(type) ? at(type).be32() : 0;
    }

    long longNumber(int type) {
      return has(type) ? at(type).be64() : 0;
    }

    String text(int type) {
      return has(type) ? at(type).text() : "";
    }

    int register(int type) {
      int shown = number(type);
      return shown >= 1 && shown <= WIDE_REGISTERS
          ? NftExpr.FIRST_REGISTER + (shown - 1) * 4
          : shown;
    }

    NftData value(int type) {
      AttributeReader in = at(type).nested();
      while (in.next()) {
        if (in.type() == ExprCodec.DATA_VALUE) {
          return in.data();
        }
      }
      throw new IllegalArgumentException("attribute " + type + " holds no value");
    }

    /// Null if the attribute holds none.
    @Nullable NftVerdict verdict(int type) {
      AttributeReader in = at(type).nested();
      while (in.next()) {
        if (in.type() == ExprCodec.DATA_VERDICT) {
          NftVerdict verdict = ExprCodec.readVerdict(in.nested());
          if (verdict == null) {
            throw new IllegalArgumentException("a verdict of others");
          }
          return verdict;
        }
      }
      return null;
    }
  }
}
