package io.margay.agent.docker;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The networks of this node's Docker: a file each, and all of them in memory. Docker keeps its own
/// and does not tell of them again.
final class DockerNetworks {

  private static final Logger LOG = LoggerFactory.getLogger(DockerNetworks.class);

  private static final String SUFFIX = ".json";

  /// Docker draws 32 octets; file names are built of it.
  private static final Pattern ID = Pattern.compile("[0-9a-zA-Z]{1,128}");

  private final Path directory;
  private final Map<String, DockerNetwork> networks = new HashMap<>();

  private DockerNetworks(Path directory) {
    this.directory = directory;
  }

  /// Opens what is below a directory, making it when absent. A file that can't be read is set aside
  /// as `*.bad`.
  static DockerNetworks open(Path directory) throws IOException {
    Files.createDirectories(directory);
    DockerNetworks opened = new DockerNetworks(directory);
    try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, "*" + SUFFIX)) {
      for (Path file : files) {
        opened.load(file);
      }
    }
    return opened;
  }

  private void load(Path file) throws IOException {
    try {
      DockerNetwork network =
          DockerNetwork.parse(DockerRequest.JSON.readTree(Files.readAllBytes(file)));
      networks.put(network.id(), network);
    } catch (IOException unreadable) {
      Path aside = file.resolveSibling(file.getFileName() + ".bad");
      LOG.atError()
          .addKeyValue("file", aside)
          .addKeyValue("reason", unreadable.getMessage())
          .log("set aside a Docker network that can't be read; remove and create it again");
      Files.move(file, aside, StandardCopyOption.REPLACE_EXISTING);
    }
  }

  synchronized Optional<DockerNetwork> find(String id) {
    return Optional.ofNullable(networks.get(id));
  }

  /// On the disk when this returns: the answer to Docker is the last that is heard of it.
  synchronized void remember(DockerNetwork network) throws IOException, RefusedException {
    Path file = file(network.id());
    Path temporary = directory.resolve("." + network.id() + ".tmp");
    Files.write(
        temporary,
        DockerRequest.JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(network.toJson()));
    try (FileChannel channel = FileChannel.open(temporary, StandardOpenOption.WRITE)) {
      channel.force(true);
    }
    Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
    networks.put(network.id(), network);
  }

  /// None is success.
  synchronized void forget(String id) throws IOException, RefusedException {
    Files.deleteIfExists(file(id));
    networks.remove(id);
  }

  private Path file(String id) throws RefusedException {
    if (!ID.matcher(id).matches()) {
      throw new RefusedException("\"" + id + "\" is no network id of Docker's");
    }
    return directory.resolve(id + SUFFIX);
  }
}
