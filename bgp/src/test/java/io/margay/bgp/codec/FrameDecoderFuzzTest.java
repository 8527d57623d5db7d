package io.margay.bgp.codec;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.margay.bgp.codec.DecodeOutcome.Accepted;
import io.margay.bgp.codec.DecodeOutcome.Malformed;
import io.margay.bgp.codec.DecodeOutcome.SessionReset;
import io.margay.bgp.message.AfiSafi;
import io.margay.bgp.message.Keepalive;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

/// Mutations of every message of the corpus, and noise. The seed makes a failure come again.
class FrameDecoderFuzzTest {

  private static final long SEED = Long.getLong("seed", 7606);
  private static final int ROUNDS = 40_000;

  /// What decoding may take of the heap: so much for each octet of the message, and so much anyway.
  /// A prefix of length 0 is one octet on the wire and 17 in the flat arrays, twice when two fields
  /// are joined; a malformed attribute of 3 octets is described in a sentence.
  private static final int HEAP_PER_OCTET = 64;

  private static final int HEAP_ANYWAY = 128 * 1024;

  private static final Set<AfiSafi> BOTH = Set.of(AfiSafi.IPV4_UNICAST, AfiSafi.IPV6_UNICAST);

  private static final List<CodecContext> CONTEXTS =
      List.of(
          new CodecContext(true, false, BOTH),
          new CodecContext(true, true, BOTH),
          new CodecContext(false, false, BOTH),
          new CodecContext(false, true, Set.of(AfiSafi.IPV4_UNICAST)),
          new CodecContext(true, false, BOTH).withAddPath(BOTH, BOTH),
          new CodecContext(true, true, BOTH).withExtendedNextHop(Set.of(AfiSafi.IPV4_UNICAST)));

  private final Random random = new Random(SEED);
  private final List<byte[]> seeds =
      Rfc7606Test.corpus().map(one -> one.message().toBytes()).toList();

  /// A message whose header is right and whose body need not be.
  private byte[] mutated() {
    byte[] message = seeds.get(random.nextInt(seeds.size())).clone();
    switch (random.nextInt(6)) {
      case 0 -> {
        message = Arrays.copyOf(message, 19 + random.nextInt(message.length - 18));
      }
      case 1 -> {
        byte[] longer = Arrays.copyOf(message, message.length + random.nextInt(1, 200));
        for (int i = message.length; i < longer.length; i++) {
          longer[i] = (byte) random.nextInt();
        }
        message = longer;
      }
      case 2 -> {
        byte[] other = seeds.get(random.nextInt(seeds.size()));
        int cut = random.nextInt(19, message.length + 1);
        int from = random.nextInt(19, other.length + 1);
        byte[] spliced = Arrays.copyOf(message, cut + other.length - from);
        System.arraycopy(other, from, spliced, cut, other.length - from);
        message = spliced;
      }
      case 3 -> {
        message = new byte[19 + random.nextInt(4078)];
        random.nextBytes(message);
        Arrays.fill(message, 0, 16, (byte) 0xff);
        if (random.nextBoolean()) {
          // Small values make long lists of short prefixes and attributes.
          for (int i = 19; i < message.length; i++) {
            message[i] &= 3;
          }
        }
      }
      default -> {
        for (int flips = random.nextInt(1, 6); flips > 0 && message.length > 19; flips--) {
          message[random.nextInt(19, message.length)] =
              (byte) (random.nextBoolean() ? random.nextInt() : random.nextInt(4));
        }
      }
    }
    message[16] = (byte) (message.length >>> 8);
    message[17] = (byte) message.length;
    int type = random.nextInt(10);
    message[18] = (byte) (type < 6 ? 2 : type - 5);
    return message;
  }

  @Test
  void every_message_has_an_outcome_and_what_follows_is_still_read() {
    ByteBuf keepalive = Unpooled.buffer();
    MessageCodec.encode(new Keepalive(), keepalive, CodecContext.INITIAL);
    byte[] following = ByteBufUtil.getBytes(keepalive);
    for (int round = 0; round < ROUNDS; round++) {
      byte[] message = mutated();
      FrameDecoder decoder = new FrameDecoder();
      decoder.use(CONTEXTS.get(round % CONTEXTS.size()));
      EmbeddedChannel channel = new EmbeddedChannel(decoder);
      int split = random.nextInt(message.length + 1);
      channel.writeInbound(Unpooled.wrappedBuffer(message, 0, split));
      channel.writeInbound(
          Unpooled.wrappedBuffer(
              Unpooled.wrappedBuffer(message, split, message.length - split),
              Unpooled.wrappedBuffer(following)));
      Object first = channel.readInbound();
      Object second = channel.readInbound();
      assertThat(first).as("round %d of seed %d", round, SEED).isInstanceOf(DecodeOutcome.class);
      if (first instanceof SessionReset) {
        assertThat(second).isNull();
      } else {
        assertThat(second).isEqualTo(new Accepted(new Keepalive()));
      }
      if (first instanceof Malformed malformed) {
        assertThat(malformed.hex()).hasSizeLessThanOrEqualTo(2 * Malformed.MAX_SAMPLE_OCTETS);
        assertThat(malformed.problem()).isNotBlank();
      }
      channel.checkException();
      assertThat(channel.finish()).isFalse();
    }
  }

  @Test
  void noise_ends_a_stream_and_nothing_is_kept_of_it() {
    for (int round = 0; round < 2_000; round++) {
      byte[] noise = new byte[random.nextInt(1, 20_000)];
      random.nextBytes(noise);
      if (random.nextBoolean()) {
        Arrays.fill(noise, 0, Math.min(16, noise.length), (byte) 0xff);
      }
      EmbeddedChannel channel = new EmbeddedChannel(new FrameDecoder());
      channel.writeInbound(Unpooled.wrappedBuffer(noise));
      Object last = null;
      for (Object next = channel.readInbound(); next != null; next = channel.readInbound()) {
        assertThat(last instanceof SessionReset).isFalse();
        assertThat(next).isInstanceOf(DecodeOutcome.class);
        last = next;
      }
      if (noise.length >= 2 * MessageCodec.MAX_MESSAGE_OCTETS) {
        assertThat(last).isInstanceOf(SessionReset.class);
      }
      channel.checkException();
      channel.finishAndReleaseAll();
    }
  }

  @Test
  void what_stands_behind_a_message_in_its_array_does_not_matter() {
    for (int round = 0; round < ROUNDS; round++) {
      byte[] message = mutated();
      CodecContext context = CONTEXTS.get(round % CONTEXTS.size());
      byte[] longer = Arrays.copyOf(message, message.length + random.nextInt(1, 64));
      Arrays.fill(longer, message.length, longer.length, (byte) 0xff);
      assertThat(MessageCodec.decode(longer, message.length, context))
          .as("round %d of seed %d", round, SEED)
          .isEqualTo(MessageCodec.decode(message, message.length, context));
    }
  }

  @Test
  void no_message_takes_more_of_the_heap_than_its_length_allows() {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    for (int round = 0; round < ROUNDS; round++) {
      byte[] message = mutated();
      CodecContext context = CONTEXTS.get(round % CONTEXTS.size());
      long before = threads.getCurrentThreadAllocatedBytes();
      MessageCodec.decode(message, message.length, context);
      long taken = threads.getCurrentThreadAllocatedBytes() - before;
      assertThat(taken)
          .as("round %d of seed %d, %d octets", round, SEED, message.length)
          .isLessThanOrEqualTo(HEAP_ANYWAY + (long) HEAP_PER_OCTET * message.length);
    }
  }
}
