package io.margay.it.cni;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// Kills at random moments leave nothing behind. The seed is printed; SOAK_SEED repeats one.
class SoakTest {

  private static final int SHORT = 300;

  /// One round in twenty. The agent's starts take most of the time, so it is clients that die more
  /// often.
  private static final Soak.Hits SHORT_HITS = new Soak.Hits(35, 15);

  private static final Soak.Hits LONG_HITS = new Soak.Hits(25, 25);

  private static void soak(String lab, int rounds, Soak.Hits hits) throws Exception {
    String given = System.getenv("SOAK_SEED");
    long seed = given == null ? System.nanoTime() & 0xffff_ffffL : Long.parseLong(given);
    System.out.println("SOAK_SEED=" + seed + ", " + rounds + " rounds");
    long start = System.nanoTime();
    try (Node node = Node.raise("mgyt" + lab + ProcessHandle.current().pid())) {
      Soak soak = new Soak(node, seed, hits);
      List<String> wrong = soak.run(rounds);
      System.out.printf("%s, %d s%n", soak, (System.nanoTime() - start) / 1_000_000_000);
      assertThat(wrong).as("%s", soak).isEmpty();
      node.awaitAgent();
      List<String> leaks = new Invariants(node).settled(Soak.nobody());
      System.out.printf("settled, %d s%n", (System.nanoTime() - start) / 1_000_000_000);
      assertThat(leaks).as("%s", soak).isEmpty();
    }
  }

  @Test
  @Tag("lab")
  void three_hundred_rounds_with_kills_leave_nothing() throws Exception {
    soak("soak", SHORT, SHORT_HITS);
  }

  @Test
  @Tag("chaos")
  void thousands_of_rounds_with_kills_leave_nothing() throws Exception {
    String rounds = System.getenv("SOAK_ROUNDS");
    soak("chaos", rounds == null ? 1000 : Integer.parseInt(rounds), LONG_HITS);
  }
}
