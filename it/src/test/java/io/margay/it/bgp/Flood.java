package io.margay.it.bgp;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Pings with an answer counted for every packet, more than 1,000 a second: three processes of
/// almost 1,000 each on a quiet machine, since ping with less than a millisecond between packets no
/// longer keeps a rate.
final class Flood {

  private static final double INTERVAL_SECONDS = 0.001;
  private static final int PROCESSES = 3;
  private static final Pattern REPLY = Pattern.compile("^\\[(\\d+\\.\\d+)\\] .*icmp_seq=(\\d+) ");
  private static final Pattern SUMMARY =
      Pattern.compile("(\\d+) packets transmitted, (\\d+) (?:packets )?received");

  /// What came of it.
  ///
  /// @param longestGapSeconds the longest time between two answers
  record Result(long sent, long answered, double seconds, double longestGapSeconds) {

    long lost() {
      return sent - answered;
    }

    private Result and(Result other) {
      return new Result(
          sent + other.sent,
          answered + other.answered,
          Math.max(seconds, other.seconds),
          Math.max(longestGapSeconds, other.longestGapSeconds));
    }

    double perSecond() {
      return sent / seconds;
    }

    @Override
    public String toString() {
      return String.format(
          Locale.ROOT,
          "%d of %d packets lost in %.1f s (%.0f/s), longest gap %.0f ms",
          lost(),
          sent,
          seconds,
          perSecond(),
          longestGapSeconds * 1000);
    }
  }

  private final List<Process> processes = new ArrayList<>();
  private final List<Path> logs = new ArrayList<>();

  private Flood() {}

  /// Starts when the first answers are there: the way exists.
  static Flood start(Lab lab, String namespace, String from, String to) {
    Flood flood = new Flood();
    for (int number = 1; number <= PROCESSES; number++) {
      Path log = lab.directory.resolve("ping" + number);
      flood.processes.add(
          lab.start(
              namespace,
              "ping" + number,
              "ping",
              "-n",
              "-D",
              "-i",
              Double.toString(INTERVAL_SECONDS),
              "-I",
              from,
              to));
      flood.logs.add(log);
      Waiting.until(
          "ping answered", () -> Lab.read(log), () -> Lab.read(log).contains("icmp_seq="));
    }
    return flood;
  }

  /// Ends it.
  Result stop() {
    processes.forEach(process -> Lab.signal(process, "INT"));
    processes.forEach(Lab::await);
    return logs.stream().map(Flood::read).reduce(Result::and).orElseThrow();
  }

  /// The very last packet may still be on its way; it does not count as lost.
  private static Result read(Path log) {
    double first = 0;
    double last = 0;
    double gap = 0;
    long lastSequence = 0;
    for (String line : Lab.read(log).lines().toList()) {
      Matcher reply = REPLY.matcher(line);
      if (!reply.find()) {
        continue;
      }
      double at = Double.parseDouble(reply.group(1));
      first = first == 0 ? at : first;
      gap = last == 0 ? 0 : Math.max(gap, at - last);
      last = at;
      lastSequence = Long.parseLong(reply.group(2));
    }
    Matcher summary = SUMMARY.matcher(Lab.read(log));
    if (!summary.find()) {
      throw new AssertionError("ping says nothing: " + Lab.read(log));
    }
    long sent = Long.parseLong(summary.group(1));
    long answered = Long.parseLong(summary.group(2));
    if (sent == answered + 1 && lastSequence == (sent - 1) % 65536) {
      sent--;
    }
    return new Result(sent, answered, last - first, gap);
  }
}
