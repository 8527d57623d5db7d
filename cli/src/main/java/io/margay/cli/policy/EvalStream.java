package io.margay.cli.policy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.margay.datastore.json.DocumentTrees;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.Reader;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Worlds and probes, one of each a line, answered line by line.
final class EvalStream {

  /// Characters of the longest line.
  static final int MAX_LINE = DocumentTrees.MAX_LENGTH;

  private static final int BUFFER = 64 * 1024;

  static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private final Engine.Choice engine;
  private final Reader in;
  private final PrintWriter out;
  private final PrintWriter err;
  private final int maxLine;
  private final char[] buffer = new char[BUFFER];
  private int at;
  private int filled;
  private long lines;

  /// @param maxLine characters of the longest line that is read
  EvalStream(Engine.Choice engine, Reader in, PrintWriter out, PrintWriter err, int maxLine) {
    this.engine = engine;
    this.in = in;
    this.out = out;
    this.err = err;
    this.maxLine = maxLine;
  }

  /// Until the input ends.
  void run() throws IOException {
    String line = line();
    while (line != null) {
      lines++;
      out.println(answer(line));
      out.flush();
      line = line();
    }
  }

  /// The next line; a longer one than allowed is cut to one character too many.
  private @Nullable String line() throws IOException {
    if (at == filled && !fill()) {
      return null;
    }
    StringBuilder line = new StringBuilder();
    do {
      int end = at;
      while (end < filled && buffer[end] != '\n') {
        end++;
      }
      line.append(buffer, at, Math.min(end - at, maxLine + 1 - line.length()));
      at = end;
      if (end < filled) {
        at++;
        return line.toString();
      }
    } while (fill());
    return line.toString();
  }

  private boolean fill() throws IOException {
    at = 0;
    filled = Math.max(0, in.read(buffer));
    return filled > 0;
  }

  private String answer(String line) {
    if (line.length() > maxLine) {
      return error("the line is longer than " + maxLine + " characters");
    }
    try {
      JsonNode world = JSON.readTree(line);
      JsonNode resources = world.path("resources");
      JsonNode probes = world.path("probes");
      if (!world.isObject() || !resources.isArray() || !probes.isArray()) {
        return error("expected {\"resources\":[documents],\"probes\":[probes]}");
      }
      World read =
          WorldReader.read(
              List.of(DocumentTrees.of("line " + lines, resources)), PodReader.Wiring.ONE_NODE);
      read.warnings().forEach(err::println);
      return new Answers(new Evaluation(read, engine.of(read))).answer(probes).toString();
    } catch (JsonProcessingException notJson) {
      return error(
          "the line is not JSON: " + notJson.getOriginalMessage().lines().findFirst().orElse(""));
    } catch (RuntimeException fault) {
      // A fault of ours with this world must not cost the next one its answer.
      err.println("line " + lines + ": " + fault);
      return error("internal error: " + fault);
    }
  }

  private static String error(String message) {
    return JsonNodeFactory.instance.objectNode().put("error", message).toString();
  }
}
