package io.margay.cli.resource;

import io.margay.datastore.json.ResourceDocuments;
import io.margay.datastore.json.ResourceReader;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import picocli.CommandLine.Option;

/// The files a command reads resources from.
final class FileOptions {

  private static final List<String> ENDINGS = List.of(".yaml", ".yml", ".json");

  private final InputStream standardInput;

  @Option(
      names = {"-f", "--filename"},
      paramLabel = "FILE",
      description = "YAML or JSON file, folder of such files, or - for standard input; repeatable")
  private List<String> names = List.of();

  @Option(
      names = {"-n", "--namespace"},
      paramLabel = "NAMESPACE",
      description = "namespace of namespaced resources that name none (default: default)",
      defaultValue = "default")
  private String namespace = "default";

  FileOptions(InputStream standardInput) {
    this.standardInput = standardInput;
  }

  boolean isGiven() {
    return !names.isEmpty();
  }

  String namespace() {
    return namespace;
  }

  /// Everything in the files, in the order given; a folder's files by name.
  ///
  /// @throws IOException naming the file that can't be read
  ResourceDocuments read() throws IOException {
    ResourceDocuments documents = ResourceDocuments.NONE;
    for (String name : names) {
      for (String file : files(name)) {
        documents = documents.plus(ResourceReader.read(file, text(file), namespace));
      }
    }
    return documents;
  }

  private static List<String> files(String name) throws IOException {
    Path path = Path.of(name);
    if (name.equals("-") || !Files.isDirectory(path)) {
      return List.of(name);
    }
    try (Stream<Path> children = Files.list(path)) {
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
      throw new IOException(file + ": can't be read: " + reason(unreadable), unreadable);
    }
  }

  private static String reason(IOException unreadable) {
    return switch (unreadable) {
      case NoSuchFileException _ -> "no such file";
      case AccessDeniedException _ -> "permission denied";
      default -> String.valueOf(unreadable.getMessage());
    };
  }
}
