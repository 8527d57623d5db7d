package io.margay.bgp.speaker;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.bgp.codec.CodecContext;
import io.margay.bgp.message.Message;
import io.margay.bgp.sim.VirtualTime;
import io.margay.bgp.transport.Endpoints;
import io.margay.bgp.transport.Password;
import io.margay.bgp.transport.Ttl;
import io.margay.model.net.ScopedAddress;
import io.netty.buffer.ByteBuf;
import java.time.Duration;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class SendHoldTest {

  private static final Duration HOLD = Duration.ofSeconds(18);
  private static final long SECOND = 1_000_000_000L;

  private final VirtualTime time = new VirtualTime(new Random(1));
  private final Progress wire = new Progress();
  private long expiredNanos = -1;

  private final SessionClock clock = new VirtualClock(time);

  private void run(long seconds) {
    while (time.step(seconds * SECOND)) {}
  }

  private SendHold watch() {
    return new SendHold(clock, wire, HOLD, () -> expiredNanos = time.nanos());
  }

  @Test
  void a_peer_for_whom_nothing_waits_is_never_given_up() {
    watch();
    run(3600);
    assertThat(expiredNanos).isNegative();
  }

  @Test
  void a_peer_that_takes_one_octet_now_and_then_is_alive() {
    watch();
    wire.unsent = 100_000;
    for (int second = 10; second < 600; second += 10) {
      run(second);
      wire.sent++;
    }
    assertThat(expiredNanos).isNegative();
  }

  @Test
  void a_peer_that_takes_nothing_is_given_up_after_the_send_hold_time_and_at_most_an_eighth_more() {
    watch();
    run(60);
    wire.unsent = 1;
    run(120);
    assertThat(expiredNanos)
        .isBetween(60 * SECOND + HOLD.toNanos() * 7 / 8, 60 * SECOND + HOLD.toNanos() * 9 / 8);
  }

  @Test
  void a_stopped_watch_is_silent_and_leaves_no_task() {
    SendHold watch = watch();
    wire.unsent = 1;
    watch.stop();
    run(3600);
    assertThat(expiredNanos).isNegative();
  }

  /// Only what the watch looks at.
  private static final class Progress implements Wire {
    private long unsent;
    private long sent;

    @Override
    public long unsentOctets() {
      return unsent;
    }

    @Override
    public long sentOctets() {
      return sent;
    }

    @Override
    public Endpoints endpoints() {
      return new Endpoints(
          ScopedAddress.parse("10.0.0.1"), 179, ScopedAddress.parse("10.0.0.2"), 40_000);
    }

    @Override
    public boolean isReading() {
      return true;
    }

    @Override
    public void open(Receiver receiver) {}

    @Override
    public void use(CodecContext negotiated) {}

    @Override
    public void send(Message message) {}

    @Override
    public void send(ByteBuf messages, Runnable written) {}

    @Override
    public void pauseReading() {}

    @Override
    public void resumeReading() {}

    @Override
    public void ttl(Ttl ttl) {}

    @Override
    public void password(@Nullable Password password) {}

    @Override
    public void finish() {}

    @Override
    public void drop() {}
  }
}
