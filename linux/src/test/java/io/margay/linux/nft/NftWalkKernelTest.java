package io.margay.linux.nft;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.linux.Errno;
import io.margay.linux.LibC;
import io.margay.linux.LinuxException;
import io.margay.linux.NativeBuffer;
import io.margay.linux.netns.Netns;
import io.margay.linux.nft.NftRuleBuilder.Side;
import io.margay.linux.nft.NftTable.Ownership;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Random rules and random packets: the kernel's own counters and its refusals to send say what
/// [NftWalk] should have said.
@Tag("netns")
final class NftWalkKernelTest {

  private static final int TABLES = 25;
  private static final int PACKETS = 60;
  private static final int AF_INET = 2;
  private static final int AF_INET6 = 10;
  private static final int SOCK_RAW = 3;
  private static final int IPPROTO_RAW = 255;
  private static final int REGULAR_CHAINS = 4;
  private static final InterfaceName LO = new InterfaceName("lo");
  private static final Pattern COUNTED =
      Pattern.compile("counter packets (\\d+) .*comment \"(r\\d+)\"");

  private final Random random = new Random(Long.getLong("seed", 20_261_128L));
  private int rules;

  @ParameterizedTest
  @EnumSource(IpFamily.class)
  void the_kernel_and_the_walk_match_the_same_rules_and_come_to_the_same_verdicts(IpFamily family)
      throws Exception {
    try (NftNamespace namespace = new NftNamespace()) {
      namespace.ip("link set lo up");
      for (int last = 1; last <= 12; last++) {
        namespace.ip("addr add fd00::" + last + "/128 dev lo nodad");
      }
      // What passed must not be answered: answers would be counted as well.
      namespace.nft(
          "add table inet sink; add chain inet sink in"
              + " { type filter hook prerouting priority -400; }; add rule inet sink in drop");
      int socket = rawSocket(namespace.fd(), family);
      try {
        int dropped = 0;
        for (int round = 0; round < TABLES; round++) {
          dropped += compare(namespace, socket, family, round);
        }
        // Neither all nor none, or nothing was compared.
        assertThat(dropped).isBetween(TABLES * PACKETS / 20, TABLES * PACKETS * 19 / 20);
      } finally {
        LibC.close(socket);
      }
    }
  }

  private int compare(NftNamespace namespace, int socket, IpFamily family, int round)
      throws Exception {
    String name = "t" + round;
    int dropped = 0;
    try (NftTable table = new NftTable(namespace.open(), name, Ownership.NEVER)) {
      fill(table, family);
      table.apply();
      NftWalk walk = new NftWalk(table.view(family));
      Map<String, Integer> expected = new TreeMap<>();
      for (int i = 0; i < PACKETS; i++) {
        NftPacket packet = packet(family).withOutgoing(LO);
        List<NftPassage> passages = walk.hook(NftHook.Point.OUTPUT, packet);
        boolean accepted = passages.getLast().isAccepted();
        passages.forEach(
            passage ->
                passage.steps().stream()
                    .filter(step -> step.rule().id().startsWith("r"))
                    .forEach(step -> expected.merge(step.rule().id(), 1, Integer::sum)));
        assertThat(sent(socket, packet)).as("%s through %s", packet, passages).isEqualTo(accepted);
        dropped += accepted ? 0 : 1;
      }
      assertThat(counted(namespace, family, name))
          .as("round %s: %s", round, NftText.print(table.desired(family)))
          .isEqualTo(expected);
      table.destroy();
    }
    return dropped;
  }

  private static Map<String, Integer> counted(NftNamespace namespace, IpFamily family, String name)
      throws Exception {
    Map<String, Integer> counted = new TreeMap<>();
    String word = family == IpFamily.IPV4 ? "ip" : "ip6";
    for (String line : namespace.nft("list", "table", word, name).lines().toList()) {
      Matcher matcher = COUNTED.matcher(line);
      if (matcher.find() && !matcher.group(1).equals("0")) {
        counted.put(matcher.group(2), Integer.parseInt(matcher.group(1)));
      }
    }
    return counted;
  }

  private void fill(NftTable table, IpFamily family) {
    NftField address = NftField.address(family);
    table.declareSet(family, NftSet.hash("members", NftField.MARK, address));
    table.declareSet(family, NftSet.interval("cidrs", NftField.MARK, address));
    table.declareSet(
        family, NftSet.hash("ports", NftField.MARK, address, NftField.PROTOCOL, NftField.PORT));
    table.declareSet(family, NftSet.interval("port_ranges", NftField.MARK, NftField.PORT));
    table.declareSet(family, NftSet.verdictMap("to", NftField.INTERFACE_NAME));
    for (int id = 1; id <= 3; id++) {
      NftData mark = NftData.hostOrder(id);
      for (int i = 0; i < 2; i++) {
        NftData member = NftData.address(address(family));
        table.putElement(family, "members", NftElement.of(NftData.concat(mark, member)));
        table.putElement(
            family,
            "ports",
            NftElement.of(
                NftData.concat(mark, member, NftData.octet(oneOf(6, 17)), NftData.port(port()))));
      }
      Prefix prefix = prefix(family);
      table.putElement(
          family,
          "cidrs",
          NftElement.range(
              NftData.concat(mark, NftData.address(prefix.address())),
              NftData.concat(mark, NftData.address(prefix.lastAddress()))));
      int first = port();
      table.putElement(
          family,
          "port_ranges",
          NftElement.range(
              NftData.concat(mark, NftData.port(first)),
              NftData.concat(mark, NftData.port(first + random.nextInt(3)))));
    }
    for (int i = 1; i <= REGULAR_CHAINS; i++) {
      table.putChain(family, NftChain.regular("c" + i, rules(family, i)));
    }
    table.putElement(
        family,
        "to",
        NftElement.verdict(NftData.interfaceName(LO), NftVerdict.jump("c" + REGULAR_CHAINS)));
    for (int i = 0; i < 2; i++) {
      table.putChain(
          family,
          new NftChain(
              "base" + i,
              new NftHook(NftHook.Type.FILTER, NftHook.Point.OUTPUT, 11 + i),
              rules(family, REGULAR_CHAINS + 1)));
    }
  }

  /// Rules that jump to chains before `chain` only.
  private List<NftRule> rules(IpFamily family, int chain) {
    List<NftRule> made = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      NftRuleBuilder rule = new NftRuleBuilder(family);
      for (int match = random.nextInt(3); match > 0; match--) {
        match(rule, family);
      }
      rule.counter();
      String id = "r" + rules++;
      switch (random.nextInt(6)) {
        case 0 -> rule.verdict(NftVerdict.ACCEPT);
        case 1 -> rule.verdict(NftVerdict.DROP);
        case 2 -> rule.verdict(NftVerdict.RETURN);
        case 3, 4 -> {
          if (chain > 1) {
            rule.verdict(NftVerdict.jump("c" + (1 + random.nextInt(chain - 1))));
          }
        }
        default -> {
          if (chain > REGULAR_CHAINS) {
            // Counted before the map is asked, which may hold nothing.
            made.add(rule.build(id));
            rule = new NftRuleBuilder(family).interfaceVerdict(Side.DESTINATION, "to");
            made.add(rule.build("map" + id));
            continue;
          }
        }
      }
      made.add(rule.build(id));
    }
    return made;
  }

  private void match(NftRuleBuilder rule, IpFamily family) {
    Side side = random.nextBoolean() ? Side.SOURCE : Side.DESTINATION;
    boolean not = random.nextInt(3) == 0;
    int id = 1 + random.nextInt(3);
    switch (random.nextInt(13)) {
      case 0 -> rule.address(side, prefix(family), not);
      case 1 -> rule.addressInSet(side, "members", id, not);
      case 2 -> rule.addressInSet(side, "cidrs", id, not);
      case 3 -> rule.protocol(oneOf(6, 17, 1, 58), not);
      case 4 -> rule.protocol(6, false).port(side, port(), 1004, not);
      case 5 -> rule.protocol(17, false).port(side, 1002, 1002, not);
      case 6 -> rule.protocol(oneOf(6, 17), false).portInSet(side, "ports", id, not);
      case 7 -> rule.protocol(oneOf(6, 17), false).portRangeInSet(side, "port_ranges", id, not);
      case 8 -> rule.protocol(icmp(family), false).icmpType(oneOf(8, 128), not);
      case 9 -> rule.protocol(icmp(family), false).icmpTypeAndCode(oneOf(8, 128), 1, not);
      case 10 -> rule.protocol(6, false).tcpFlags(0x17, 0x02, not);
      case 11 -> rule.interfacePrefix(Side.DESTINATION, oneOf(0, 1) == 0 ? "lo" : "cali");
      default -> rule.ctState(oneOf(8, 6, 1));
    }
  }

  private static int icmp(IpFamily family) {
    return family == IpFamily.IPV4 ? NftPacket.ICMP : NftPacket.ICMPV6;
  }

  private int oneOf(int... values) {
    return values[random.nextInt(values.length)];
  }

  private int port() {
    return 1001 + random.nextInt(4);
  }

  private IpAddress address(IpFamily family) {
    return address(family, 1 + random.nextInt(12));
  }

  private static IpAddress address(IpFamily family, int last) {
    return IpAddress.parse((family == IpFamily.IPV4 ? "127.0.0." : "fd00::") + last);
  }

  private Prefix prefix(IpFamily family) {
    return Prefix.containing(address(family), family.bits() - random.nextInt(4));
  }

  /// Nobody sends to whom he hears from, so every packet begins a connection.
  private NftPacket packet(IpFamily family) {
    IpAddress from = address(family, 1 + random.nextInt(6));
    IpAddress to = address(family, 7 + random.nextInt(6));
    return switch (random.nextInt(4)) {
      case 0 -> NftPacket.opening(NftPacket.UDP, from, port(), to, port());
      case 1 -> NftPacket.icmp(from, to, family == IpFamily.IPV4 ? 8 : 128, random.nextInt(2));
      default -> NftPacket.opening(NftPacket.TCP, from, port(), to, port());
    };
  }

  private static int rawSocket(int netns, IpFamily family) throws LinuxException {
    int domain = family == IpFamily.IPV4 ? AF_INET : AF_INET6;
    return Netns.callIn(netns, () -> LibC.socket(domain, SOCK_RAW, IPPROTO_RAW));
  }

  /// Sends the packet as it is.
  ///
  /// @return false if a rule dropped it
  private static boolean sent(int socket, NftPacket packet) throws LinuxException {
    byte[] network = packet.networkHeader();
    byte[] transport = packet.transportHeader();
    ByteBuffer octets = ByteBuffer.allocate(network.length + transport.length);
    octets.put(network).put(transport);
    ByteBuffer address = ByteBuffer.allocate(28);
    int length;
    if (packet.family() == IpFamily.IPV4) {
      length = 16;
      address.order(ByteOrder.nativeOrder()).putShort(0, (short) AF_INET);
      address.put(4, packet.destination().toBytes());
    } else {
      length = 28;
      address.order(ByteOrder.nativeOrder()).putShort(0, (short) AF_INET6);
      address.put(8, packet.destination().toBytes());
    }
    NativeBuffer to = NativeBuffer.allocate(length);
    to.bytes().put(address.array(), 0, length);
    NativeBuffer message = NativeBuffer.allocate(octets.capacity());
    message.bytes().put(octets.array());
    try {
      LibC.connect(socket, to, length);
      LibC.send(socket, message, octets.capacity(), 0);
      return true;
    } catch (LinuxException refused) {
      if (refused.is(Errno.EPERM)) {
        return false;
      }
      throw refused;
    }
  }
}
