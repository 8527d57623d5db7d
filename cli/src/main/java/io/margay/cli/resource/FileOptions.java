package io.margay.cli.resource;

import io.margay.cli.ExitCodes;
import io.margay.datastore.json.ResourceDocuments;
import io.margay.datastore.json.ResourceReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;

/// The files a command reads resources from.
final class FileOptions {

  private static final List<String> ENDINGS = List.of(".yaml", ".yml", ".json");

  static final String DEFAULT_NAMESPACE = "default";

  private final InputStream standardInput;

  @Option(
      names = {"-f", "--filename"},
      paramLabel = "FILE",
      description = "YAML or JSON file, folder of such files, or - for standard input; repeatable")
  private List<String> names = List.of();

  @Option(
      names = {"-R", "--recursive"},
      description = "files in folders below the folder, too")
  private boolean recursive;

  @Option(names = "--skip-empty", description = "files without resources are no failure")
  private boolean skipEmpty;

  @Option(
      names = {"-n", "--namespace"},
      paramLabel = "NAMESPACE",
      description = "namespace of namespaced resources that name none (default: default)")
  private @Nullable String namespace;

  FileOptions(InputStream standardInput) {
    this.standardInput = standardInput;
  }

  boolean isGiven() {
    return !names.isEmpty();
  }

  String namespace() {
    return namespace == null ? DEFAULT_NAMESPACE : namespace;
  }

  boolean namesNamespace() {
    return namespace != null;
  }

  /// Everything in the files, in the order given; a folder's files by name.
  ///
  /// @throws IOException naming the file that can't be read
  ResourceDocuments read() throws IOException {
    ResourceDocuments documents = ResourceDocuments.NONE;
    for (String name : names) {
      for (String file : files(name)) {
        documents = documents.plus(ResourceReader.read(file, text(file), namespace()));
      }
    }
    return documents;
  }

  /// What to stop with when the files hold nothing; empty = they hold something.
  Optional<Integer> end(ResourceDocuments documents, CommandSpec spec) {
    if (!documents.isEmpty()) {
      return Optional.empty();
    }
    PrintWriter to = skipEmpty ? spec.commandLine().getOut() : spec.commandLine().getErr();
    to.println("No resources specified in " + String.join(", ", names));
    to.flush();
    return Optional.of(skipEmpty ? ExitCodes.OK : ExitCodes.FAILED);
  }

  private List<String> files(String name) throws IOException {
    Path path = Path.of(name);
    if (name.equals("-") || !Files.isDirectory(path)) {
      return List.of(name);
    }
    try (Stream<Path> children = recursive ? Files.walk(path) : Files.list(path)) {
      return children
          .filter(Files::isRegularFile)
          .map(Path::toString)
          .filter(child -> ENDINGS.stream().anyMatch(child::endsWith))
          .sorted()
          .toList();
    }
  }

  private String text(String file) throws IOException {
    try {
      byte[] octets =
          file.equals("-") ? standardInput.readAllBytes() : Files.readAllBytes(Path.of(file));
      return new String(octets, StandardCharsets.UTF_8);
    } catch (IOException unreadable) {
      throw new IOException(unreadable(file, unreadable), unreadable);
    }
  }

  /// What to say of a file that can't be read.
  static String unreadable(String file, IOException unreadable) {
    return file + ": can't be read: " + reason(unreadable);
  }

  private static String reason(IOException unreadable) {
    return switch (unreadable) {
      case NoSuchFileException _ -> "no such file";
      case AccessDeniedException _ -> "permission denied";
      default -> String.valueOf(unreadable.getMessage());
    };
  }
}
