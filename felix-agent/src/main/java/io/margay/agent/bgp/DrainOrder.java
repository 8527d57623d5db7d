package io.margay.agent.bgp;

import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// The wish that a node goes out of the way of traffic, as an annotation of its Node resource has
/// it: `2026-11-29T11:20:00Z wait 30s`. It stands until it is taken back, agents come and go.
///
/// @param since when it was given
/// @param warning how long peers are warned (RFC 8326) before routes are withdrawn, at most {@link
///   #MAX_WAIT}
public record DrainOrder(Instant since, Duration warning) {

  /// The annotation.
  public static final String ANNOTATION = "margay.io/drain";

  public static final Duration DEFAULT_WAIT = Duration.ofSeconds(30);

  /// Who wants more has forgotten it.
  public static final Duration MAX_WAIT = Duration.ofHours(1);

  private static final Pattern FORM = Pattern.compile("(\\S+) wait (\\d{1,4})s");

  public DrainOrder {
    since = since.truncatedTo(ChronoUnit.SECONDS);
    if (warning.isNegative() || warning.compareTo(MAX_WAIT) > 0) {
      throw new IllegalArgumentException(
          "a wait of " + warning.toSeconds() + " s is not in 0.." + MAX_WAIT.toSeconds() + " s");
    }
  }

  /// @throws IllegalArgumentException naming the text
  public static DrainOrder parse(String text) {
    Matcher form = FORM.matcher(text);
    if (!form.matches()) {
      throw malformed(text);
    }
    try {
      return new DrainOrder(
          Instant.parse(form.group(1)), Duration.ofSeconds(Long.parseLong(form.group(2))));
    } catch (DateTimeException noTime) {
      throw malformed(text);
    }
  }

  private static IllegalArgumentException malformed(String text) {
    return new IllegalArgumentException(
        "\"" + text + "\" is not like \"2026-11-29T11:20:00Z wait 30s\"");
  }

  /// This order to a node that has one already: its wait goes on, it does not begin anew, so that a
  /// drained node stays so.
  ///
  /// @param before the annotation; null or nonsense: there is none
  public DrainOrder after(@Nullable String before) {
    if (before == null) {
      return this;
    }
    try {
      Instant earlier = parse(before).since;
      return earlier.isBefore(since) ? new DrainOrder(earlier, warning) : this;
    } catch (IllegalArgumentException nonsense) {
      return this;
    }
  }

  /// How long peers are still to be warned; zero: routes are to be withdrawn. Never longer than the
  /// wait, whatever the clocks of this machine and of who gave the order say.
  Duration remaining(Instant now) {
    Duration left = Duration.between(now, since.plus(warning));
    if (left.isNegative()) {
      return Duration.ZERO;
    }
    return left.compareTo(warning) > 0 ? warning : left;
  }

  @Override
  public String toString() {
    return since + " wait " + warning.toSeconds() + "s";
  }
}
