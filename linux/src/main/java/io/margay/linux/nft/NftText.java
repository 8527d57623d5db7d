package io.margay.linux.nft;

import io.margay.linux.nft.NftExpr.DestinationType;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// Prints tables the way the nft tool writes them, for people. Set keys begin with the set's
/// numeric id where nft has no notation of its own.
public final class NftText {

  private static final HexFormat HEX = HexFormat.of();

  private static final NftExpr IS_ICMPV6 =
      new NftExpr.Compare(
          NftExpr.FIRST_REGISTER, NftExpr.Comparison.EQUAL, NftData.octet(NftPacket.ICMPV6));

  /// What remains of a prefix that does not end with an octet.
  private static final Pattern MASKED_ADDRESS =
      Pattern.compile("(ip6? [sd]addr) & 0x([0-9a-f]+) (!= )?0x([0-9a-f]+)");

  private NftText() {}

  /// The whole table: sets with sorted elements, then chains.
  public static String print(NftTableState state) {
    StringBuilder out = new StringBuilder("table ").append(state.table()).append(" {\n");
    Map<String, NftSet> sets = new HashMap<>();
    state.sets().keySet().forEach(set -> sets.put(set.name(), set));
    state
        .sets()
        .forEach(
            (set, elements) -> {
              printSet(out, set, new ArrayList<>(elements));
              out.append('\n');
            });
    for (NftChain chain : state.chains()) {
      out.append("\tchain ").append(chain.name()).append(" {\n");
      if (chain.hook() != null) {
        out.append("\t\t").append(chain.hook()).append("; policy accept;\n");
      }
      for (NftRule rule : chain.rules()) {
        out.append("\t\t").append(print(rule, sets)).append('\n');
      }
      out.append("\t}\n\n");
    }
    return out.append("}\n").toString();
  }

  private static void printSet(StringBuilder out, NftSet set, List<NftElement> elements) {
    String yields =
        switch (set.shape()) {
          case HASH, INTERVAL -> "";
          case VERDICT_MAP -> " : verdict";
          case DATA_MAP -> " : " + fieldNames(set.data());
        };
    out.append(yields.isEmpty() ? "\tset " : "\tmap ").append(set.name()).append(" {\n\t\ttype ");
    out.append(fieldNames(set.key())).append(yields).append('\n');
    if (set.shape() == NftSet.Shape.INTERVAL) {
      out.append("\t\tflags interval\n");
    }
    elements.sort((a, b) -> a.key().compareTo(b.key()));
    String separator = "\t\telements = { ";
    for (NftElement element : elements) {
      out.append(separator).append(print(set, element));
      separator = ",\n\t\t\t     ";
    }
    out.append(elements.isEmpty() ? "\t}\n" : " }\n\t}\n");
  }

  private static String fieldNames(List<NftField> fields) {
    return fields.stream().map(NftText::fieldName).collect(Collectors.joining(" . "));
  }

  private static String fieldName(NftField field) {
    return switch (field) {
      case IPV4_ADDRESS -> "ipv4_addr";
      case IPV6_ADDRESS -> "ipv6_addr";
      case PROTOCOL -> "inet_proto";
      case PORT -> "inet_service";
      case MARK -> "mark";
      case INTERFACE_NAME -> "ifname";
    };
  }

  static String print(NftSet set, NftElement element) {
    String key = print(set.key(), element.key(), element.end());
    if (element.value() != null) {
      return key + " : " + print(set.data(), element.value(), null);
    }
    return element.verdict() == null ? key : key + " : " + verdict(element.verdict());
  }

  private static String print(List<NftField> fields, NftData first, @Nullable NftData last) {
    List<String> texts = new ArrayList<>();
    int at = 0;
    for (NftField field : fields) {
      NftData from = first.slice(at, field.octets());
      NftData to = last == null ? from : last.slice(at, field.octets());
      texts.add(from.equals(to) ? value(field, from) : range(field, from, to));
      at += field.paddedOctets();
    }
    return String.join(" . ", texts);
  }

  private static String range(NftField field, NftData from, NftData to) {
    int length = field.octets() * 8;
    byte[] first = from.raw();
    byte[] last = to.raw();
    int same = 0;
    while (same < length && bit(first, same) == bit(last, same)) {
      same++;
    }
    for (int i = same; i < length; i++) {
      if (bit(first, i) || !bit(last, i)) {
        return value(field, from) + "-" + value(field, to);
      }
    }
    return value(field, from) + "/" + same;
  }

  private static boolean bit(byte[] octets, int index) {
    return (octets[index / 8] >>> 7 - index % 8 & 1) != 0;
  }

  private static String value(NftField field, NftData data) {
    return switch (field) {
      case IPV4_ADDRESS, IPV6_ADDRESS -> IpAddress.of(data.toBytes()).toString();
      case PROTOCOL -> protocol(data);
      case PORT -> Integer.toString(Short.toUnsignedInt(ByteBuffer.wrap(data.raw()).getShort()));
      case MARK -> "0x" + HEX.toHexDigits(hostInt(data));
      case INTERFACE_NAME -> "\"" + name(data) + "\"";
    };
  }

  private static String protocol(NftData data) {
    return switch (data.raw()[0]) {
      case 1 -> "icmp";
      case 6 -> "tcp";
      case 17 -> "udp";
      case 58 -> "ipv6-icmp";
      case (byte) 132 -> "sctp";
      default -> Integer.toString(data.raw()[0] & 0xff);
    };
  }

  private static int hostInt(NftData data) {
    return ByteBuffer.wrap(data.raw()).order(ByteOrder.nativeOrder()).getInt();
  }

  private static String name(NftData data) {
    String text = new String(data.raw(), StandardCharsets.UTF_8);
    int end = text.indexOf('\0');
    return end < 0 ? text + "*" : text.substring(0, end);
  }

  private static String verdict(NftVerdict verdict) {
    return switch (verdict) {
      case NftVerdict.Accept() -> "accept";
      case NftVerdict.Drop() -> "drop";
      case NftVerdict.Return() -> "return";
      case NftVerdict.Jump(String chain) -> "jump " + chain;
    };
  }

  static String print(NftRule rule, Map<String, NftSet> sets) {
    return print(rule.expressions(), sets) + " comment \"" + rule.id() + "\"";
  }

  /// One rule, by following what its registers hold.
  static String print(List<NftExpr> expressions, Map<String, NftSet> sets) {
    boolean ofIcmpv6 = expressions.contains(IS_ICMPV6);
    Registers registers = new Registers();
    List<String> words = new ArrayList<>();
    for (NftExpr expression : expressions) {
      String text = print(expression, registers, sets);
      if (!text.isEmpty()) {
        words.add(prefix(ofIcmpv6 ? text.replaceFirst("^icmp ", "icmpv6 ") : text));
      }
    }
    return String.join(" ", words);
  }

  /// An address under a mask as the prefix that it is.
  private static String prefix(String text) {
    Matcher matcher = MASKED_ADDRESS.matcher(text);
    if (!matcher.matches()) {
      return text;
    }
    int length = new BigInteger(matcher.group(2), 16).bitCount();
    IpAddress address = IpAddress.of(HEX.parseHex(matcher.group(4)));
    return matcher.group(1)
        + " "
        + Objects.requireNonNullElse(matcher.group(3), "")
        + address
        + "/"
        + length;
  }

  private static String print(NftExpr expression, Registers registers, Map<String, NftSet> sets) {
    return switch (expression) {
      case NftExpr.Payload(NftExpr.Base base, int offset, int length, int register) ->
          registers.load(register, payload(base, offset, length));
      case NftExpr.Meta(NftExpr.MetaKey key, int register) ->
          registers.load(
              register,
              switch (key) {
                case IIFNAME -> "iifname";
                case OIFNAME -> "oifname";
                case L4PROTO -> "meta l4proto";
              });
      case NftExpr.CtState(int register) -> registers.load(register, "ct state");
      case NftExpr.CtStatus(int register) -> registers.load(register, "ct status");
      case NftExpr.CtOriginal(NftExpr.CtEnd end, IpFamily family, int register) ->
          registers.load(register, "ct original " + name(end, family));
      case NftExpr.Mask(int register, NftData mask) -> {
        String left = registers.at(register);
        yield registers.load(
            register,
            switch (left) {
              case "ct state" -> left + states(mask);
              case "ct status" -> left + statuses(mask);
              default -> left + " & " + mask;
            });
      }
      case NftExpr.Compare(int register, NftExpr.Comparison comparison, NftData data) ->
          compare(registers.at(register), comparison, data);
      case NftExpr.Range(int register, boolean inverted, NftData from, NftData to) ->
          registers.at(register) + (inverted ? " != " : " ") + number(from) + "-" + number(to);
      case NftExpr.Lookup(String set, int register, boolean inverted) ->
          registers.key(register, sets.get(set)) + (inverted ? " != @" : " @") + set;
      case NftExpr.VerdictMap(String map, int register) ->
          registers.key(register, sets.get(map)) + " vmap @" + map;
      case NftExpr.DataMap(String map, int register, int into) ->
          registers.load(into, registers.key(register, sets.get(map)) + " map @" + map);
      case NftExpr.DestinationType(int register) -> registers.load(register, "fib daddr type");
      case NftExpr.SourceType(int register) -> registers.load(register, "fib saddr type");
      case NftExpr.Load(int register, NftData data) ->
          registers.load(
              register,
              data,
              data.length() == 4 ? "0x" + HEX.toHexDigits(hostInt(data)) : data.toString());
      case NftExpr.Judge(NftVerdict verdict) -> verdict(verdict);
      case NftExpr.Counter() -> "counter";
      case NftExpr.Limit limit -> limit.text();
      case NftExpr.Log(String prefix) -> "log prefix \"" + prefix + "\" level info";
      case NftExpr.LogGroup(String prefix, int group, int octets) ->
          "log prefix \""
              + prefix
              + "\" group "
              + group
              + (octets == 0 ? "" : " snaplen " + octets);
      case NftExpr.Trace(int register) ->
          registers.at(register).equals("0x01")
              ? "meta nftrace set 1"
              : "meta nftrace set " + registers.at(register);
      case NftExpr.Masquerade(int firstPort, int lastPort) ->
          "masquerade" + (firstPort == 0 ? "" : " to " + ports(registers, firstPort, lastPort));
      case NftExpr.SourceNat(IpFamily family, int address, int firstPort, int lastPort) -> {
        IpAddress to = IpAddress.of(registers.value(address).toBytes());
        yield "snat to "
            + (firstPort != 0 && family == IpFamily.IPV6 ? "[" + to + "]" : to)
            + (firstPort == 0 ? "" : ports(registers, firstPort, lastPort));
      }
      case NftExpr.Notrack() -> "notrack";
      case NftExpr.DestinationNat(IpFamily family, int address, int _) ->
          "dnat "
              + switch (family) {
                case IPV4 -> "ip";
                case IPV6 -> "ip6";
              }
              + " to "
              + registers.at(address);
    };
  }

  private static String ports(Registers registers, int first, int last) {
    return ":" + number(registers.value(first)) + "-" + number(registers.value(last));
  }

  private static String compare(String left, NftExpr.Comparison comparison, NftData data) {
    if (left.startsWith("ct state ") || left.startsWith("ct status ")) {
      return left;
    }
    String right =
        switch (left) {
          case "iifname", "oifname" -> "\"" + name(data) + "\"";
          case "meta l4proto" -> protocol(data);
          case "fib daddr type", "fib saddr type" ->
              hostInt(data) == DestinationType.LOCAL ? "local" : number(data);
          case "ip saddr",
              "ip daddr",
              "ip6 saddr",
              "ip6 daddr",
              "ct original ip saddr",
              "ct original ip daddr",
              "ct original ip6 saddr",
              "ct original ip6 daddr" ->
              IpAddress.of(data.toBytes()).toString();
          default -> left.contains("&") ? data.toString() : number(data);
        };
    return left + " " + comparison.text() + right;
  }

  private static String states(NftData mask) {
    int bits = hostInt(mask);
    List<String> names = new ArrayList<>();
    if ((bits & NftExpr.CtState.INVALID) != 0) {
      names.add("invalid");
    }
    if ((bits & NftExpr.CtState.ESTABLISHED) != 0) {
      names.add("established");
    }
    if ((bits & NftExpr.CtState.RELATED) != 0) {
      names.add("related");
    }
    if ((bits & NftExpr.CtState.NEW) != 0) {
      names.add("new");
    }
    if ((bits & NftExpr.CtState.UNTRACKED) != 0) {
      names.add("untracked");
    }
    return " " + String.join(",", names);
  }

  private static String statuses(NftData mask) {
    return hostInt(mask) == NftExpr.CtStatus.DESTINATION_NAT ? " dnat" : " & " + mask;
  }

  private static String name(NftExpr.CtEnd end, IpFamily family) {
    String word =
        switch (family) {
          case IPV4 -> "ip";
          case IPV6 -> "ip6";
        };
    return switch (end) {
      case SOURCE_ADDRESS -> word + " saddr";
      case DESTINATION_ADDRESS -> word + " daddr";
      case SOURCE_PORT -> "proto-src";
      case DESTINATION_PORT -> "proto-dst";
    };
  }

  private static String number(NftData data) {
    long value = 0;
    for (byte octet : data.raw()) {
      value = value << 8 | octet & 0xff;
    }
    return Long.toUnsignedString(value);
  }

  private static String payload(NftExpr.Base base, int offset, int length) {
    if (base == NftExpr.Base.TRANSPORT) {
      return switch (offset * 100 + length) {
        case 1 -> "icmp type";
        case 101 -> "icmp code";
        case 2 -> "th sport";
        case 202 -> "th dport";
        case 1301 -> "tcp flags";
        default -> "@th," + offset * 8 + "," + length * 8;
      };
    }
    return switch (offset * 100 + length) {
      case 1204 -> "ip saddr";
      case 1604 -> "ip daddr";
      case 816 -> "ip6 saddr";
      case 2416 -> "ip6 daddr";
      default -> "@nh," + offset * 8 + "," + length * 8;
    };
  }

  /// What each register would be called.
  private static final class Registers {
    private final String[] names = new String[NftExpr.LAST_REGISTER + 1];
    private final NftData[] values = new NftData[NftExpr.LAST_REGISTER + 1];

    /// Nothing to print yet: the name comes out with the comparison.
    String load(int register, String name) {
      names[register] = name;
      return "";
    }

    String load(int register, NftData value, String name) {
      values[register] = value;
      return load(register, name);
    }

    /// What was last loaded as it stands in the rule.
    NftData value(int register) {
      return Objects.requireNonNull(values[register], () -> "nothing is in register " + register);
    }

    String at(int register) {
      @Nullable String name = names[register];
      return name == null ? "register " + register : name;
    }

    String key(int register, @Nullable NftSet set) {
      if (set == null) {
        return at(register);
      }
      List<String> fields = new ArrayList<>();
      int at = register;
      for (NftField field : set.key()) {
        fields.add(at(at));
        at += field.paddedOctets() / 4;
      }
      return String.join(" . ", fields);
    }
  }
}
