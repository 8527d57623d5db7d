package io.margay.bgp.bfd;

import io.netty.buffer.ByteBuf;

/// A control packet (RFC 5880 §4.1), without authentication. Discriminators are unsigned; intervals
/// are unsigned microseconds.
///
/// @param diagnostic why the sender's session last left Up
/// @param state the sender's state
/// @param poll asks for an answer with the final bit
/// @param last the final bit: answers a poll
/// @param controlPlaneIndependent whether the sender's BFD survives a crash of its control plane
/// @param demand the sender wants no periodic packets
/// @param multiplier how many packets in a row may be lost, 1 to 255
/// @param myDiscriminator the sender's name of the session, not zero
/// @param yourDiscriminator the receiver's name of the session, or zero while it is not known
/// @param desiredMinTx the shortest interval the sender would like to send at
/// @param requiredMinRx the shortest interval the sender can receive at; zero: send nothing
/// @param requiredMinEchoRx zero: no echo packets, please
record BfdPacket(
    BfdDiagnostic diagnostic,
    BfdState state,
    boolean poll,
    boolean last,
    boolean controlPlaneIndependent,
    boolean demand,
    int multiplier,
    int myDiscriminator,
    int yourDiscriminator,
    int desiredMinTx,
    int requiredMinRx,
    int requiredMinEchoRx) {

  /// The mandatory section.
  static final int OCTETS = 24;

  /// The least with an authentication section: its type and length follow.
  private static final int OCTETS_WITH_AUTHENTICATION = 26;

  private static final int VERSION = 1;
  private static final int POLL = 0x20;
  private static final int FINAL = 0x10;
  private static final int CONTROL_PLANE_INDEPENDENT = 0x08;
  private static final int AUTHENTICATION = 0x04;
  private static final int DEMAND = 0x02;
  private static final int MULTIPOINT = 0x01;

  /// What became of received octets.
  sealed interface Decoded {
    record Valid(BfdPacket packet) implements Decoded {}

    /// To be dropped.
    record Discarded(String reason) implements Decoded {}
  }

  /// Holds received octets against the rules of RFC 5880 §6.8.6 that need no session, in their
  /// order. Never throws. What follows the packet's own length is ignored.
  static Decoded decode(ByteBuf from) {
    int available = from.readableBytes();
    if (available < OCTETS) {
      return new Decoded.Discarded(available + " octets are no control packet");
    }
    int start = from.readerIndex();
    int first = from.getUnsignedByte(start);
    if (first >>> 5 != VERSION) {
      return new Decoded.Discarded("version " + (first >>> 5));
    }
    int flags = from.getUnsignedByte(start + 1);
    boolean authenticated = (flags & AUTHENTICATION) != 0;
    int length = from.getUnsignedByte(start + 3);
    if (length < (authenticated ? OCTETS_WITH_AUTHENTICATION : OCTETS)) {
      return new Decoded.Discarded("length " + length + " is too short");
    }
    if (length > available) {
      return new Decoded.Discarded("length " + length + " exceeds the datagram");
    }
    int multiplier = from.getUnsignedByte(start + 2);
    if (multiplier == 0) {
      return new Decoded.Discarded("detection multiplier 0");
    }
    if ((flags & MULTIPOINT) != 0) {
      return new Decoded.Discarded("multipoint bit");
    }
    int mine = from.getInt(start + 4);
    if (mine == 0) {
      return new Decoded.Discarded("my discriminator 0");
    }
    int yours = from.getInt(start + 8);
    BfdState state = BfdState.ofWire(flags >>> 6);
    if (yours == 0 && state != BfdState.DOWN && state != BfdState.ADMIN_DOWN) {
      return new Decoded.Discarded("your discriminator 0 in state " + state);
    }
    if (authenticated) {
      return new Decoded.Discarded("authenticated, but no authentication is in use");
    }
    return new Decoded.Valid(
        new BfdPacket(
            BfdDiagnostic.ofWire(first & 0x1f),
            state,
            (flags & POLL) != 0,
            (flags & FINAL) != 0,
            (flags & CONTROL_PLANE_INDEPENDENT) != 0,
            (flags & DEMAND) != 0,
            multiplier,
            mine,
            yours,
            from.getInt(start + 12),
            from.getInt(start + 16),
            from.getInt(start + 20)));
  }

  void encode(ByteBuf to) {
    to.writeByte(VERSION << 5 | diagnostic.wireValue() & 0x1f);
    to.writeByte(
        state.wireValue() << 6
            | (poll ? POLL : 0)
            | (last ? FINAL : 0)
            | (controlPlaneIndependent ? CONTROL_PLANE_INDEPENDENT : 0)
            | (demand ? DEMAND : 0));
    to.writeByte(multiplier);
    to.writeByte(OCTETS);
    to.writeInt(myDiscriminator);
    to.writeInt(yourDiscriminator);
    to.writeInt(desiredMinTx);
    to.writeInt(requiredMinRx);
    to.writeInt(requiredMinEchoRx);
  }
}
