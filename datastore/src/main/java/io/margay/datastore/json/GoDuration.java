package io.margay.datastore.json;

import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Durations as Go writes them: `1h30m0s`, `90s`, `1.5s`, `250ms`.
public final class GoDuration {

  private static final Pattern PART =
      Pattern.compile("(\\d{1,9}(?:\\.\\d{1,9})?)(ns|us|µs|ms|s|m|h)");

  private GoDuration() {}

  /// @throws IllegalArgumentException naming the text
  public static Duration parse(String text) {
    if (text.equals("0")) {
      return Duration.ZERO;
    }
    boolean negative = text.startsWith("-");
    Matcher part = PART.matcher(text);
    int at = negative ? 1 : 0;
    double nanos = 0;
    while (at < text.length() && part.find(at) && part.start() == at) {
      nanos += Double.parseDouble(part.group(1)) * nanosOf(part.group(2));
      at = part.end();
    }
    if (at != text.length() || at == (negative ? 1 : 0)) {
      throw new IllegalArgumentException(
          "\"" + text + "\" is not a duration such as 90s, 1m30s or 1h");
    }
    return Duration.ofNanos(Math.round(negative ? -nanos : nanos));
  }

  private static double nanosOf(String unit) {
    return switch (unit) {
      case "ns" -> 1;
      case "us", "µs" -> 1e3;
      case "ms" -> 1e6;
      case "s" -> 1e9;
      case "m" -> 60e9;
      default -> 3600e9;
    };
  }

  static String format(Duration duration) {
    if (duration.isNegative()) {
      return "-" + format(duration.negated());
    }
    if (duration.compareTo(Duration.ofSeconds(1)) < 0 && !duration.isZero()) {
      return duration.toNanos() % 1_000_000 == 0
          ? duration.toMillis() + "ms"
          : duration.toNanos() + "ns";
    }
    StringBuilder text = new StringBuilder();
    long hours = duration.toHours();
    if (hours > 0) {
      text.append(hours).append('h');
    }
    if (duration.toMinutes() > 0) {
      text.append(duration.toMinutesPart()).append('m');
    }
    String fraction = "%09d".formatted(duration.toNanosPart()).replaceAll("0+$", "");
    text.append(duration.toSecondsPart());
    return text.append(fraction.isEmpty() ? "" : "." + fraction).append('s').toString();
  }
}
