package io.margay.bgp.bfd;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Comparator;
import java.util.PriorityQueue;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Two sessions on one virtual clock, over a path that loses, delays, reorders and repeats.
class BfdPairTest {

  private static final long MILLI = 1_000_000;

  private record Flight(long at, int to, BfdPacket packet) {}

  private static final class World {
    final Random random;
    final PriorityQueue<Flight> flying = new PriorityQueue<>(Comparator.comparingLong(Flight::at));
    final BfdSession[] ends = new BfdSession[2];
    final long[] lastHeard = new long[2];
    double loss;
    long now;

    World(long seed) {
      random = new Random(seed);
      for (int end = 0; end < 2; end++) {
        int other = 1 - end;
        ends[end] =
            new BfdSession(
                end + 1,
                new BfdParameters(Duration.ofMillis(50 + random.nextInt(400)), 3),
                0,
                random,
                new BfdSession.Out() {
                  @Override
                  public void send(BfdPacket packet) {
                    fly(other, packet);
                  }

                  @Override
                  public void changed(BfdChange change) {}
                });
      }
    }

    void fly(int to, BfdPacket packet) {
      int copies = random.nextInt(20) == 0 ? 2 : 1;
      for (int i = 0; i < copies; i++) {
        if (random.nextDouble() >= loss) {
          flying.add(new Flight(now + MILLI + random.nextInt(20) * MILLI, to, packet));
        }
      }
    }

    void run(Duration time) {
      long end = now + time.toNanos();
      while (true) {
        long next = Math.min(ends[0].nextDeadline(), ends[1].nextDeadline());
        Flight flight = flying.peek();
        boolean arrives = flight != null && flight.at() <= next;
        if (arrives) {
          next = flight.at();
        }
        if (next > end) {
          now = end;
          return;
        }
        now = Math.max(now, next);
        if (arrives) {
          flying.poll();
          int yours = flight.packet().yourDiscriminator();
          if (yours == 0 || yours == ends[flight.to()].localDiscriminator()) {
            lastHeard[flight.to()] = now;
            ends[flight.to()].receive(flight.packet(), now);
          }
        } else {
          ends[0].tick(now);
          ends[1].tick(now);
        }
        for (int one = 0; one < 2; one++) {
          if (ends[one].state() == BfdState.UP) {
            assertThat(now - lastHeard[one])
                .as("an end is never up beyond its detection time")
                .isLessThanOrEqualTo(ends[one].detectionMicros() * 1000);
          }
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20})
  void sessions_agree_whatever_the_path_did_before(long seed) {
    World world = new World(seed);
    for (int round = 0; round < 20; round++) {
      world.loss = world.random.nextDouble();
      world.run(Duration.ofMillis(world.random.nextInt(5000)));
      if (world.random.nextInt(4) == 0) {
        world.ends[world.random.nextInt(2)].configure(
            new BfdParameters(Duration.ofMillis(20 + world.random.nextInt(900)), 3), world.now);
      }
    }
    world.loss = 0;
    world.run(Duration.ofSeconds(20));
    for (int end = 0; end < 2; end++) {
      BfdSession mine = world.ends[end];
      BfdSession other = world.ends[1 - end];
      assertThat(mine.state()).isEqualTo(BfdState.UP);
      assertThat(mine.isPolling()).isFalse();
      assertThat(mine.remoteDiscriminator()).isEqualTo(other.localDiscriminator());
      long negotiated = Math.max(mine.parameters().micros(), (long) other.parameters().micros());
      assertThat(mine.sendIntervalMicros()).isEqualTo(negotiated);
      assertThat(mine.detectionMicros()).isEqualTo(3 * negotiated);
    }
    world.loss = 1;
    world.run(Duration.ofSeconds(5));
    assertThat(world.ends[0].state()).isEqualTo(BfdState.DOWN);
    assertThat(world.ends[1].state()).isEqualTo(BfdState.DOWN);
  }
}
