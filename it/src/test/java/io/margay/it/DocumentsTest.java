package io.margay.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// What the documents name exists, and what exists is named.
class DocumentsTest {

  private static final Path ROOT = Path.of(System.getProperty("margay.root", ".."));
  private static final Pattern PACKAGE = Pattern.compile("`(io\\.margay(?:\\.[a-z0-9]+)+)`");
  private static final Pattern CLASS = Pattern.compile("`([A-Z][a-z]+(?:[A-Z][A-Za-z0-9]*)+)`");
  private static final Pattern METHOD = Pattern.compile("`([A-Z]\\w*)?#([a-z]\\w*)(\\*?)`");
  private static final Pattern TITLE = Pattern.compile("“([^”]+)”");
  private static final Pattern CASE = Pattern.compile("(?m)^(?:#= |- case: )(.+)$");
  private static final Pattern LINK = Pattern.compile("\\]\\(([^)#:]+)\\)");
  private static final Pattern DEV_VERB = Pattern.compile("\\./dev ([a-z]+)");

  /// Names with a capital inside that are not classes of ours.
  private static final Set<String> FOREIGN =
      Set.of(
          "NetworkPolicy",
          "GlobalNetworkPolicy",
          "NetworkSet",
          "GlobalNetworkSet",
          "WorkloadEndpoint",
          "BGPPeer",
          "BGPConfiguration",
          "IPPool",
          "IgnoreUnknown");

  @Test
  void every_package_named_exists() throws IOException {
    Set<String> packages = packages();
    for (Path document : documents()) {
      Matcher named = PACKAGE.matcher(Files.readString(document));
      while (named.find()) {
        assertThat(packages)
            .as("%s names %s", ROOT.relativize(document), named.group(1))
            .contains(named.group(1));
      }
    }
  }

  @Test
  void every_class_named_exists() throws IOException {
    Set<String> classes = sources().map(DocumentsTest::className).collect(Collectors.toSet());
    classes.addAll(FOREIGN);
    for (Path document : documents()) {
      Matcher named = CLASS.matcher(Files.readString(document));
      while (named.find()) {
        assertThat(classes)
            .as("%s names %s", ROOT.relativize(document), named.group(1))
            .contains(named.group(1));
      }
    }
  }

  /// `Class#method`, `Class#methods_of_one_beginning_*`, and `#method` of the class named before
  /// it.
  @Test
  void every_method_named_exists() throws IOException {
    Map<String, List<Path>> files =
        sources().collect(Collectors.groupingBy(DocumentsTest::className));
    for (Path document : documents()) {
      Matcher named = METHOD.matcher(Files.readString(document));
      String type = "";
      while (named.find()) {
        type = named.group(1) == null ? type : named.group(1);
        String rest = named.group(3).isEmpty() ? "" : "\\w*";
        assertThat(files.getOrDefault(type, List.of()))
            .as("%s names %s#%s", ROOT.relativize(document), type, named.group(2))
            .anySatisfy(
                file ->
                    assertThat(Files.readString(file))
                        .containsPattern("\\b" + named.group(2) + rest + "\\("));
      }
    }
  }

  /// Titles of rows and tables, in typographic quotes, of the list of policy's rules.
  @Test
  void every_row_and_table_named_exists() throws IOException {
    Set<String> titles = new TreeSet<>();
    for (String folder :
        List.of("felix-agent/src/test/resources/matrix", "cli/src/test/resources/policy")) {
      try (Stream<Path> tables = Files.list(ROOT.resolve(folder))) {
        for (Path table : tables.toList()) {
          Matcher title = CASE.matcher(Files.readString(table));
          while (title.find()) {
            titles.add(title.group(1));
          }
        }
      }
    }
    Matcher named = TITLE.matcher(Files.readString(ROOT.resolve("docs/policy-rules.md")));
    assertThat(named.results().map(title -> title.group(1)).filter(text -> !text.equals("…")))
        .isNotEmpty()
        .isSubsetOf(titles);
  }

  @Test
  void the_architecture_names_every_module_and_room() throws IOException {
    String architecture = Files.readString(ROOT.resolve("ARCHITECTURE.md"));
    Matcher modules =
        Pattern.compile("<module>([^<]+)</module>")
            .matcher(Files.readString(ROOT.resolve("pom.xml")));
    while (modules.find()) {
      assertThat(architecture).contains("`" + modules.group(1) + "`");
    }
    List<String> unnamed = new ArrayList<>();
    for (String room : packages()) {
      String[] parts = room.split("\\.", -1);
      boolean agentInside = room.startsWith("io.margay.agent.");
      boolean test = parts[2].equals("it") || parts[2].equals("bench");
      if (!agentInside && !test && parts.length <= 4 && !architecture.contains("`" + room + "`")) {
        unnamed.add(room);
      }
    }
    // A module's root package is its door; a bare `model` has no door of its own.
    unnamed.removeAll(List.of("io.margay.model", "io.margay.bgp"));
    assertThat(unnamed).isEmpty();
  }

  @Test
  void links_between_documents_lead_somewhere() throws IOException {
    for (Path document : documents()) {
      Matcher link = LINK.matcher(Files.readString(document));
      while (link.find()) {
        Path target = document.resolveSibling(link.group(1)).normalize();
        assertThat(target).as("%s links to it", ROOT.relativize(document)).exists();
      }
    }
  }

  @Test
  void the_developers_door_knows_the_verbs_the_documents_use() throws IOException {
    String door = Files.readString(ROOT.resolve("dev"));
    for (Path document : documents()) {
      Matcher verb = DEV_VERB.matcher(Files.readString(document));
      while (verb.find()) {
        assertThat(door)
            .as("%s uses ./dev %s", ROOT.relativize(document), verb.group(1))
            .contains("  " + verb.group(1) + ")");
      }
    }
  }

  @Test
  void every_package_of_main_code_has_its_sign() throws IOException {
    for (Path directory :
        sources()
            .filter(file -> file.toString().contains("/src/main/"))
            .map(Path::getParent)
            .collect(Collectors.toSet())) {
      Path sign = directory.resolve("package-info.java");
      assertThat(sign).exists();
      assertThat(Files.readString(sign))
          .contains("**For**", "**In → out**", "**Loop**", "**May touch**");
    }
  }

  private static List<Path> documents() throws IOException {
    try (Stream<Path> top = Files.list(ROOT);
        Stream<Path> docs = Files.walk(ROOT.resolve("docs"));
        Stream<Path> bench = Files.list(ROOT.resolve("bench"))) {
      return Stream.of(top, docs, bench)
          .flatMap(files -> files)
          .filter(file -> file.toString().endsWith(".md"))
          .sorted()
          .toList();
    }
  }

  private static Set<String> packages() throws IOException {
    return sources()
        .filter(file -> file.getFileName().toString().equals("package-info.java"))
        .filter(file -> file.toString().contains("/src/main/"))
        .map(
            file -> {
              String path = file.resolveSibling("").normalize().toString();
              return path.substring(path.indexOf("/io/margay") + 1).replace('/', '.');
            })
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private static Stream<Path> sources() throws IOException {
    try (Stream<Path> modules = Files.list(ROOT)) {
      List<Path> files = new ArrayList<>();
      for (Path module : modules.filter(path -> Files.isDirectory(path.resolve("src"))).toList()) {
        try (Stream<Path> walk = Files.walk(module.resolve("src"))) {
          walk.filter(file -> file.toString().endsWith(".java")).forEach(files::add);
        }
      }
      return files.stream();
    }
  }

  private static String className(Path file) {
    String name = file.getFileName().toString();
    return name.substring(0, name.length() - ".java".length());
  }
}
