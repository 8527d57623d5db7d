package io.margay.cli.policy;

import io.margay.datastore.json.DocumentTrees;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/// Files named on the command line: YAML or JSON, folders of them, or `-` for standard input.
final class ResourceFiles {

  private static final List<String> ENDINGS = List.of(".yaml", ".yml", ".json");

  private final InputStream standardInput;

  ResourceFiles(InputStream standardInput) {
    this.standardInput = standardInput;
  }

  /// The documents of all files, a folder's by name.
  ///
  /// @throws IOException naming the file that can't be read
  List<DocumentTrees> documents(List<String> names) throws IOException {
    List<DocumentTrees> documents = new ArrayList<>();
    for (String name : names) {
      for (String file : files(name)) {
        documents.add(DocumentTrees.read(file, text(file)));
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

  String text(String file) throws IOException {
    try {
      byte[] octets =
          file.equals("-") ? standardInput.readAllBytes() : Files.readAllBytes(Path.of(file));
      return new String(octets, StandardCharsets.UTF_8);
    } catch (IOException unreadable) {
      String why =
          switch (unreadable) {
            case NoSuchFileException _ -> "no such file";
            case AccessDeniedException _ -> "permission denied";
            default -> String.valueOf(unreadable.getMessage());
          };
      throw new IOException(file + ": can't be read: " + why, unreadable);
    }
  }
}
