package io.margay.bgp.speaker;

import io.margay.bgp.codec.CodecContext;
import io.margay.bgp.codec.DecodeOutcome;
import io.margay.bgp.message.Message;
import io.margay.bgp.transport.Endpoints;
import io.margay.bgp.transport.Password;
import io.margay.bgp.transport.Ttl;
import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/// One TCP connection that carries BGP messages. On the loop of the sessions only.
interface Wire {

  /// Whoever uses a wire. Called on the loop, and no more once the wire was closed from this end.
  interface Receiver {

    /// A message, or what became of it.
    void received(DecodeOutcome outcome);

    /// What was there to be read has been handed over.
    void readComplete();

    /// The connection is gone.
    ///
    /// @param cause for people
    void lost(String cause);

    /// A bug in the receiver or below it ended the connection.
    void failed(Throwable bug);
  }

  /// Hands received messages over from now on, but none before this returns.
  void open(Receiver receiver);

  Endpoints endpoints();

  /// What the OPENs agreed on; messages from now on are read and written so.
  void use(CodecContext negotiated);

  void send(Message message);

  /// Takes over whole messages.
  ///
  /// @param written called on the loop once they have left
  void send(ByteBuf messages, Runnable written);

  /// Octets handed over that the kernel has not taken.
  long unsentOctets();

  /// Octets the kernel has taken so far.
  long sentOctets();

  void pauseReading();

  void resumeReading();

  boolean isReading();

  /// Changes how far away the peer may be.
  void ttl(Ttl ttl);

  /// Changes the TCP MD5 key of both directions.
  void password(@Nullable Password password);

  /// Closes once what was sent has been read by the peer, or after a short while: closing with
  /// unread input would make the kernel send RST, and the peer would never see our NOTIFICATION.
  void finish();

  /// Closes at once, and says so with an RST.
  void drop();
}
