package io.margay.cni;

import io.margay.cni.journal.Attachment;
import io.margay.cni.journal.AttachmentJournal;
import io.margay.cni.journal.JournalEntry;
import io.margay.cni.spec.AttachmentId;
import io.margay.cni.spec.CniError;
import io.margay.cni.spec.CniException;
import io.margay.cni.spec.NetConf;
import io.margay.linux.LinuxException;
import io.margay.linux.netns.Netns;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/// GC: deletes the network's attachments that the runtime no longer knows. Without a list it
/// deletes nothing. Pods whose namespace is still alive are spared: another runtime may use the
/// same network.
final class GcCommand {

  private final AttachmentJournal journal;
  private final DelCommand del;

  GcCommand(AttachmentJournal journal, DelCommand del) {
    this.journal = journal;
    this.del = del;
  }

  void run(NetConf conf) throws CniException {
    if (conf.validAttachments().isEmpty()) {
      throw new CniException(
          CniError.BAD_CONFIG,
          "key cni.dev/valid-attachments: missing; without it GC deletes nothing");
    }
    Set<AttachmentId> valid = conf.validAttachments().get();
    List<String> failures = new ArrayList<>();
    for (JournalEntry entry : journal.all()) {
      Attachment attachment = entry.attachment();
      if (attachment.network().equals(conf.name())
          && !valid.contains(attachment.id())
          && !isAlive(attachment)) {
        try {
          del.delete(entry);
        } catch (CniException failure) {
          failures.add(attachment.id() + ": " + failure.getMessage());
        }
      }
    }
    if (!failures.isEmpty()) {
      throw new CniException(
          new CniError(
              CniError.TRY_LATER,
              "GC of network "
                  + conf.name()
                  + " left "
                  + failures.size()
                  + " attachments; repeat it",
              String.join("; ", failures)));
    }
  }

  private static boolean isAlive(Attachment attachment) {
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
