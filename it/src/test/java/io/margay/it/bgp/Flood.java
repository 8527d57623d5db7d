package io.margay.it.bgp;

import java.nio.file.Path;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A ping with an answer counted for every packet, more than 1,000 a second.
final class Flood {

  private static final double INTERVAL_SECONDS = 0.0005;
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

  private final Process process;
  private final Path log;

  private Flood(Process process, Path log) {
    this.process = process;
    this.log = log;
  }

  /// Starts when the first answer is there: the way exists.
  static Flood start(Lab lab, String namespace, String from, String to) {
    Path log = lab.directory.resolve("ping");
    Lab.write(log, "");
    Process process =
        lab.start(
            namespace, "ping", "ping", "-n", "-D", "-i", Double.toString(INTERVAL_SECONDS), "-I",
            from, to);
    Waiting.until("ping answered", () -> Lab.read(log), () -> Lab.read(log).contains("icmp_seq="));
    return new Flood(process, log);
  }

  /// Ends it. The very last packet may still be on its way; it does not count as lost.
  Result stop() {
    Lab.signal(process, "INT");
    Lab.await(process);
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
