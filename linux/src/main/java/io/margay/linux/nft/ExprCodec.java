package io.margay.linux.nft;

import io.margay.model.net.IpFamily;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Encodes a rule's instructions as the attributes of linux/netfilter/nf_tables.h.
final class ExprCodec {

  private static final int LIST_ELEM = 1;
  private static final int EXPR_NAME = 1;
  private static final int EXPR_DATA = 2;
  static final int DATA_VALUE = 1;
  static final int DATA_VERDICT = 2;
  private static final int VERDICT_CODE = 1;
  private static final int VERDICT_CHAIN = 2;
  static final int VERDICT_REGISTER = 0;
  static final int LOOKUP_INVERTED = 1;
  private static final int LOG_LEVEL_INFO = 6;
  static final int CT_KEY_STATE = 0;
  static final int CT_KEY_STATUS = 2;
  private static final byte[] CT_ORIGINAL = {0};
  private static final int LIMIT_PACKETS = 0;
  private static final int META_NFTRACE = 12;

  private static final int FIB_ADDRESS_TYPE = 3;
  private static final int FIB_SOURCE = 1;
  private static final int FIB_DESTINATION = 2;
  static final int NAT_SOURCE = 0;
  private static final int NAT_DESTINATION = 1;
  private static final int NAT_TO_PORTS = 2;

  private static final int NF_DROP = 0;
  private static final int NF_ACCEPT = 1;
  private static final int NFT_JUMP = -3;
  private static final int NFT_RETURN = -5;

  private ExprCodec() {}

  /// The contents of NFTA_RULE_EXPRESSIONS.
  static byte[] encode(List<NftExpr> expressions) {
    AttributeWriter out = new AttributeWriter();
    for (NftExpr expression : expressions) {
      encode(out, expression);
    }
    return out.toBytes();
  }

  private static void encode(AttributeWriter out, NftExpr expression) {
    int element = out.beginNest(LIST_ELEM);
    out.text(EXPR_NAME, name(expression));
    int data = out.beginNest(EXPR_DATA);
    body(out, expression);
    out.endNest(data);
    out.endNest(element);
  }

  private static String name(NftExpr expression) {
    return switch (expression) {
      case NftExpr.Payload _ -> "payload";
      case NftExpr.Meta _, NftExpr.Trace _ -> "meta";
      case NftExpr.CtState _, NftExpr.CtStatus _, NftExpr.CtOriginal _ -> "ct";
      case NftExpr.Mask _ -> "bitwise";
      case NftExpr.Compare _ -> "cmp";
      case NftExpr.Range _ -> "range";
      case NftExpr.Lookup _, NftExpr.VerdictMap _, NftExpr.DataMap _ -> "lookup";
      case NftExpr.DestinationType _, NftExpr.SourceType _ -> "fib";
      case NftExpr.Load _, NftExpr.Judge _ -> "immediate";
      case NftExpr.Counter _ -> "counter";
      case NftExpr.Limit _ -> "limit";
      case NftExpr.Log _, NftExpr.LogGroup _ -> "log";
      case NftExpr.Masquerade _ -> "masq";
      case NftExpr.Notrack _ -> "notrack";
      case NftExpr.SourceNat _, NftExpr.DestinationNat _ -> "nat";
    };
  }

  private static void body(AttributeWriter out, NftExpr expression) {
    switch (expression) {
      case NftExpr.Payload(NftExpr.Base base, int offset, int length, int register) -> {
        out.be32(1, register);
        out.be32(2, base.code());
        out.be32(3, offset);
        out.be32(4, length);
      }
      case NftExpr.Meta(NftExpr.MetaKey key, int register) -> {
        out.be32(1, register);
        out.be32(2, key.code());
      }
      case NftExpr.CtState(int register) -> {
        out.be32(1, register);
        out.be32(2, CT_KEY_STATE);
      }
      case NftExpr.CtStatus(int register) -> {
        out.be32(1, register);
        out.be32(2, CT_KEY_STATUS);
      }
      case NftExpr.CtOriginal(NftExpr.CtEnd end, IpFamily family, int register) -> {
        out.be32(1, register);
        out.be32(2, key(end, family));
        out.attribute(3, CT_ORIGINAL);
      }
      case NftExpr.Mask(int register, NftData mask) -> {
        out.be32(1, register);
        out.be32(2, register);
        out.be32(3, mask.length());
        value(out, 4, mask);
        value(out, 5, NftData.of(new byte[mask.length()]));
      }
      case NftExpr.Compare(int register, NftExpr.Comparison comparison, NftData data) -> {
        out.be32(1, register);
        out.be32(2, comparison.code());
        value(out, 3, data);
      }
      case NftExpr.Range(int register, boolean inverted, NftData from, NftData to) -> {
        out.be32(1, register);
        out.be32(2, inverted ? 1 : 0);
        value(out, 3, from);
        value(out, 4, to);
      }
      case NftExpr.Lookup(String set, int register, boolean inverted) -> {
        out.text(1, set);
        out.be32(2, register);
        if (inverted) {
          out.be32(5, LOOKUP_INVERTED);
        }
      }
      case NftExpr.VerdictMap(String map, int register) -> {
        out.text(1, map);
        out.be32(2, register);
        out.be32(3, VERDICT_REGISTER);
      }
      case NftExpr.DataMap(String map, int register, int into) -> {
        out.text(1, map);
        out.be32(2, register);
        out.be32(3, into);
      }
      case NftExpr.DestinationType(int register) -> {
        out.be32(1, register);
        out.be32(2, FIB_ADDRESS_TYPE);
        out.be32(3, FIB_DESTINATION);
      }
      case NftExpr.SourceType(int register) -> {
        out.be32(1, register);
        out.be32(2, FIB_ADDRESS_TYPE);
        out.be32(3, FIB_SOURCE);
      }
      case NftExpr.Load(int register, NftData data) -> {
        out.be32(1, register);
        value(out, 2, data);
      }
      case NftExpr.Judge(NftVerdict verdict) -> {
        out.be32(1, VERDICT_REGISTER);
        verdict(out, 2, verdict);
      }
      case NftExpr.Counter() -> {
        out.be64(1, 0);
        out.be64(2, 0);
      }
      case NftExpr.Limit(long packets, int seconds, int burst) -> {
        out.be64(1, packets);
        out.be64(2, seconds);
        out.be32(3, burst);
        out.be32(4, LIMIT_PACKETS);
      }
      case NftExpr.Log(String prefix) -> {
        out.text(2, prefix);
        out.be32(5, LOG_LEVEL_INFO);
      }
      case NftExpr.LogGroup(String prefix, int group, int octets) -> {
        out.be16(1, group);
        out.text(2, prefix);
        if (octets > 0) {
          out.be32(3, octets);
        }
      }
      case NftExpr.Trace(int register) -> {
        out.be32(2, META_NFTRACE);
        out.be32(3, register);
      }
      case NftExpr.Masquerade(int firstPort, int lastPort) -> {
        if (firstPort != 0) {
          // Of itself the kernel takes masquerading for any port, whatever the registers.
          out.be32(1, NAT_TO_PORTS);
          out.be32(2, firstPort);
          out.be32(3, lastPort);
        }
      }
      case NftExpr.SourceNat(IpFamily family, int address, int firstPort, int lastPort) -> {
        out.be32(1, NAT_SOURCE);
        out.be32(2, NftBatch.familyCode(family));
        out.be32(3, address);
        if (firstPort != 0) {
          out.be32(5, firstPort);
          out.be32(6, lastPort);
        }
      }
      case NftExpr.Notrack() -> {
        // It has no attributes.
      }
      case NftExpr.DestinationNat(IpFamily family, int address, int port) -> {
        out.be32(1, NAT_DESTINATION);
        out.be32(2, NftBatch.familyCode(family));
        out.be32(3, address);
        out.be32(5, port);
      }
    }
  }

  /// `enum nft_ct_keys`.
  static int key(NftExpr.CtEnd end, IpFamily family) {
    return switch (end) {
      case SOURCE_PORT -> 11;
      case DESTINATION_PORT -> 12;
      case SOURCE_ADDRESS ->
          switch (family) {
            case IPV4 -> 19;
            case IPV6 -> 21;
          };
      case DESTINATION_ADDRESS ->
          switch (family) {
            case IPV4 -> 20;
            case IPV6 -> 22;
          };
    };
  }

  static void value(AttributeWriter out, int type, NftData data) {
    int nest = out.beginNest(type);
    out.attribute(DATA_VALUE, data);
    out.endNest(nest);
  }

  static void verdict(AttributeWriter out, int type, NftVerdict verdict) {
    int data = out.beginNest(type);
    int nest = out.beginNest(DATA_VERDICT);
    switch (verdict) {
      case NftVerdict.Accept() -> out.be32(VERDICT_CODE, NF_ACCEPT);
      case NftVerdict.Drop() -> out.be32(VERDICT_CODE, NF_DROP);
      case NftVerdict.Return() -> out.be32(VERDICT_CODE, NFT_RETURN);
      case NftVerdict.Jump(String chain) -> {
        out.be32(VERDICT_CODE, NFT_JUMP);
        out.text(VERDICT_CHAIN, chain);
      }
    }
    out.endNest(nest);
    out.endNest(data);
  }

  /// The element of a map, as its data attribute completes it. One with a verdict we never write
  /// has none.
  static NftElement readData(AttributeReader data, NftElement element) {
    while (data.next()) {
      if (data.type() == DATA_VERDICT) {
        return new NftElement(element.key(), element.end(), readVerdict(data.nested()), null);
      }
      if (data.type() == DATA_VALUE) {
        return new NftElement(element.key(), element.end(), null, data.data());
      }
    }
    return element;
  }

  static @Nullable NftVerdict readVerdict(AttributeReader verdict) {
    int code = Integer.MIN_VALUE;
    String chain = "";
    while (verdict.next()) {
      switch (verdict.type()) {
        case VERDICT_CODE -> code = verdict.be32();
        case VERDICT_CHAIN -> chain = verdict.text();
        default -> {
          // Attributes of newer kernels do not change the verdict.
        }
      }
    }
    return switch (code) {
      case NF_ACCEPT -> NftVerdict.ACCEPT;
      case NF_DROP -> NftVerdict.DROP;
      case NFT_RETURN -> NftVerdict.RETURN;
      case NFT_JUMP -> NftVerdict.jump(chain);
      default -> null;
    };
  }
}
