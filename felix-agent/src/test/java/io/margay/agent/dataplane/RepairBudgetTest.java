package io.margay.agent.dataplane;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class RepairBudgetTest {

  private static final long MILLI = 1_000_000;

  @Test
  void accidents_are_repaired_at_once_and_a_fight_takes_half_of_the_time() {
    RepairBudget budget = new RepairBudget(0);
    long now = 0;
    long busy = 0;
    int unhindered = 0;
    while (now < 60_000 * MILLI) {
      long wait = budget.waitNanos(now);
      unhindered += wait == 0 && now < 2_000 * MILLI ? 1 : 0;
      now += wait;
      budget.spent(now, now + 30 * MILLI);
      now += 30 * MILLI;
      busy += 30 * MILLI;
    }
    assertThat(unhindered).isGreaterThan(50);
    assertThat(busy * 100 / now).isBetween(49L, 53L);
  }

  @Test
  void a_wait_pays_the_debt() {
    RepairBudget budget = new RepairBudget(0);
    budget.spent(0, 4_000 * MILLI);
    long wait = budget.waitNanos(4_000 * MILLI);
    assertThat(wait).isPositive();
    assertThat(budget.waitNanos(4_000 * MILLI + wait)).isZero();
  }
}
