package io.margay.cni;

import io.margay.cni.protocol.CniRequest;
import io.margay.cni.protocol.CniVariable;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The trace a runtime put its request in (W3C Trace Context, `TRACEPARENT`).
final class TraceId {

  /// Section 3.2: version, trace id, parent id, flags; later versions may append fields.
  private static final Pattern TRACEPARENT =
      Pattern.compile("(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(-.*)?");

  private static final String NONE = "0".repeat(32);

  private TraceId() {}

  /// Empty when the request is in no trace, or says so in a way that nobody understands.
  static Optional<String> of(CniRequest request) {
    Matcher parts = TRACEPARENT.matcher(request.get(CniVariable.TRACEPARENT));
    return parts.matches() && !parts.group(1).equals(NONE)
        ? Optional.of(parts.group(1))
        : Optional.empty();
  }
}
