package io.margay.agent.calc;

import io.margay.agent.firewall.PacketLog;
import io.margay.linux.nft.NftExpr;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// The knobs of FelixConfiguration that say how rules with action Log write: `logPrefix`,
/// `logActionRateLimit`, `logActionRateLimitBurst`.
final class LogKnobs {

  /// As Felix takes it: 1 to 9999, each second unless it says otherwise.
  private static final Pattern RATE =
      Pattern.compile("([1-9][0-9]{0,3})(?:/(second|minute|hour|day))?");

  private LogKnobs() {}

  /// @param knobs a knob's value by its name; null = not set
  /// @param problems gains what can't be understood
  static PacketLog apply(
      PacketLog unset, Function<String, @Nullable Object> knobs, List<String> problems) {
    Object prefix = knobs.apply("logPrefix");
    return new PacketLog(
        unset.rules(),
        unset.verdicts(),
        prefix == null || prefix.toString().isEmpty() ? unset.prefix() : prefix.toString(),
        limit(unset.limit(), knobs, problems));
  }

  private static NftExpr.Limit limit(
      NftExpr.Limit unset, Function<String, @Nullable Object> knobs, List<String> problems) {
    Object rate = knobs.apply("logActionRateLimit");
    Object burst = knobs.apply("logActionRateLimitBurst");
    NftExpr.Limit limit = rate == null ? unset : rate(rate.toString(), unset, problems);
    if (burst == null) {
      return limit;
    }
    try {
      int packets = Integer.parseInt(burst.toString());
      return new NftExpr.Limit(limit.packets(), limit.seconds(), packets);
    } catch (IllegalArgumentException wrong) {
      problems.add(
          "logActionRateLimitBurst: "
              + burst
              + " is no number of packets; "
              + limit.burst()
              + " is used");
      return limit;
    }
  }

  private static NftExpr.Limit rate(String text, NftExpr.Limit unset, List<String> problems) {
    Matcher rate = RATE.matcher(text);
    if (!rate.matches()) {
      problems.add(
          "logActionRateLimit: "
              + text
              + " is not like 10/minute (second, minute, hour, day); "
              + unset.packets()
              + "/second is used");
      return unset;
    }
    int packets = Integer.parseInt(rate.group(1));
    String time = rate.group(2);
    return new NftExpr.Limit(
        packets,
        time == null ? 1 : NftExpr.LimitTime.valueOf(time.toUpperCase(Locale.ROOT)).seconds(),
        packets);
  }
}
