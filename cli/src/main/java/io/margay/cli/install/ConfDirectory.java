package io.margay.cli.install;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;

/// The files of a CNI configuration directory as runtimes see them: some suffixes only, in the
/// order of their names.
final class ConfDirectory {

  private static final Set<String> SUFFIXES = Set.of("conf", "conflist", "json");
  private static final String LIST = "conflist";

  private final Path directory;
  private final TreeMap<String, Entry> entries = new TreeMap<>();

  /// A file that runtimes load, or try to.
  ///
  /// @param content what it says; empty when it is no JSON object
  /// @param problem why no runtime can use it; empty when one can
  private record Entry(Optional<Conflist> content, String problem) {}

  private ConfDirectory(Path directory) {
    this.directory = directory;
  }

  /// What is there; nothing when the directory is not.
  static ConfDirectory read(Path directory) throws IOException {
    ConfDirectory found = new ConfDirectory(directory);
    if (Files.isDirectory(directory)) {
      List<Path> files;
      try (Stream<Path> listed = Files.list(directory)) {
        files = listed.filter(Files::isRegularFile).toList();
      }
      for (Path file : files) {
        String name = file.getFileName().toString();
        if (SUFFIXES.contains(suffix(name))) {
          found.put(name, Files.readAllBytes(file));
        }
      }
    }
    return found;
  }

  private static String suffix(String name) {
    return name.substring(name.lastIndexOf('.') + 1);
  }

  /// As if the file held this.
  void put(String name, byte[] content) {
    try {
      Conflist parsed = Conflist.parse(content);
      entries.put(name, new Entry(Optional.of(parsed), problem(name, parsed)));
    } catch (IOException unreadable) {
      entries.put(name, new Entry(Optional.empty(), String.valueOf(unreadable.getMessage())));
    }
  }

  private static String problem(String name, Conflist content) {
    if (content.name().isEmpty()) {
      return "key name is missing";
    }
    if (suffix(name).equals(LIST) && content.json().path("plugins").isEmpty()) {
      return "key plugins is missing or empty";
    }
    return content.binaries().isEmpty() ? "no plugin has a type" : "";
  }

  /// What the file says; empty when it is not there or no JSON.
  Optional<Conflist> find(String name) {
    return Optional.ofNullable(entries.get(name)).flatMap(Entry::content);
  }

  /// Other files that need one of these binaries.
  List<String> usersOf(Set<String> binaries, String except) {
    List<String> users = new ArrayList<>();
    entries.forEach(
        (name, entry) -> {
          if (!name.equals(except)
              && entry.content().isPresent()
              && entry.content().get().binaries().stream().anyMatch(binaries::contains)) {
            users.add(name);
          }
        });
    return users;
  }

  /// What stands between a file and the runtimes: a line each.
  List<String> warnings(String name) {
    List<String> warnings = new ArrayList<>();
    for (Map.Entry<String, Entry> before : entries.headMap(name).entrySet()) {
      String earlier = before.getKey();
      String problem = before.getValue().problem();
      warnings.add(
          directory.resolve(earlier)
              + " sorts before "
              + name
              + (problem.isEmpty()
                  ? ": containerd, CRI-O and ctr use that one"
                  : " and can't be used ("
                      + problem
                      + "): containerd is not ready until it is gone, CRI-O skips it")
              + "; remove or rename it");
    }
    Optional<Conflist> own = find(name);
    if (own.isPresent()) {
      entries.forEach(
          (other, entry) -> {
            if (!other.equals(name)
                && entry.content().filter(c -> c.name().equals(own.get().name())).isPresent()) {
              warnings.add(
                  directory.resolve(other)
                      + " has the same network name "
                      + own.get().name()
                      + ": podman, CRI-O, Nomad and nerdctl know the first of both only");
            }
          });
      Path more = directory.resolve(own.get().name());
      if (!own.get().json().path("loadOnlyInlinedPlugins").asBoolean() && Files.isDirectory(more)) {
        warnings.add(
            more + ": runtimes with libcni 1.3 or later append the plugins in it to the network's");
      }
    }
    return warnings;
  }

  /// Which file each runtime would use now, by its rules.
  List<Choice> choices(String network) {
    Map.Entry<String, Entry> first = entries.firstEntry();
    String containerd = first == null ? "nothing" : orNothing(first.getKey(), first.getValue());
    return List.of(
        new Choice("containerd, ctr", containerd, "the first file by name"),
        new Choice("CRI-O", firstThat(_ -> true), "the first file that is valid"),
        new Choice(
            "podman 4",
            firstThat(named -> suffix(named).equals(LIST) && isNetwork(named, network)),
            "the .conflist of network " + network),
        new Choice(
            "Nomad, nerdctl",
            firstThat(named -> isNetwork(named, network)),
            "the file of network " + network));
  }

  private static String orNothing(String file, Entry entry) {
    return entry.problem().isEmpty()
        ? file
        : "nothing: " + file + " can't be used (" + entry.problem() + ")";
  }

  /// @param why the rule it follows
  record Choice(String runtime, String file, String why) {}

  private boolean isNetwork(String file, String network) {
    return find(file).filter(content -> content.name().equals(network)).isPresent();
  }

  private interface Rule {
    boolean takes(String file);
  }

  private String firstThat(Rule rule) {
    return entries.entrySet().stream()
        .filter(entry -> entry.getValue().problem().isEmpty() && rule.takes(entry.getKey()))
        .map(Map.Entry::getKey)
        .findFirst()
        .orElse("nothing");
  }
}
