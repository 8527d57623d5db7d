package io.margay.cni;

import java.util.LinkedHashMap;
import java.util.Map;

/// How long each stage of a request took, for "why was this ADD slow?".
final class StageTimes {

  private static final double NANOS_PER_MILLI = 1e6;

  private final Map<String, Double> millis = new LinkedHashMap<>();
  private long last = System.nanoTime();

  /// The stage that just ended.
  void ended(String stage) {
    long now = System.nanoTime();
    millis.merge(stage, (now - last) / NANOS_PER_MILLI, Double::sum);
    last = now;
  }

  /// `journal=0.41 address=1.20 …`, in milliseconds.
  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    millis.forEach(
        (stage, took) ->
            text.append(text.isEmpty() ? "" : " ")
                .append(stage)
                .append('=')
                .append(Math.round(took * 100) / 100.0));
    return text.toString();
  }
}
