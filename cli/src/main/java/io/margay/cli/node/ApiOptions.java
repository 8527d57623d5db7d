package io.margay.cli.node;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.margay.cli.ExitCodes;
import io.margay.cli.http.HttpClient;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Callable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// What every command that asks a running process has in common.
abstract class ApiOptions implements Callable<Integer> {

  static final String DEFAULT = "http://127.0.0.1:9199";

  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(
      names = "--api",
      paramLabel = "URL",
      defaultValue = DEFAULT,
      description = {
        "whom to ask: http://HOST:PORT or unix:PATH",
        "(default: the agent at ${DEFAULT-VALUE}; bgpd's is what its file says under http)"
      })
  private String api = "";

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FORMAT",
      defaultValue = "text",
      description = "text or json (default: ${DEFAULT-VALUE})")
  private String output = "";

  /// What to ask, from `/` on.
  ///
  /// @throws IllegalArgumentException when the command's own options make no sense together
  abstract String target();

  /// Prints an answer for people.
  abstract void print(InputStream answer, PrintWriter out) throws IOException;

  /// Says for people what follows from there being nothing to tell of.
  ///
  /// @return false when it has nothing to say
  boolean explainAbsence(PrintWriter out) throws IOException {
    return false;
  }

  /// How the line begins that says that nobody answers.
  String absent() {
    return "";
  }

  /// For what a command asks besides.
  final HttpClient client() {
    return new HttpClient(api);
  }

  static JsonNode whole(InputStream answer) throws IOException {
    return new JsonMapper().readTree(answer);
  }

  @Override
  public Integer call() {
    PrintWriter err = spec.commandLine().getErr();
    if (!output.equals("text") && !output.equals("json")) {
      err.println("-o " + output + ": expected text or json");
      return ExitCodes.USAGE;
    }
    String target;
    try {
      target = target();
    } catch (IllegalArgumentException impossible) {
      err.println(spec.qualifiedName() + ": " + String.valueOf(impossible.getMessage()));
      return ExitCodes.USAGE;
    }
    try (HttpClient.Response response = new HttpClient(api).get(target)) {
      // An unready agent's 503 is an answer too.
      if (response.status() == 200 || response.status() == 503) {
        show(response.body());
        return ExitCodes.OK;
      }
      if (response.status() == 404
          && output.equals("text")
          && explainAbsence(spec.commandLine().getOut())) {
        return ExitCodes.FAILED;
      }
      err.println(error(response));
      return response.status() == 400 ? ExitCodes.USAGE : ExitCodes.FAILED;
    } catch (IllegalArgumentException malformed) {
      err.println("--api " + malformed.getMessage());
      return ExitCodes.USAGE;
    } catch (IOException unreachable) {
      err.println(
          absent()
              + "nobody answers at "
              + api
              + " ("
              + unreachable.getMessage()
              + "); is it running, and is this its network namespace?");
      return ExitCodes.UNREACHABLE;
    }
  }

  private void show(InputStream body) throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    if (output.equals("json")) {
      new InputStreamReader(body, StandardCharsets.UTF_8).transferTo(out);
      out.println();
    } else {
      print(body, out);
    }
    out.flush();
  }

  private static String error(HttpClient.Response response) throws IOException {
    String body = new String(response.body().readAllBytes(), StandardCharsets.UTF_8).strip();
    try {
      JsonNode error = new JsonMapper().readTree(body).path("error");
      return error.isTextual() ? error.asText() : "answered " + response.status() + ": " + body;
    } catch (IOException notJson) {
      return "answered " + response.status() + ": " + body;
    }
  }
}
