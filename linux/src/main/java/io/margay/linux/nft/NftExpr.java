package io.margay.linux.nft;

import io.margay.model.net.IpFamily;
import java.nio.charset.StandardCharsets;

/// One instruction of a rule, as the nf_tables virtual machine has it.
///
/// Registers are the 32-bit slots 8 to 23 (`NFT_REG32_00` and on); longer values fill consecutive
/// slots. A rule ends at the first instruction that does not match.
public sealed interface NftExpr {

  /// The first register, and the one every single-field match uses.
  int FIRST_REGISTER = 8;

  int LAST_REGISTER = 23;

  /// Loads `length` octets of the packet.
  record Payload(Base base, int offset, int length, int register) implements NftExpr {
    public Payload {
      requireRegister(register, length);
    }
  }

  enum Base {
    NETWORK(1),
    TRANSPORT(2);

    private final int code;

    Base(int code) {
      this.code = code;
    }

    int code() {
      return code;
    }
  }

  /// Loads a fact about the packet.
  record Meta(MetaKey key, int register) implements NftExpr {
    public Meta {
      requireRegister(register, key.octets());
    }
  }

  enum MetaKey {
    IIFNAME(6, NftData.INTERFACE_NAME_OCTETS),
    OIFNAME(7, NftData.INTERFACE_NAME_OCTETS),
    L4PROTO(16, 1);

    private final int code;
    private final int octets;

    MetaKey(int code, int octets) {
      this.code = code;
      this.octets = octets;
    }

    int code() {
      return code;
    }

    int octets() {
      return octets;
    }
  }

  /// Loads the state bits of the packet's connection, in host order.
  record CtState(int register) implements NftExpr {
    public static final int INVALID = 1;
    public static final int ESTABLISHED = 2;
    public static final int RELATED = 4;
    public static final int NEW = 8;

    public CtState {
      requireRegister(register, 4);
    }
  }

  /// Register = register AND mask, in place.
  record Mask(int register, NftData mask) implements NftExpr {
    public Mask {
      requireRegister(register, mask.length());
    }
  }

  /// Goes on only if the register compares so; data shorter than the field compares its beginning.
  record Compare(int register, Comparison comparison, NftData data) implements NftExpr {
    public Compare {
      requireRegister(register, data.length());
    }
  }

  enum Comparison {
    EQUAL(0, ""),
    NOT_EQUAL(1, "!= ");

    private final int code;
    private final String text;

    Comparison(int code, String text) {
      this.code = code;
      this.text = text;
    }

    int code() {
      return code;
    }

    String text() {
      return text;
    }
  }

  /// Goes on only if `from` ≤ register ≤ `to` as big-endian numbers, or only if not.
  record Range(int register, boolean inverted, NftData from, NftData to) implements NftExpr {
    public Range {
      requireRegister(register, from.length());
      if (from.length() != to.length()) {
        throw new IllegalArgumentException("range ends " + from + " and " + to + " differ in size");
      }
    }
  }

  /// Goes on only if the registers' value is a member of the set, or only if it is not.
  record Lookup(String set, int register, boolean inverted) implements NftExpr {}

  /// Applies the verdict the map holds for the registers' value; goes on if it holds none.
  record VerdictMap(String map, int register) implements NftExpr {}

  /// Loads what the map holds for the value from `register` on; goes on only if it holds something.
  ///
  /// @param register where the key begins
  /// @param into where the value is to begin, which may be the same
  record DataMap(String map, int register, int into) implements NftExpr {}

  /// Loads the kind of the destination address, by the node's routes, in host order.
  record DestinationType(int register) implements NftExpr {
    /// RTN_LOCAL: an address of the node.
    public static final int LOCAL = 2;

    public DestinationType {
      requireRegister(register, 4);
    }
  }

  /// Loads a constant.
  record Load(int register, NftData data) implements NftExpr {
    public Load {
      requireRegister(register, data.length());
    }
  }

  /// Applies a verdict.
  record Judge(NftVerdict verdict) implements NftExpr {}

  /// Counts packets and octets that come so far.
  record Counter() implements NftExpr {}

  /// Goes on only while fewer than `ratePerSecond` packets a second came, with some burst.
  record Limit(long ratePerSecond, int burst) implements NftExpr {
    public Limit {
      if (ratePerSecond < 1 || burst < 0) {
        throw new IllegalArgumentException(
            "limit of " + ratePerSecond + " packets a second, burst " + burst);
      }
    }
  }

  /// Writes the packet's header to the kernel log.
  ///
  /// @param prefix at most 127 octets (NF_LOG_PREFIXLEN less its zero)
  record Log(String prefix) implements NftExpr {
    public static final int MAX_PREFIX_OCTETS = 127;

    public Log {
      int octets = prefix.getBytes(StandardCharsets.UTF_8).length;
      if (octets > MAX_PREFIX_OCTETS) {
        throw new IllegalArgumentException(
            "log prefix of " + octets + " octets; at most " + MAX_PREFIX_OCTETS);
      }
    }
  }

  /// Gives the connection the outgoing interface's address. In `nat` postrouting chains only.
  record Masquerade() implements NftExpr {}

  /// Leads the connection to the address and port in the registers. In `nat` prerouting and output
  /// chains only; ends the chain.
  record DestinationNat(IpFamily family, int address, int port) implements NftExpr {
    public DestinationNat {
      requireRegister(address, family.octets());
      requireRegister(port, 2);
    }
  }

  private static void requireRegister(int register, int octets) {
    int last = register + NftData.padded(octets) / 4 - 1;
    if (register < FIRST_REGISTER || octets < 1 || last > LAST_REGISTER) {
      throw new IllegalArgumentException(
          octets + " octets at register " + register + " do not fit slots 8 to 23");
    }
  }
}
