package io.margay.linux.nft;

import io.margay.model.net.IpFamily;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;

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
    public static final int UNTRACKED = 64;

    public CtState {
      requireRegister(register, 4);
    }
  }

  /// Loads the status bits of the packet's connection (`enum ip_conntrack_status`), in host order.
  /// Ends the rule for a packet without connection.
  record CtStatus(int register) implements NftExpr {
    /// IPS_DST_NAT: its destination was translated.
    public static final int DESTINATION_NAT = 32;

    public CtStatus {
      requireRegister(register, 4);
    }
  }

  /// Loads one end of the packet's connection as its first packet had it, before any translation.
  /// Ends the rule for a packet without connection.
  record CtOriginal(CtEnd end, IpFamily family, int register) implements NftExpr {
    public CtOriginal {
      requireRegister(register, end.isAddress() ? family.octets() : 2);
    }
  }

  enum CtEnd {
    SOURCE_ADDRESS,
    DESTINATION_ADDRESS,
    SOURCE_PORT,
    DESTINATION_PORT;

    boolean isAddress() {
      return this == SOURCE_ADDRESS || this == DESTINATION_ADDRESS;
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

  /// Loads the kind of the source address, as [DestinationType] does of the destination.
  record SourceType(int register) implements NftExpr {
    public SourceType {
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

  /// Goes on only while fewer than `packets` came in the time, with some burst.
  ///
  /// @param seconds the time: 1, a minute's, an hour's or a day's
  record Limit(long packets, int seconds, int burst) implements NftExpr {
    public Limit {
      if (packets < 1 || burst < 0 || !LimitTime.isOne(seconds)) {
        throw new IllegalArgumentException(
            "limit of " + packets + " packets in " + seconds + " seconds, burst " + burst);
      }
    }

    /// As nft writes it.
    String text() {
      String time = LimitTime.of(seconds).name().toLowerCase(Locale.ROOT);
      return "limit rate " + packets + "/" + time + " burst " + burst + " packets";
    }

    public static Limit perSecond(long packets, int burst) {
      return new Limit(packets, 1, burst);
    }
  }

  /// What a [Limit] is counted in.
  enum LimitTime {
    SECOND(1),
    MINUTE(60),
    HOUR(3600),
    DAY(86_400);

    private final int seconds;

    LimitTime(int seconds) {
      this.seconds = seconds;
    }

    public int seconds() {
      return seconds;
    }

    private static boolean isOne(int seconds) {
      return Arrays.stream(values()).anyMatch(time -> time.seconds == seconds);
    }

    static LimitTime of(int seconds) {
      return Arrays.stream(values())
          .filter(time -> time.seconds == seconds)
          .findFirst()
          .orElseThrow();
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

  /// Hands a copy of the packet to the listeners of a group of nfnetlink_log, and goes on.
  ///
  /// @param prefix as in [Log]
  /// @param group 0 to 65535
  /// @param octets how much of the packet, from the network header on; 0 = all
  record LogGroup(String prefix, int group, int octets) implements NftExpr {
    public LogGroup {
      Log log = new Log(prefix);
      if (group < 0 || group > 65535 || octets < 0) {
        throw new IllegalArgumentException(log + " to group " + group + ", " + octets + " octets");
      }
    }
  }

  /// From here on, tells the packet's way to who listens ([NftTraceListener]), if the register's
  /// octet is not 0.
  record Trace(int register) implements NftExpr {
    public Trace {
      requireRegister(register, 1);
    }
  }

  /// Gives the connection the outgoing interface's address. In `nat` postrouting chains only; ends
  /// the chain.
  ///
  /// @param firstPort where the least source port is that it may have; 0 = any port
  /// @param lastPort where the greatest is
  record Masquerade(int firstPort, int lastPort) implements NftExpr {
    public Masquerade {
      requirePorts(firstPort, lastPort);
    }
  }

  /// Gives the connection the address in the register as its source. In `nat` postrouting chains
  /// only; ends the chain.
  ///
  /// @param firstPort as in [Masquerade]
  /// @param lastPort as in [Masquerade]
  record SourceNat(IpFamily family, int address, int firstPort, int lastPort) implements NftExpr {
    public SourceNat {
      requireRegister(address, family.octets());
      requirePorts(firstPort, lastPort);
    }
  }

  /// Exempts the packet from connection tracking, if it comes before it.
  record Notrack() implements NftExpr {}

  /// Leads the connection to the address and port in the registers. In `nat` prerouting and output
  /// chains only; ends the chain.
  record DestinationNat(IpFamily family, int address, int port) implements NftExpr {
    public DestinationNat {
      requireRegister(address, family.octets());
      requireRegister(port, 2);
    }
  }

  private static void requirePorts(int first, int last) {
    if (first != 0 || last != 0) {
      requireRegister(first, 2);
      requireRegister(last, 2);
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
