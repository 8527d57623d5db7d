package io.margay.cni;

import io.margay.cni.journal.Attachment;
import io.margay.cni.journal.AttachmentJournal;
import io.margay.cni.journal.JournalEntry;
import io.margay.cni.journal.Workload;
import io.margay.cni.spec.AttachmentId;
import io.margay.cni.spec.CniError;
import io.margay.cni.spec.CniException;
import io.margay.cni.spec.PortMapping;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/// A port of the node leads to one pod. Who has which is in the journal; ADDs that are not there
/// yet are kept here. From any thread.
final class HostPortClaims {

  private final AttachmentJournal journal;
  private final Map<AttachmentId, Attachment> inProgress = new HashMap<>();

  HostPortClaims(AttachmentJournal journal) {
    this.journal = journal;
  }

  /// Takes the attachment's host ports until [#settled]; by then the journal knows of them, or they
  /// are free again.
  ///
  /// @throws CniException 110 when another pod has one of them
  synchronized void claim(Attachment attachment) throws CniException {
    if (attachment.hostPorts().isEmpty()) {
      return;
    }
    for (Attachment other : inProgress.values()) {
      refuse(attachment, other);
    }
    for (JournalEntry entry : journal.all()) {
      boolean has =
          switch (entry) {
            case JournalEntry.Prepared _, JournalEntry.Committed _ ->
                entry.bootId().equals(journal.bootId());
            case JournalEntry.Releasing _ -> false;
          };
      if (has) {
        refuse(attachment, entry.attachment());
      }
    }
    inProgress.put(attachment.id(), attachment);
  }

  /// The ADD has ended, well or not.
  synchronized void settled(Attachment attachment) {
    inProgress.remove(attachment.id());
  }

  private static void refuse(Attachment attachment, Attachment other) throws CniException {
    if (isSuccessor(attachment, other)) {
      return;
    }
    for (PortMapping wanted : attachment.hostPorts()) {
      Optional<PortMapping> taken =
          other.hostPorts().stream().filter(wanted::collidesWith).findFirst();
      if (taken.isPresent()) {
        throw new CniException(
            CniError.HOST_PORT_TAKEN,
            wanted.place()
                + " is taken by "
                + owner(other)
                + (taken.get().hostIp().equals(wanted.hostIp())
                    ? ""
                    : ", which has " + taken.get().place())
                + "; delete that first or use another port");
      }
    }
  }

  /// The same container again, or a restarted pod, whose attachment takes the place of the old one.
  private static boolean isSuccessor(Attachment attachment, Attachment other) {
    return attachment.id().ifName().equals(other.id().ifName())
        && attachment.workload().equals(other.workload());
  }

  private static String owner(Attachment attachment) {
    return switch (attachment.workload()) {
      case Workload.Pod pod ->
          "pod " + pod.namespace() + "/" + pod.name() + " (" + attachment.id() + ")";
      case Workload.Container _ -> "container " + attachment.id();
      case Workload.Endpoint endpoint -> "Docker endpoint " + endpoint.id();
    };
  }
}
