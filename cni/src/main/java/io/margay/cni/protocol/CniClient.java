package io.margay.cni.protocol;

import io.margay.linux.socket.OwnedFd;
import io.margay.linux.socket.UnixStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/// The same conversation from Java, for machines without the C client. One exchange, no retries, no
/// queue.
public final class CniClient {

  /// How long the agent may take to answer.
  static final Duration REPLY_PATIENCE = Duration.ofSeconds(60);

  private static final Path OWN_NETNS = Path.of("/proc/self/ns/net");

  private final Path socket;

  public CniClient(Path socket) {
    this.socket = socket;
  }

  /// Sends a request with this process's network namespace and, if it can be opened, the one
  /// `CNI_NETNS` names.
  ///
  /// @throws IOException when nobody listens, the agent dies, or the answer is none
  public CniReply exchange(CniRequest request) throws IOException {
    List<OwnedFd> descriptors = new ArrayList<>();
    try (UnixStream connection = UnixStream.connect(socket)) {
      connection.limitWaits(REPLY_PATIENCE);
      descriptors.add(OwnedFd.openForReading(OWN_NETNS));
      String pod = request.get(CniVariable.NETNS);
      if (!pod.isEmpty()) {
        openIfThere(pod, descriptors);
      }
      connection.send(CniFrame.encode(request), descriptors);
      ByteBuffer head = receive(connection, CniFrame.HEADER_OCTETS);
      CniFrame.Header header = CniFrame.header(head, CniFrame.Kind.REPLY);
      return CniFrame.replyBody(receive(connection, header.bodyOctets()));
    } finally {
      descriptors.forEach(OwnedFd::close);
    }
  }

  private static void openIfThere(String path, List<OwnedFd> descriptors) {
    try {
      descriptors.add(OwnedFd.openForReading(Path.of(path)));
    } catch (IOException gone) {
      // The agent decides what a request without the pod's namespace is worth.
    }
  }

  private static ByteBuffer receive(UnixStream connection, int octets) throws IOException {
    ByteBuffer target = ByteBuffer.allocate(octets);
    while (target.hasRemaining()) {
      if (connection.receive(target) < 0) {
        throw new MalformedFrameException(
            "the agent closed after " + target.position() + " of " + octets + " octets");
      }
    }
    return target.flip();
  }
}
