package io.margay.cli.node;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.URI;

/// The HTTP side of one agent.
final class AgentApi {

  static final String DEFAULT = "http://127.0.0.1:9199";

  private static final int CONNECT_MILLIS = 2_000;
  private static final int READ_MILLIS = 10_000;

  private final String base;

  /// @param base `http://HOST:PORT`
  AgentApi(String base) {
    this.base = base.endsWith("/") ? base.substring(0, base.length() - 1) : base;
  }

  /// Reads `/api/v1/...`. An unready agent's 503 is an answer too.
  ///
  /// @throws IOException one line for people: no agent there, or not its answer
  JsonNode get(String path) throws IOException {
    String url = base + "/api/v1/" + path;
    HttpURLConnection connection;
    try {
      connection = (HttpURLConnection) URI.create(url).toURL().openConnection();
    } catch (IllegalArgumentException malformed) {
      throw new IOException("--api " + base + ": not a URL; expected http://HOST:PORT");
    }
    connection.setConnectTimeout(CONNECT_MILLIS);
    connection.setReadTimeout(READ_MILLIS);
    int status;
    try {
      status = connection.getResponseCode();
    } catch (IOException unreachable) {
      throw new IOException(
          "no agent answers at "
              + base
              + " ("
              + unreachable.getMessage()
              + "); is it running, and is this its network namespace?");
    }
    if (status != 200 && status != 503) {
      throw new IOException(url + " answered " + status);
    }
    try (InputStream body =
        status == 200 ? connection.getInputStream() : connection.getErrorStream()) {
      return new JsonMapper().readTree(body);
    }
  }
}
