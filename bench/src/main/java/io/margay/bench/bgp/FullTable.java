package io.margay.bench.bgp;

import io.margay.bgp.codec.CodecContext;
import io.margay.bgp.codec.DecodeOutcome;
import io.margay.bgp.codec.FrameDecoder;
import io.margay.bgp.message.AfiSafi;
import io.margay.bgp.message.NextHop;
import io.margay.bgp.message.Update;
import io.margay.bgp.policy.ExportMode;
import io.margay.bgp.policy.ExportSession;
import io.margay.bgp.policy.ImportMode;
import io.margay.bgp.policy.PeerKind;
import io.margay.bgp.policy.PeerPolicy;
import io.margay.bgp.policy.RouteSource;
import io.margay.bgp.policy.SpeakerPolicy;
import io.margay.bgp.rib.DecisionRules;
import io.margay.bgp.rib.Rib;
import io.margay.bgp.rib.RibPeer;
import io.margay.bgp.rib.RibSession;
import io.margay.bgp.rib.RibSettings;
import io.margay.model.net.Asn;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.RouterId;
import io.margay.model.net.ScopedAddress;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// A table as a feeder sends it: /24s upwards from 20.0.0.0, eight of which share a set of
/// attributes (ORIGIN, three AS numbers, next hop, MED, a community); and RIBs between two feeders
/// and a sink. The octets are written here, by nobody's codec.
final class FullTable {

  /// Enough that neither the caches of the processor nor the loop's own cost decide.
  static final int ROUTES = 100_000;

  static final ScopedAddress FEEDER = ScopedAddress.parse("10.200.0.11");
  static final ScopedAddress OTHER_FEEDER = ScopedAddress.parse("10.200.0.12");
  static final ScopedAddress SINK = ScopedAddress.parse("10.200.1.2");
  static final CodecContext SESSION =
      new CodecContext(true, false, Set.of(AfiSafi.unicast(IpFamily.IPV4)));

  private static final int GROUP = 8;
  private static final int FIRST = 20 << 24;
  private static final int HEADER_OCTETS = 19;
  private static final int UPDATE = 2;
  private static final Set<IpFamily> IPV4 = Set.of(IpFamily.IPV4);

  private FullTable() {}

  /// All UPDATEs of a feeder, one after the other.
  static ByteBuf octets(int feederAs) {
    ByteBuf to = Unpooled.buffer(ROUTES * 16);
    for (int first = 0; first < ROUTES; first += GROUP) {
      update(first, feederAs, to);
    }
    return to;
  }

  private static void update(int first, int feederAs, ByteBuf to) {
    int start = to.writerIndex();
    int group = first / GROUP;
    to.writeLong(-1).writeLong(-1).writeShort(0).writeByte(UPDATE).writeShort(0);
    int attributes = to.writerIndex();
    to.writeShort(0);
    to.writeByte(0x40).writeByte(1).writeByte(1).writeByte(0);
    to.writeByte(0x40).writeByte(2).writeByte(14).writeByte(2).writeByte(3);
    to.writeInt(feederAs).writeInt(100_000 + group).writeInt((int) (4_200_000_000L + group % 1000));
    to.writeByte(0x40).writeByte(3).writeByte(4).writeInt(0x0ac8_000b);
    to.writeByte(0x80).writeByte(4).writeByte(4).writeInt(group % 100);
    to.writeByte(0xc0).writeByte(8).writeByte(4).writeInt(group % 65_000 << 16 | 1);
    to.setShort(attributes, to.writerIndex() - attributes - Short.BYTES);
    for (int i = first; i < Math.min(first + GROUP, ROUTES); i++) {
      to.writeByte(24).writeMedium(FIRST + i * 256 >>> 8);
    }
    to.setShort(start + HEADER_OCTETS - 3, to.writerIndex() - start);
  }

  /// The same, read by our codec.
  static List<Update> updates(int feederAs) {
    List<Update> updates = new ArrayList<>();
    EmbeddedChannel channel = reader();
    channel.writeInbound(octets(feederAs));
    for (Object read = channel.readInbound(); read != null; read = channel.readInbound()) {
      if (read instanceof DecodeOutcome.Accepted(Update update)) {
        updates.add(update);
      } else {
        throw new IllegalStateException("the table is malformed: " + read);
      }
    }
    channel.finishAndReleaseAll();
    return updates;
  }

  static EmbeddedChannel reader() {
    FrameDecoder decoder = new FrameDecoder();
    decoder.use(SESSION);
    return new EmbeddedChannel(decoder);
  }

  /// Two feeders and a sink, all up, no routes yet.
  static Rib rib() {
    Rib rib =
        new Rib(
            SpeakerPolicy.of(new Asn(65001), RouterId.parse("1.1.1.1")),
            new RibSettings(new DecisionRules(true, 8), false, false, 42),
            null);
    RibPeer feeder = new RibPeer(IPV4, policy(ImportMode.ACCEPT, ExportMode.NONE));
    rib.configure(
        Map.of(
            FEEDER,
            feeder,
            OTHER_FEEDER,
            feeder,
            SINK,
            new RibPeer(IPV4, policy(ImportMode.REJECT, ExportMode.ALL))),
        false);
    rib.peerUp(session(FEEDER, 65011, "10.200.0.1"));
    rib.peerUp(session(OTHER_FEEDER, 65012, "10.200.0.1"));
    rib.peerUp(session(SINK, 65100, "10.200.1.1"));
    return rib;
  }

  private static PeerPolicy policy(ImportMode in, ExportMode out) {
    return PeerPolicy.builder().importMode(in).exportMode(out).build();
  }

  private static RibSession session(ScopedAddress peer, int asn, String own) {
    RouterId id = RouterId.parse(peer.toString());
    return new RibSession(
        new RouteSource(peer, new Asn(asn), id, PeerKind.EBGP),
        new ExportSession(
            peer,
            new Asn(asn),
            id,
            PeerKind.EBGP,
            IPV4,
            Map.of(IpFamily.IPV4, NextHop.of(IpAddress.parse(own))),
            Set.of(),
            Set.of()),
        IPV4,
        Set.of(),
        false,
        Set.of());
  }
}
