package io.margay.cli.lab;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Named network namespaces as `ip netns` keeps them, and the processes inside.
final class Namespaces {

  private static final Path BOUND = Path.of("/run/netns");
  private static final Path PROCESSES = Path.of("/proc");

  private Namespaces() {}

  static Path path(String name) {
    return BOUND.resolve(name);
  }

  static boolean exists(String name) {
    return Files.exists(path(name));
  }

  static List<String> startingWith(String prefix) throws LabException {
    List<String> names = new ArrayList<>();
    if (!Files.isDirectory(BOUND)) {
      return names;
    }
    try (DirectoryStream<Path> all = Files.newDirectoryStream(BOUND, prefix + "*")) {
      all.forEach(file -> names.add(file.getFileName().toString()));
    } catch (IOException failed) {
      throw new LabException("can't list " + BOUND + ": " + failed.getMessage(), failed);
    }
    return names;
  }

  /// Creates all of them with one `ip`.
  static void create(Collection<String> names) throws LabException {
    StringBuilder batch = new StringBuilder();
    names.forEach(name -> batch.append("netns add ").append(name).append('\n'));
    Command.of("ip", "-batch", "-").reading(batch.toString()).output();
  }

  /// Deletes those that exist, links and all.
  static void delete(Collection<String> names) throws LabException {
    StringBuilder batch = new StringBuilder();
    names.stream()
        .filter(Namespaces::exists)
        .forEach(name -> batch.append("netns del ").append(name).append('\n'));
    if (!batch.isEmpty()) {
      Command.of("ip", "-force", "-batch", "-").reading(batch.toString()).run();
    }
    for (String name : names) {
      if (exists(name)) {
        Command.of("ip", "netns", "del", name).output();
      }
    }
  }

  /// Every process with a thread in one of the namespaces, but this one.
  static List<ProcessHandle> processesIn(Collection<String> names) throws LabException {
    Set<String> wanted = new HashSet<>();
    for (String name : names) {
      inode(name).ifPresent(wanted::add);
    }
    List<ProcessHandle> found = new ArrayList<>();
    if (wanted.isEmpty()) {
      return found;
    }
    try (DirectoryStream<Path> all = Files.newDirectoryStream(PROCESSES, "[0-9]*")) {
      for (Path process : all) {
        long id = Long.parseLong(process.getFileName().toString());
        if (id != ProcessHandle.current().pid() && wanted.contains(namespaceOf(process))) {
          ProcessHandle.of(id).ifPresent(found::add);
        }
      }
    } catch (IOException failed) {
      throw new LabException("can't read " + PROCESSES + ": " + failed.getMessage(), failed);
    }
    return found;
  }

  private static Optional<String> inode(String name) {
    try {
      return exists(name)
          ? Optional.of("net:[" + Files.getAttribute(path(name), "unix:ino") + "]")
          : Optional.empty();
    } catch (IOException justRemoved) {
      return Optional.empty();
    }
  }

  private static String namespaceOf(Path process) {
    try {
      return Files.readSymbolicLink(process.resolve("ns/net")).toString();
    } catch (IOException ended) {
      return "";
    }
  }
}
