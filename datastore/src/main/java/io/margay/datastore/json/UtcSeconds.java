package io.margay.datastore.json;

import java.time.Instant;
import java.time.LocalDate;
import java.time.YearMonth;
import org.jspecify.annotations.Nullable;

/// Times as Kubernetes and Calico write them, `2026-01-31T12:00:00Z`, read without the general
/// parser: every document carries one.
final class UtcSeconds {

  private static final String SHAPE = "dddd-dd-ddTdd:dd:ddZ";
  private static final int SECONDS_OF_DAY = 86_400;

  private UtcSeconds() {}

  /// The time; null if the text is of another form or names no time of day, which the general
  /// parser may still know better.
  static @Nullable Instant parse(String text) {
    if (text.length() != SHAPE.length()) {
      return null;
    }
    for (int i = 0; i < SHAPE.length(); i++) {
      char wanted = SHAPE.charAt(i);
      char c = text.charAt(i);
      if (wanted == 'd' ? c < '0' || c > '9' : c != wanted) {
        return null;
      }
    }
    int year = digits(text, 0, 4);
    int month = digits(text, 5, 7);
    int day = digits(text, 8, 10);
    int hour = digits(text, 11, 13);
    int minute = digits(text, 14, 16);
    int second = digits(text, 17, 19);
    boolean exists =
        month >= 1
            && month <= 12
            && day >= 1
            && day <= YearMonth.of(year, month).lengthOfMonth()
            && hour < 24
            && minute < 60
            && second < 60;
    return exists
        ? Instant.ofEpochSecond(
            LocalDate.of(year, month, day).toEpochDay() * SECONDS_OF_DAY
                + hour * 3600L
                + minute * 60L
                + second)
        : null;
  }

  private static int digits(String text, int from, int to) {
    int number = 0;
    for (int i = from; i < to; i++) {
      number = number * 10 + text.charAt(i) - '0';
    }
    return number;
  }
}
