package io.margay.policy.testing;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Draws values from a seed. A failure names the seed; `-Dseed=N` runs that one alone.
public final class Gen {

  private final Random random;

  public Gen(long seed) {
    random = new Random(seed);
  }

  /// Runs `body` for `count` seeds, or for the one given on the command line.
  public static void forSeeds(int count, Consumer<Gen> body) {
    Long only = Long.getLong("seed");
    if (only != null) {
      body.accept(new Gen(only));
      return;
    }
    for (long seed = 1; seed <= count; seed++) {
      try {
        body.accept(new Gen(seed));
      } catch (RuntimeException | AssertionError e) {
        throw new AssertionError("seed " + seed + " (again: -Dseed=" + seed + "): " + e, e);
      }
    }
  }

  /// A number in `from..to`, both included.
  public int between(int from, int to) {
    return from + random.nextInt(to - from + 1);
  }

  /// True `percent` times out of a hundred.
  public boolean chance(int percent) {
    return random.nextInt(100) < percent;
  }

  @SafeVarargs
  public final <T> T oneOf(T... values) {
    return values[random.nextInt(values.length)];
  }

  public <T> T oneOf(List<T> values) {
    return values.get(random.nextInt(values.size()));
  }

  /// A value `percent` times out of a hundred, else null.
  public <T> @Nullable T maybe(int percent, Supplier<T> value) {
    return chance(percent) ? value.get() : null;
  }

  public <T> List<T> listOf(int from, int to, Supplier<T> value) {
    List<T> list = new ArrayList<>();
    int size = between(from, to);
    for (int i = 0; i < size; i++) {
      list.add(value.get());
    }
    return list;
  }

  /// Some of the values, in their order.
  @SafeVarargs
  public final <T> List<T> someOf(T... values) {
    List<T> some = new ArrayList<>();
    for (T value : values) {
      if (chance(50)) {
        some.add(value);
      }
    }
    return some;
  }

  public <T> List<T> shuffled(Iterable<T> values) {
    List<T> list = new ArrayList<>();
    values.forEach(list::add);
    Collections.shuffle(list, random);
    return list;
  }
}
