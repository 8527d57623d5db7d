package io.margay.bgp.speaker;

import io.margay.bgp.codec.CodecContext;
import io.margay.bgp.codec.DecodeOutcome;
import io.margay.bgp.message.Message;
import io.margay.bgp.transport.Endpoints;
import io.margay.bgp.transport.Password;
import io.margay.bgp.transport.Ttl;
import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// A connection whose far end is the test.
final class ScriptedWire implements Wire {

  private final Endpoints endpoints;
  private final List<Message> sent = new ArrayList<>();
  private @Nullable Receiver receiver;
  private boolean closed;

  ScriptedWire(Endpoints endpoints) {
    this.endpoints = endpoints;
  }

  /// The far end says something.
  void hear(Message message) {
    Receiver to = Objects.requireNonNull(receiver);
    to.received(new DecodeOutcome.Accepted(message));
    to.readComplete();
  }

  List<Message> sent() {
    return sent;
  }

  boolean isClosed() {
    return closed;
  }

  @Override
  public void open(Receiver opened) {
    receiver = opened;
  }

  @Override
  public Endpoints endpoints() {
    return endpoints;
  }

  @Override
  public void use(CodecContext negotiated) {}

  @Override
  public void send(Message message) {
    sent.add(message);
  }

  @Override
  public void send(ByteBuf messages, Runnable written) {
    messages.release();
  }

  @Override
  public long unsentOctets() {
    return 0;
  }

  @Override
  public long sentOctets() {
    return sent.size();
  }

  @Override
  public void pauseReading() {}

  @Override
  public void resumeReading() {}

  @Override
  public boolean isReading() {
    return true;
  }

  @Override
  public void ttl(Ttl ttl) {}

  @Override
  public void password(@Nullable Password password) {}

  @Override
  public void finish() {
    closed = true;
  }

  @Override
  public void drop() {
    closed = true;
  }
}
