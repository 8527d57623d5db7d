package io.margay.it.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.cli.demo.UdpFlood;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// Faults in random order on a rack whose pods and policies come and go. The seed is printed;
/// CHAOS_SEED repeats one.
class RackChaosTest {

  private static final int LONG = 200;

  private static List<Fault> usual() {
    boolean isLong = System.getenv("CHAOS_LONG") != null;
    return Stream.of(Fault.values()).filter(fault -> isLong || !fault.isLong()).toList();
  }

  /// All of them, in an order of their own, so that no short run leaves one out; or those of
  /// CHAOS_FAULT alone, in its order.
  private static List<Fault> draw(int rounds, Random random) {
    List<Fault> faults = new ArrayList<>();
    String only = System.getenv("CHAOS_FAULT");
    if (only != null) {
      List<Fault> some = Stream.of(only.split(",")).map(Fault::valueOf).toList();
      for (int i = 0; i < rounds; i++) {
        faults.add(some.get(i % some.size()));
      }
      return faults;
    }
    while (faults.size() < rounds) {
      List<Fault> all = new ArrayList<>(usual());
      Collections.shuffle(all, random);
      faults.addAll(all);
    }
    return faults.subList(0, rounds);
  }

  private static void run(String name, int rounds) throws Exception {
    String given = System.getenv("CHAOS_SEED");
    long seed = given == null ? System.nanoTime() & 0xffff_ffffL : Long.parseLong(given);
    Random random = new Random(seed);
    System.out.println("CHAOS_SEED=" + seed + ", " + rounds + " rounds");
    try (ChaosRack rack = ChaosRack.raise("mgyt" + name + ProcessHandle.current().pid())) {
      Promises promises = new Promises(rack);
      assertThat(promises.settle().broken()).as("before anything happened").isEmpty();
      for (Fault fault : draw(rounds, random)) {
        round(rack, promises, fault, random, seed);
      }
      UdpFlood.Report forbidden = rack.stopForbidden();
      assertThat(forbidden.received()).as("%s through a closed port", forbidden).isZero();
      assertThat(forbidden.sent()).isPositive();
      rack.deleteAll();
      assertThat(leaks(promises)).as("seed %d", seed).isEmpty();
    }
  }

  private static void round(
      ChaosRack rack, Promises promises, Fault fault, Random random, long seed) throws Exception {
    List<String> done = new ArrayList<>();
    done.add(rack.churn(random));
    List<UdpFlood> streams = rack.streams();
    ChaosRack.pause(Duration.ofMillis(300));
    String hit = fault.strike(rack, random, () -> done.add(rack.churn(random)));
    Promises.Settled settled = promises.settle();
    List<UdpFlood.Report> reports = new ArrayList<>();
    for (UdpFlood stream : streams) {
      reports.add(stream.stop());
    }
    long lost = reports.stream().mapToLong(UdpFlood.Report::lost).sum();
    System.out.printf(
        "%s %s, %s: %d packets lost; settled after %s%n", fault, hit, done, lost, settled);
    if (!settled.broken().isEmpty() || fault.isHitless() && lost > 0) {
      System.out.println("what stood is in " + rack.describe(seed));
    }
    assertThat(settled.broken()).as("seed %d: %s %s, %s", seed, fault, hit, done).isEmpty();
    if (fault.isHitless()) {
      assertThat(lost).as("seed %d: %s %s, %s: %s", seed, fault, hit, done, reports).isZero();
    }
  }

  private static List<String> leaks(Promises promises) throws Exception {
    List<String> leaks = promises.leaks();
    for (int i = 0; i < 100 && !leaks.isEmpty(); i++) {
      ChaosRack.pause(Duration.ofMillis(300));
      leaks = promises.leaks();
    }
    return leaks;
  }

  @Test
  @Tag("lab")
  void every_fault_once() throws Exception {
    run("few", usual().size());
  }

  @Test
  @Tag("chaos")
  void faults_in_random_order() throws Exception {
    String rounds = System.getenv("CHAOS_ROUNDS");
    run("many", rounds == null ? LONG : Integer.parseInt(rounds));
  }
}
