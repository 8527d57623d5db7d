package io.margay.agent.dataplane;

import java.time.Duration;
import java.util.function.BiConsumer;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// When a part of what the kernel refuses is tried again, and what is said of it: at once after
/// news, else after a pause that doubles while nothing is. Belongs to the dataplane loop.
final class Retry {

  /// The first pause.
  static final Duration FIRST = Duration.ofMillis(200);

  static final Duration LONGEST = Duration.ofSeconds(30);

  /// How soon a reason that stays the same is said again.
  static final Duration SAID_AGAIN = Duration.ofMinutes(5);

  private static final Logger LOG = LoggerFactory.getLogger(Retry.class);

  private final String part;
  private final BiConsumer<Duration, Runnable> schedule;
  private final LongSupplier nanoTime;
  private Duration pause = FIRST;
  private boolean isRefused;
  private int pauses;

  /// The number of the pause that lasts; 0: none does.
  private int lasting;

  private String said = "";
  private long saidAt;

  /// @param part as the log names it
  /// @param schedule runs something on the loop, with a settling after it
  /// @param nanoTime as [System#nanoTime]
  Retry(String part, BiConsumer<Duration, Runnable> schedule, LongSupplier nanoTime) {
    this.part = part;
    this.schedule = schedule;
    this.nanoTime = nanoTime;
  }

  /// Whether there is anything to be gained by trying now.
  boolean isDue() {
    return lasting == 0;
  }

  /// An attempt begins: what was refused before is tried again.
  void attempting() {
    isRefused = false;
  }

  /// Something else is wished for, or the kernel may take now what it refused.
  void news() {
    lasting = 0;
    pause = FIRST;
  }

  /// A change was refused, which is said unless it has been.
  void refused(String reason) {
    refused();
    long now = nanoTime.getAsLong();
    if (!reason.equals(said) || now - saidAt >= SAID_AGAIN.toNanos()) {
      said = reason;
      saidAt = now;
      LOG.atError()
          .addKeyValue("part", part)
          .addKeyValue("reason", reason)
          .log("the kernel refused a change; it is tried again, every 30 s if not sooner");
    }
  }

  /// A change was refused, of which others speak.
  void refused() {
    isRefused = true;
  }

  /// The attempt is over: unless all went well, the next is after a pause.
  ///
  /// @param least how long it is at least
  void attempted(Duration least) {
    if (!isRefused) {
      news();
      if (!said.isEmpty()) {
        said = "";
        LOG.atInfo().addKeyValue("part", part).log("the kernel takes changes again");
      }
      return;
    }
    Duration now = pause.compareTo(least) < 0 ? least : pause;
    Duration doubled = now.multipliedBy(2);
    pause = doubled.compareTo(LONGEST) < 0 ? doubled : LONGEST;
    int number = ++pauses;
    lasting = number;
    schedule.accept(
        now,
        () -> {
          if (lasting == number) {
            lasting = 0;
          }
        });
  }
}
