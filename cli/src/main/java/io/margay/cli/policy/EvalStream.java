package io.margay.cli.policy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.exc.MismatchedInputException;
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

  private static final char MARK = '\uFEFF';
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
        return unmarked(line);
      }
    } while (fill());
    return unmarked(line);
  }

  /// Some programs begin what they write with a byte order mark.
  private String unmarked(StringBuilder line) {
    return line.substring(lines == 0 && !line.isEmpty() && line.charAt(0) == MARK ? 1 : 0);
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
              List.of(DocumentTrees.of(place(), resources)), PodReader.Wiring.ONE_NODE);
      Engine asked = engine.of(read);
      read.warnings().forEach(this::warn);
      asked.problems().forEach(this::warn);
      return new Answers(new Evaluation(read, asked)).answer(probes).toString();
    } catch (MismatchedInputException two) {
      return error("the line has more than one JSON value");
    } catch (JsonProcessingException notJson) {
      return error(
          "the line is not JSON: " + notJson.getOriginalMessage().lines().findFirst().orElse(""));
    } catch (RuntimeException fault) {
      // A fault of ours with this world must not cost the next one its answer.
      warn(fault.toString());
      return error("internal error: " + fault);
    }
  }

  private String place() {
    return "line " + lines;
  }

  /// What is said of a document begins with its place, what is said of all of them does not.
  private void warn(String warning) {
    err.println(warning.startsWith(place() + ": ") ? warning : place() + ": " + warning);
  }

  private static String error(String message) {
    return JsonNodeFactory.instance.objectNode().put("error", message).toString();
  }
}
