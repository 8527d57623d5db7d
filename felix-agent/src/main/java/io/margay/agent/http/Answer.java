package io.margay.agent.http;

import java.io.IOException;
import java.io.OutputStream;

/// An HTTP answer that is written where it is sent, so that a long one never lies in memory whole.
///
/// @param status the HTTP status
/// @param contentType of the body
public record Answer(int status, String contentType, Body body) {

  public static final String JSON = "application/json";

  /// Writes the body.
  @FunctionalInterface
  public interface Body {
    void writeTo(OutputStream out) throws IOException;
  }
}
