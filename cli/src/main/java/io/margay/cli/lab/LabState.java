package io.margay.cli.lab;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.margay.cli.lab.Topology.Node;
import io.margay.cli.lab.Topology.Tor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// What a lab leaves on disk: `/run/margay-lab/NAME/lab.json` is written before anything is created
/// and names every namespace, so that a later process can take down what a killed one began.
public final class LabState {

  public static final Path ROOT = Path.of("/run/margay-lab");
  static final int AGENT_PORT = 9199;

  private static final Pattern LAB_NAME = Pattern.compile("[a-zA-Z0-9][a-zA-Z0-9_-]{0,31}");
  private static final int PID_FILE_DEPTH = 4;
  private static final Duration LOCK_WAIT = Duration.ofSeconds(90);
  private static final Duration LOCK_RETRY = Duration.ofMillis(50);

  private LabState() {}

  static boolean isLabName(String text) {
    return LAB_NAME.matcher(text).matches();
  }

  static Path home(String name) {
    return ROOT.resolve(name);
  }

  /// Names of all labs, raised or half raised, sorted.
  static List<String> names() throws LabException {
    if (!Files.isDirectory(ROOT)) {
      return List.of();
    }
    try (Stream<Path> homes = Files.list(ROOT)) {
      return homes
          .filter(Files::isDirectory)
          .map(home -> home.getFileName().toString())
          .sorted()
          .toList();
    } catch (IOException failed) {
      throw new LabException("can't list " + ROOT + ": " + failed.getMessage(), failed);
    }
  }

  /// Holds the lab's name against other raisings and takings down. Released when the process dies.
  static FileChannel lock(String name) throws LabException {
    Path file = lockFile(name);
    try {
      long deadline = System.nanoTime() + LOCK_WAIT.toNanos();
      while (true) {
        Optional<FileChannel> held = tryLock(file);
        if (held.isPresent()) {
          return held.get();
        }
        if (System.nanoTime() > deadline) {
          throw new LabException(
              "lab "
                  + name
                  + ": another process has been working on it for "
                  + LOCK_WAIT.toSeconds()
                  + " s; nothing was changed. End it, then try again");
        }
        Thread.sleep(LOCK_RETRY);
      }
    } catch (IOException failed) {
      throw new LabException("can't lock " + file + ": " + failed.getMessage(), failed);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new LabException("interrupted while waiting for lab " + name, interrupted);
    }
  }

  private static Path lockFile(String name) {
    return ROOT.resolve("." + name + ".lock");
  }

  private static Optional<FileChannel> tryLock(Path file) throws IOException {
    FileChannel channel;
    try {
      Files.createDirectories(ROOT);
      channel =
          FileChannel.open(
              file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
    } catch (NoSuchFileException _) {
      // The last lab has just gone, and its folder with it.
      return Optional.empty();
    }
    boolean isHeld = false;
    try {
      isHeld = channel.tryLock() != null && isAt(channel, file);
    } catch (OverlappingFileLockException _) {
      // Another thread of this process has it.
    } finally {
      if (!isHeld) {
        channel.close();
      }
    }
    return isHeld ? Optional.of(channel) : Optional.empty();
  }

  /// Whether a locked file is the one that goes by this name now. Its holder removes it while it
  /// holds it, and the next one to come makes another: a lock on the removed one guards nothing.
  static boolean isAt(FileChannel locked, Path file) throws IOException {
    byte[] mark = UUID.randomUUID().toString().getBytes(StandardCharsets.US_ASCII);
    locked.truncate(0);
    locked.write(ByteBuffer.wrap(mark), 0);
    try {
      return Arrays.equals(Files.readAllBytes(file), mark);
    } catch (NoSuchFileException _) {
      return false;
    }
  }

  static void forgetLock(String name) throws IOException {
    Files.deleteIfExists(lockFile(name));
    try {
      Files.deleteIfExists(ROOT);
    } catch (DirectoryNotEmptyException othersLiveHere) {
      // Other labs are there.
      return;
    }
  }

  /// The document that says all is ready; its keys are a contract with tools that drive labs.
  static ObjectNode describe(LabPlan plan, Distribution distribution) {
    ObjectNode lab = LabDocuments.JSON.createObjectNode();
    lab.put("name", plan.name());
    plan.etcdUrls().forEach(lab.putArray("etcd")::add);
    var nodes = lab.putArray("nodes");
    for (Node node : plan.topology().nodes()) {
      nodes
          .addObject()
          .put("name", node.name())
          .put("netns", plan.machineNamespace(node.name()))
          .put("cniConf", plan.conflist(node).toString())
          .put("cniNet", plan.request(node).toString())
          .put("cniBin", distribution.cni().toString())
          .put("agentHttp", "http://127.0.0.1:" + AGENT_PORT)
          .put("state", plan.stateDirectory(node).toString());
    }
    var tors = lab.putArray("tors");
    for (Tor tor : plan.topology().tors()) {
      tors.addObject()
          .put("name", tor.name())
          .put("netns", plan.machineNamespace(tor.name()))
          .put("daemon", tor.daemon().word());
    }
    return lab;
  }

  /// Writes the manifest: the description, all namespaces, and the topology's own text.
  static void write(LabPlan plan, Distribution distribution, Path topologyFile)
      throws LabException {
    ObjectNode manifest = LabDocuments.JSON.createObjectNode();
    manifest.put("name", plan.name());
    plan.namespaces().forEach(manifest.putArray("namespaces")::add);
    manifest.put("gracefulRestart", plan.topology().bgp().gracefulRestart());
    manifest.set("lab", describe(plan, distribution));
    try {
      Files.createDirectories(plan.home());
      Files.copy(
          topologyFile, plan.home().resolve("topology.yaml"), StandardCopyOption.REPLACE_EXISTING);
      Path draft = plan.home().resolve("lab.json.new");
      Files.writeString(draft, LabDocuments.pretty(manifest));
      Files.move(draft, plan.home().resolve("lab.json"), StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException failed) {
      throw new LabException(
          "can't write " + plan.home() + "/lab.json: " + failed + "; nothing was created", failed);
    }
  }

  /// The plan of a lab that stands.
  static LabPlan open(String name) throws LabException {
    Path home = home(name);
    if (!Files.exists(home.resolve("lab.json"))) {
      throw new LabException("no lab named " + name + "; `margay lab list` shows those there are");
    }
    try {
      JsonNode manifest = LabDocuments.JSON.readTree(home.resolve("lab.json").toFile());
      Topology topology = Topology.read(home.resolve("topology.yaml"));
      return new LabPlan(
          name,
          topology.withGracefulRestart(manifest.path("gracefulRestart").asBoolean(true)),
          home);
    } catch (IOException | TopologyException unreadable) {
      throw new LabException(
          "lab "
              + name
              + ": its manifest can't be read ("
              + unreadable.getMessage()
              + "); `margay lab down --name "
              + name
              + "` removes it",
          unreadable);
    }
  }

  /// The namespaces the manifest names; empty when there is no readable manifest.
  static Optional<List<String>> namespaces(String name) {
    try {
      JsonNode manifest = LabDocuments.JSON.readTree(home(name).resolve("lab.json").toFile());
      List<String> names = new ArrayList<>();
      manifest.path("namespaces").forEach(item -> names.add(item.asText()));
      return Optional.of(names);
    } catch (JacksonException malformed) {
      return Optional.empty();
    } catch (IOException absent) {
      return Optional.empty();
    }
  }

  /// The living processes whose ids files `FILE` below the lab's directory name, and which still
  /// have their working directory there: an id alone may have gone to a stranger.
  ///
  /// @param fileName a file name, or `*.pid` for all
  static List<ProcessHandle> started(String name, String fileName) throws LabException {
    Path home = home(name);
    List<ProcessHandle> alive = new ArrayList<>();
    if (!Files.isDirectory(home)) {
      return alive;
    }
    PathMatcher wanted = home.getFileSystem().getPathMatcher("glob:" + fileName);
    try (Stream<Path> files = Files.walk(home, PID_FILE_DEPTH)) {
      for (Path file : files.filter(path -> wanted.matches(path.getFileName())).toList()) {
        String id = Files.readString(file).strip();
        // A process killed while it wrote the file leaves it empty.
        if (id.matches("\\d{1,9}")) {
          ProcessHandle.of(Long.parseLong(id))
              .filter(process -> worksIn(process, home))
              .ifPresent(alive::add);
        }
      }
      return alive;
    } catch (IOException | UncheckedIOException failed) {
      throw new LabException("can't read the process ids below " + home + ": " + failed, failed);
    }
  }

  private static boolean worksIn(ProcessHandle process, Path home) {
    try {
      return Files.readSymbolicLink(Path.of("/proc", Long.toString(process.pid()), "cwd"))
          .startsWith(home);
    } catch (IOException ended) {
      return false;
    }
  }

  /// Removes a directory and all below it; absent is fine.
  static void delete(Path directory) throws LabException {
    try {
      Files.walkFileTree(
          directory,
          new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
                throws IOException {
              Files.deleteIfExists(file);
              return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path done, @Nullable IOException failed)
                throws IOException {
              Files.deleteIfExists(done);
              return FileVisitResult.CONTINUE;
            }
          });
    } catch (NoSuchFileException absent) {
      // Somebody else removed it, or it never was.
      return;
    } catch (IOException | UncheckedIOException failed) {
      throw new LabException("can't remove " + directory + ": " + failed + "; try again", failed);
    }
  }
}
