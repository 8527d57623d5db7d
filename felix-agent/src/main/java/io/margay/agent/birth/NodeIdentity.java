package io.margay.agent.birth;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The name under which this machine's pods are in the datastore, kept in the state directory
/// beside their journal. Under another name an agent would not know them, and would take away their
/// routes, policy and addresses.
public final class NodeIdentity {

  private static final Logger LOG = LoggerFactory.getLogger(NodeIdentity.class);

  private static final String FILE = "node-name";

  private NodeIdentity() {}

  /// Makes sure that the node has its old name, or no pods of it, and remembers the new one.
  ///
  /// @param pods how many pods the machine has, by journal or kernel
  /// @throws IOException when it had another name and has pods of it, or the name can't be kept
  public static void confirm(Path stateDir, String nodeName, int pods) throws IOException {
    Path file = stateDir.resolve(FILE);
    String before;
    try {
      before = Files.readString(file).strip();
    } catch (NoSuchFileException first) {
      before = "";
    }
    if (before.equals(nodeName)) {
      return;
    }
    if (!before.isEmpty()) {
      if (pods > 0) {
        throw new IOException(
            "nodeName is "
                + nodeName
                + ", but this machine has "
                + pods
                + " pods of node "
                + before
                + " ("
                + file
                + "), which would lose their network; set nodeName back to "
                + before
                + ", or delete these pods first");
      }
      LOG.atWarn()
          .addKeyValue("from", before)
          .addKeyValue("to", nodeName)
          .log(
              "the node has another name; what the old one has in the datastore stays until margay"
                  + " delete node frees it");
    }
    write(file, nodeName);
  }

  private static void write(Path file, String nodeName) throws IOException {
    Path temporary = file.resolveSibling("." + FILE + ".tmp");
    Files.write(temporary, (nodeName + "\n").getBytes(StandardCharsets.UTF_8));
    try (FileChannel written = FileChannel.open(temporary, StandardOpenOption.WRITE)) {
      written.force(true);
    }
    Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
  }
}
