package io.margay.cli.policy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.margay.cli.ExitCodes;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// Says what policies in files would do to packets.
@Command(
    name = "eval",
    mixinStandardHelpOptions = true,
    description = {
      "Say what policies would do to packets: unit tests for policies.",
      "Exit code 1 if a probe has \"expect\" and its verdict is another."
    })
final class EvalCommand implements Callable<Integer> {

  /// The formats of `-o`.
  enum Format {
    json
  }

  private final InputStream standardInput;

  @Option(
      names = {"-r", "--resources"},
      arity = "1..*",
      paramLabel = "FILE",
      description = "v3 and Kubernetes documents, YAML or JSON; folders of them; - for stdin")
  private List<String> resources = List.of();

  @Option(
      names = {"-p", "--probes"},
      paramLabel = "FILE",
      description = "JSON or YAML list of {from, to, port, protocol, icmp, expect}; - for stdin")
  private @Nullable String probes;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FORMAT",
      description = "json: the probes with their answers (default: a table)")
  private @Nullable Format output;

  @Option(
      names = "--stream",
      description =
          "read {\"resources\":[…],\"probes\":[…]} line by line from stdin, answer line by line")
  private boolean stream;

  @Option(
      names = "--engine",
      paramLabel = "ENGINE",
      description =
          "rules: those that would be sent to the kernel; oracle: a second opinion straight from"
              + " the documents (default: ${DEFAULT-VALUE})")
  private Engine.Choice engine = Engine.Choice.rules;

  @Spec private CommandSpec spec = CommandSpec.create();

  EvalCommand(InputStream standardInput) {
    this.standardInput = standardInput;
  }

  @Override
  public Integer call() {
    PrintWriter out = spec.commandLine().getOut();
    PrintWriter err = spec.commandLine().getErr();
    try {
      return stream ? stream(out, err) : files(out, err);
    } catch (IOException unusable) {
      err.println("margay: " + unusable.getMessage());
      return ExitCodes.USAGE;
    } finally {
      err.flush();
      out.flush();
    }
  }

  private int stream(PrintWriter out, PrintWriter err) throws IOException {
    if (!resources.isEmpty() || probes != null) {
      throw new ParameterException(
          spec.commandLine(), "--stream takes resources and probes from standard input alone");
    }
    new EvalStream(
            engine,
            new InputStreamReader(standardInput, StandardCharsets.UTF_8),
            out,
            err,
            EvalStream.MAX_LINE)
        .run();
    return ExitCodes.OK;
  }

  private int files(PrintWriter out, PrintWriter err) throws IOException {
    if (resources.isEmpty() || probes == null) {
      throw new ParameterException(
          spec.commandLine(), "--resources and --probes are required, or --stream");
    }
    ResourceFiles files = new ResourceFiles(standardInput);
    World world = WorldReader.read(files.documents(resources), PodReader.Wiring.ONE_NODE);
    Engine asked = engine.of(world);
    world.warnings().forEach(warning -> err.println("margay: " + warning));
    asked.problems().forEach(problem -> err.println("margay: " + problem));
    ArrayNode answers = new Answers(new Evaluation(world, asked)).answer(probes(files, probes));
    if (output == Format.json) {
      out.println(answers.toPrettyString());
    } else {
      out.print(AnswerTable.of(answers));
    }
    for (JsonNode answer : answers) {
      if (Answers.isUnexpected(answer)) {
        return ExitCodes.FAILED;
      }
    }
    return ExitCodes.OK;
  }

  private static JsonNode probes(ResourceFiles files, String file) throws IOException {
    JsonNode probes = parsed(file, files.text(file));
    if (!probes.isArray()) {
      throw new IOException(file + ": expected a list of probes");
    }
    return probes;
  }

  private static JsonNode parsed(String file, String text) throws IOException {
    try {
      String start = text.stripLeading();
      return start.startsWith("[") || start.startsWith("{")
          ? EvalStream.JSON.readTree(text)
          : new YAMLMapper().readTree(text);
    } catch (JsonProcessingException unreadable) {
      String why = unreadable.getOriginalMessage().lines().findFirst().orElse("unreadable");
      throw new IOException(
          file + ": line " + unreadable.getLocation().getLineNr() + ": " + why, unreadable);
    }
  }
}
