package io.margay.datastore.json;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// What each accepted Kubernetes document becomes, or why it is refused, as golden files in
/// `src/test/resources/io/margay/datastore/json/kubernetes`. In a file every case is a title after
/// `## `, the document, and after a line `=>` the resources as `margay get -o yaml` shows them (of
/// a Pod the line that is stored), or `refused` and a line a problem.
class KubernetesGoldenTest {

  private static final Path ROOT = Path.of(System.getProperty("margay.root", ".."));
  private static final Path FOLDER =
      ROOT.resolve("datastore/src/test/resources/io/margay/datastore/json/kubernetes");
  private static final String TITLE = "## ";
  private static final String BECOMES = "=>\n";
  private static final String REFUSED = "refused\n";

  record Case(Path file, String title, String document, String expected) {

    @Override
    public String toString() {
      return file.getFileName() + ": " + title;
    }

    String text() {
      return TITLE + title + "\n" + document + BECOMES + actual(document);
    }
  }

  static Stream<Case> cases() throws IOException {
    List<Case> cases = new ArrayList<>();
    for (Path file : files()) {
      cases.addAll(read(file));
    }
    return cases.stream();
  }

  private static List<Path> files() throws IOException {
    try (Stream<Path> files = Files.list(FOLDER)) {
      return files.sorted().toList();
    }
  }

  private static List<Case> read(Path file) throws IOException {
    List<Case> cases = new ArrayList<>();
    for (String part : ("\n" + Files.readString(file)).split("\n" + TITLE, -1)) {
      if (!part.isBlank()) {
        int titled = part.indexOf('\n');
        int becomes = part.indexOf("\n" + BECOMES);
        String expected =
            becomes < 0
                ? ""
                : part.substring(becomes + 1 + BECOMES.length()).stripTrailing() + "\n";
        String document =
            becomes < 0 ? part.stripTrailing() + "\n" : part.substring(0, becomes + 1);
        cases.add(
            new Case(file, part.substring(0, titled), document.substring(titled + 1), expected));
      }
    }
    return cases;
  }

  private static String actual(String document) {
    ResourceDocuments read = ResourceReader.read("f", document, "default");
    if (!read.problems().isEmpty()) {
      return REFUSED
          + read.problems().stream()
              .map(problem -> problem.error() + "\n")
              .collect(Collectors.joining());
    }
    return Stream.concat(
            read.items().stream().map(item -> ResourceJson.toYaml(item.resource())),
            read.pods().stream().map(item -> PodDocuments.encode(item.pod()) + "\n"))
        .collect(Collectors.joining("---\n"));
  }

  @ParameterizedTest
  @MethodSource("cases")
  void a_document_becomes_what_is_on_record(Case golden) throws IOException {
    if (Boolean.getBoolean("update-golden")) {
      return;
    }
    assertThat(actual(golden.document())).isEqualTo(golden.expected());
  }

  @Test
  void every_kind_is_on_record_and_there_are_enough_of_them() throws IOException {
    if (Boolean.getBoolean("update-golden")) {
      for (Path file : files()) {
        Files.writeString(
            file, read(file).stream().map(Case::text).collect(Collectors.joining("\n")));
      }
    }
    assertThat(files())
        .extracting(file -> file.getFileName().toString())
        .containsExactly(
            "adminnetworkpolicy.golden",
            "clusternetworkpolicy.golden",
            "namespace.golden",
            "networkpolicy.golden",
            "pod.golden");
    assertThat(cases().map(Case::toString).distinct()).hasSizeGreaterThanOrEqualTo(80);
  }
}
