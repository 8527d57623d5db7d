package io.margay.cni;

import io.margay.cni.journal.Attachment;
import io.margay.linux.LinuxException;
import io.margay.linux.netns.Netns;
import java.nio.file.Path;

/// The namespace a runtime gave a pod.
public final class PodNamespace {

  private PodNamespace() {}

  /// Whether the namespace of ADD is still where the runtime said it was. Another one at the same
  /// path is another pod's: paths and process ids are reused.
  public static boolean isAlive(Attachment attachment) {
    if (attachment.netnsPath().isEmpty()) {
      return false;
    }
    try (Netns netns = Netns.open(Path.of(attachment.netnsPath()))) {
      return netns.id().equals(attachment.netns());
    } catch (LinuxException gone) {
      return false;
    }
  }
}
