package io.margay.cni;

import io.margay.cni.journal.Attachment;
import io.margay.cni.journal.AttachmentJournal;
import io.margay.cni.journal.Duty;
import io.margay.cni.journal.JournalEntry;
import io.margay.cni.spec.AttachmentId;
import io.margay.cni.spec.CniError;
import io.margay.cni.spec.CniException;
import io.margay.cni.spec.NetConf;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// GC: deletes the network's attachments that the runtime no longer knows. Without a list it
/// deletes nothing. Pods whose namespace is still alive are spared: another runtime may use the
/// same network.
final class GcCommand {

  private final AttachmentJournal journal;
  private final ContainerLocks locks;
  private final DelCommand del;

  GcCommand(AttachmentJournal journal, ContainerLocks locks, DelCommand del) {
    this.journal = journal;
    this.locks = locks;
    this.del = del;
  }

  /// @return what it did not do, one line each; empty when there is nothing to say
  String run(NetConf conf) throws CniException {
    if (conf.isGcDisabled()) {
      return "GC of network " + conf.name() + ": nothing deleted, since disableGC is true\n";
    }
    if (conf.validAttachments().isEmpty()) {
      throw new CniException(
          CniError.BAD_CONFIG,
          "key cni.dev/valid-attachments: missing; without it GC deletes nothing");
    }
    Set<AttachmentId> valid = conf.validAttachments().get();
    List<String> failures = new ArrayList<>();
    List<String> spared = new ArrayList<>();
    for (JournalEntry seen : journal.all()) {
      AttachmentId id = seen.attachment().id();
      if (isGarbage(seen, conf, valid)) {
        try (ContainerLocks.Held _ = locks.take(id)) {
          // Another runtime may have made it anew meanwhile.
          Optional<JournalEntry> now = journal.find(id);
          if (now.isPresent() && isGarbage(now.get(), conf, valid)) {
            del.delete(now.get());
          }
        } catch (CniException failure) {
          failures.add(id + ": " + failure.getMessage());
        }
      } else if (isUnlisted(seen, conf, valid)) {
        spared.add(
            "GC of network "
                + conf.name()
                + ": "
                + id
                + " is not listed, but its namespace "
                + seen.attachment().netnsPath()
                + " is alive; kept\n");
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
    return String.join("", spared);
  }

  private static boolean isGarbage(JournalEntry entry, NetConf conf, Set<AttachmentId> valid) {
    return isUnlisted(entry, conf, valid) && !PodNamespace.isAlive(entry.attachment());
  }

  private static boolean isUnlisted(JournalEntry entry, NetConf conf, Set<AttachmentId> valid) {
    Attachment attachment = entry.attachment();
    // What Docker asked for no CNI runtime knows of.
    return !(attachment.duty() instanceof Duty.Stepwise)
        && attachment.network().equals(conf.name())
        && !valid.contains(attachment.id());
  }
}
