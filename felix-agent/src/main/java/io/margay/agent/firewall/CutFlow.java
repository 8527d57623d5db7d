package io.margay.agent.firewall;

import io.margay.linux.conntrack.Connection;
import io.margay.linux.nft.NftPacket;
import io.margay.linux.nft.NftPacket.Ends;
import io.margay.model.net.IpFamily;
import java.util.List;

/// A connection of TCP that was cut at a host endpoint, by what the packets of either side look
/// like before anything translates them: that is how they look when nobody tracks it any more.
///
/// @param sent as its first packet's side sends
/// @param answered as the other side sends
/// @param isPickedUp whether nobody knows which end began it; see [Connection#isPickedUp]
public record CutFlow(Ends sent, Ends answered, boolean isPickedUp) {

  public static CutFlow of(Connection connection) {
    return new CutFlow(
        sent(connection),
        new Ends(
            connection.answerer(),
            connection.answererPort(),
            connection.answersTo(),
            connection.answersToPort()),
        connection.isPickedUp());
  }

  /// As the connection's first packet came.
  public static Ends sent(Connection connection) {
    return new Ends(
        connection.source(),
        connection.sourcePort(),
        connection.destination(),
        connection.destinationPort());
  }

  /// Whether such a connection can be cut for good.
  public static boolean isOne(Connection connection) {
    return connection.protocol() == NftPacket.TCP;
  }

  /// What the packets of either side look like.
  List<Ends> bothEnds() {
    return List.of(sent, answered);
  }

  public IpFamily family() {
    return sent.source().family();
  }

  /// What rules can tell it by.
  public FlowKind kind() {
    return new FlowKind(
        sent.source(),
        sent.sourcePort(),
        sent.destination(),
        sent.destinationPort(),
        answered.source(),
        answered.sourcePort(),
        NftPacket.TCP,
        0,
        0,
        isPickedUp);
  }
}
