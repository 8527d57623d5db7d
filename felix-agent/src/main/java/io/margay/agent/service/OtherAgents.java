package io.margay.agent.service;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/// Finds Calico's node agent where ours is about to run: two that program routes and policy for the
/// same `cali` interfaces take each other's away. Judged by processes, because what Calico leaves
/// in kernel and datastore outlives it, and because its report in the datastore is written under
/// the same key as ours.
public final class OtherAgents {

  private static final Path PROC = Path.of("/proc");

  /// Names of the processes that hold felix: calico-node runs it as `calico-node -felix`; it was a
  /// program of its own once.
  private static final Set<String> FELIX = Set.of("calico-node", "calico-felix");

  /// The one program of later releases, of which only some commands are the node's.
  private static final String CALICO = "calico";

  private static final Set<String> NODE_COMMANDS = Set.of("node", "felix");

  private OtherAgents() {}

  /// A process that was found.
  public record Found(long pid, String command) {
    @Override
    public String toString() {
      return command + " (process " + pid + ")";
    }
  }

  /// Those in the calling thread's network namespace. One whose namespace can't be read, for want
  /// of CAP_SYS_PTRACE, counts as one of them.
  ///
  /// @throws IOException when processes can't be listed
  public static List<Found> here() throws IOException {
    return in(PROC, Files.readSymbolicLink(PROC.resolve("thread-self/ns/net")));
  }

  static List<Found> in(Path proc, Path namespace) throws IOException {
    List<Found> found = new ArrayList<>();
    try (DirectoryStream<Path> processes = Files.newDirectoryStream(proc, "[0-9]*")) {
      for (Path process : processes) {
        String name = name(process);
        if (isNodeAgent(process, name) && isIn(process, namespace)) {
          found.add(new Found(Long.parseLong(process.getFileName().toString()), name));
        }
      }
    } catch (DirectoryIteratorException failed) {
      throw failed.getCause();
    }
    return found;
  }

  /// Empty for a process that has ended meanwhile.
  private static String name(Path process) {
    try {
      return Files.readString(process.resolve("comm")).strip();
    } catch (IOException gone) {
      return "";
    }
  }

  private static boolean isNodeAgent(Path process, String name) {
    if (FELIX.contains(name)) {
      return true;
    }
    if (!name.equals(CALICO)) {
      return false;
    }
    try {
      for (String word : Files.readString(process.resolve("cmdline")).split("\0", -1)) {
        if (NODE_COMMANDS.contains(word.toLowerCase(Locale.ROOT))) {
          return true;
        }
      }
      return false;
    } catch (IOException gone) {
      return false;
    }
  }

  private static boolean isIn(Path process, Path namespace) {
    try {
      return Files.readSymbolicLink(process.resolve("ns/net")).equals(namespace);
    } catch (NoSuchFileException gone) {
      return false;
    } catch (IOException hidden) {
      // A zombie has no namespace any more, and one that is about to be reaped does no harm; but
      // that can't be told from one we may not look at.
      return Files.exists(process);
    }
  }
}
