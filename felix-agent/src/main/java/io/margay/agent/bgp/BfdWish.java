package io.margay.agent.bgp;

import io.margay.bgp.bfd.BfdParameters;
import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// How an annotation writes BFD's parameters: `300ms x 3`, interval and multiplier.
final class BfdWish {

  private static final Pattern FORM =
      Pattern.compile("\\s*(\\d{1,6})(ms|s)\\s*x\\s*(\\d{1,3})\\s*");

  private BfdWish() {}

  /// @throws IllegalArgumentException naming the text and what is wrong with it
  static BfdParameters parse(String text) {
    Matcher form = FORM.matcher(text);
    if (!form.matches()) {
      throw new IllegalArgumentException(
          "\"" + text + "\" is not an interval and a multiplier, like \"300ms x 3\"");
    }
    long number = Long.parseLong(form.group(1));
    return new BfdParameters(
        form.group(2).equals("s") ? Duration.ofSeconds(number) : Duration.ofMillis(number),
        Integer.parseInt(form.group(3)));
  }
}
