package io.margay.bgp.speaker;

import io.margay.bgp.codec.CodecContext;
import io.margay.bgp.codec.DecodeOutcome;
import io.margay.bgp.codec.FrameDecoder;
import io.margay.bgp.codec.MessageEncoder;
import io.margay.bgp.message.Message;
import io.margay.bgp.transport.Endpoints;
import io.margay.bgp.transport.Password;
import io.margay.bgp.transport.Ttl;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/// One end of a simulated TCP connection: real octets, cut anywhere, in order, delayed. Towards a
/// node that reads slowly, no more are under way than its window takes.
final class SimWire implements Wire {

  private static final int WINDOW_OCTETS = 4_096;

  /// Between two reads of a node that reads slowly.
  private static final Duration READ_PAUSE = Duration.ofMillis(40);

  private record Outgoing(ByteBuf octets, Runnable written) {}

  private final SimNode owner;
  private final SimLink link;
  private final Endpoints endpoints;
  private final EmbeddedChannel codec =
      new EmbeddedChannel(new FrameDecoder(), new MessageEncoder());
  private final Queue<ByteBuf> unread = new ArrayDeque<>();
  private final Queue<Outgoing> unsent = new ArrayDeque<>();
  private @Nullable SimWire peer;
  private @Nullable Receiver receiver;
  private long lastArrivalNanos;
  private long sent;
  private int underWay;
  private boolean reading = true;
  private boolean readsLater;
  private boolean finishing;
  private boolean closed;
  private boolean ended;

  SimWire(SimNode owner, SimLink link, Endpoints endpoints) {
    this.owner = owner;
    this.link = link;
    this.endpoints = endpoints;
  }

  static void join(SimWire one, SimWire other) {
    one.peer = other;
    other.peer = one;
  }

  boolean isClosed() {
    return closed;
  }

  @Override
  public void open(Receiver opened) {
    receiver = opened;
    owner.clock().execute(this::drain);
  }

  @Override
  public Endpoints endpoints() {
    return endpoints;
  }

  @Override
  public void use(CodecContext negotiated) {
    codec.pipeline().get(FrameDecoder.class).use(negotiated);
    codec.pipeline().get(MessageEncoder.class).use(negotiated);
  }

  @Override
  public void send(Message message) {
    codec.writeOutbound(message);
    ByteBuf octets = codec.readOutbound();
    transmit(new Outgoing(onHeap(octets), () -> {}));
  }

  @Override
  public void send(ByteBuf messages, Runnable written) {
    transmit(new Outgoing(onHeap(messages), () -> owner.clock().execute(written)));
  }

  /// What is lost on the way needs no release there.
  private static ByteBuf onHeap(ByteBuf octets) {
    byte[] bytes = new byte[octets.readableBytes()];
    octets.readBytes(bytes);
    octets.release();
    return Unpooled.wrappedBuffer(bytes);
  }

  private void transmit(Outgoing outgoing) {
    unsent.add(outgoing);
    push();
  }

  /// In pieces, as TCP does.
  private void push() {
    while (!unsent.isEmpty() && (underWay < WINDOW_OCTETS || !other().owner.readsSlowly())) {
      ByteBuf octets = unsent.element().octets();
      int piece = Math.min(octets.readableBytes(), 1 + link.random().nextInt(1460));
      ByteBuf part = octets.readRetainedSlice(piece);
      sent += piece;
      underWay += piece;
      toPeer(() -> other().arrived(part));
      if (!octets.isReadable()) {
        unsent.remove().written().run();
      }
    }
    if (finishing && unsent.isEmpty()) {
      finishing = false;
      toPeer(() -> other().endArrived());
    }
  }

  private void wasRead(int octets) {
    underWay -= octets;
    push();
  }

  private SimWire other() {
    SimWire other = peer;
    if (other == null) {
      throw new IllegalStateException("a wire has two ends");
    }
    return other;
  }

  /// In order.
  private void toPeer(Runnable arrival) {
    link.transmit(
        () -> {
          lastArrivalNanos =
              Math.max(lastArrivalNanos + 1, link.time().nanos() + link.delayNanos());
          link.time().at(lastArrivalNanos, arrival);
        });
  }

  private void arrived(ByteBuf octets) {
    if (!owner.hasPower()) {
      return;
    }
    if (closed || !owner.isAlive()) {
      reset();
      return;
    }
    unread.add(octets);
    if (owner.readsSlowly()) {
      readLater();
    } else {
      drain();
    }
  }

  private void readLater() {
    if (!readsLater) {
      readsLater = true;
      owner
          .clock()
          .schedule(
              READ_PAUSE,
              () -> {
                readsLater = false;
                read(1);
                if (!unread.isEmpty() && !closed) {
                  readLater();
                }
              });
    }
  }

  private void drain() {
    read(Integer.MAX_VALUE);
  }

  private void read(int atMost) {
    for (int i = 0; i < atMost && receiver != null && reading && !unread.isEmpty(); i++) {
      int octets = unread.element().readableBytes();
      codec.writeInbound(unread.remove());
      if (owner.readsSlowly()) {
        toPeer(() -> other().wasRead(octets));
      }
      Object outcome = codec.readInbound();
      while (outcome != null) {
        Receiver to = receiver;
        if (to != null) {
          to.received((DecodeOutcome) outcome);
        }
        outcome = codec.readInbound();
      }
      Receiver to = receiver;
      if (to != null) {
        to.readComplete();
      }
    }
    if (ended && unread.isEmpty() && receiver != null) {
      Receiver to = receiver;
      receiver = null;
      closed = true;
      to.lost("closed by the peer");
    }
  }

  private void endArrived() {
    if (owner.isAlive() && !closed) {
      ended = true;
      drain();
    }
  }

  private void resetArrived() {
    Receiver to = receiver;
    receiver = null;
    if (owner.isAlive() && !closed) {
      closed = true;
      unsent.clear();
      if (to != null) {
        to.lost("reset by the peer");
      }
    }
  }

  /// A reset is sent once, and lost if the path is cut.
  private void reset() {
    if (!link.isCut()) {
      toPeer(() -> other().resetArrived());
    }
  }

  @Override
  public long unsentOctets() {
    return unsent.stream().mapToLong(outgoing -> outgoing.octets().readableBytes()).sum();
  }

  @Override
  public long sentOctets() {
    return sent;
  }

  @Override
  public void pauseReading() {
    reading = false;
  }

  @Override
  public void resumeReading() {
    reading = true;
    drain();
  }

  @Override
  public boolean isReading() {
    return reading;
  }

  @Override
  public void ttl(Ttl ttl) {}

  @Override
  public void password(@Nullable Password password) {}

  @Override
  public void finish() {
    if (!closed) {
      closed = true;
      receiver = null;
      finishing = true;
      push();
    }
  }

  @Override
  public void drop() {
    if (!closed) {
      closed = true;
      receiver = null;
      unsent.clear();
      reset();
    }
  }

  /// The kernel closes what a killed process had open.
  void killed() {
    if (link.random().nextBoolean()) {
      finish();
    } else {
      drop();
    }
  }
}
