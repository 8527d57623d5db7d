package io.margay.cni;

import io.margay.cni.journal.Attachment;
import io.margay.cni.journal.AttachmentJournal;
import io.margay.cni.journal.Duty;
import io.margay.cni.journal.JournalEntry;
import io.margay.cni.spec.AttachmentId;
import io.margay.cni.spec.CniException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What DEL would have done for an attachment whose DEL never came. Whoever asks has waited long
/// enough; here it is only asked once more, under the container's lock, whether it is gone.
final class ReclaimCommand {

  private static final Logger LOG = LoggerFactory.getLogger(ReclaimCommand.class);

  private final AttachmentJournal journal;
  private final PodNetwork network;
  private final DelCommand del;

  ReclaimCommand(AttachmentJournal journal, PodNetwork network, DelCommand del) {
    this.journal = journal;
    this.network = network;
    this.del = del;
  }

  /// Attachments that look gone at this moment.
  List<AttachmentId> lookGone() {
    List<AttachmentId> gone = new ArrayList<>();
    for (JournalEntry entry : journal.all()) {
      if (looksGone(entry)) {
        gone.add(entry.attachment().id());
      }
    }
    return gone;
  }

  boolean looksGone(AttachmentId id) {
    Optional<JournalEntry> entry = journal.find(id);
    return entry.isPresent() && looksGone(entry.get());
  }

  /// One that was begun and not committed is worked on, or, seen under the lock, left over from an
  /// ADD that could not even undo.
  private boolean looksGone(JournalEntry entry) {
    return switch (entry) {
      case JournalEntry.Committed committed -> !isThere(committed.attachment());
      case JournalEntry.Prepared _ -> true;
      case JournalEntry.Releasing _ -> false;
    };
  }

  /// When the kernel can't be asked, it counts as there: what is not known is not taken away.
  private boolean isThere(Attachment attachment) {
    try {
      return switch (attachment.duty()) {
        case Duty.Whole _, Duty.Delegated _ -> network.isThere(attachment);
        // Another plugin's wire carries no mark of ours.
        case Duty.Addresses _, Duty.Policed _ -> PodNamespace.isAlive(attachment);
        // A step further, or back, is a matter of moments.
        case Duty.Stepwise(Duty.Step step) ->
            step == Duty.Step.JOINED && network.isThere(attachment);
      };
    } catch (CniException refused) {
      LOG.atWarn()
          .addKeyValue("attachment", attachment.id())
          .addKeyValue("reason", refused.getMessage())
          .log("whether an attachment is still there can't be seen; it is kept");
      return true;
    }
  }

  /// To be called under the lock.
  ///
  /// @return whether there was something to take away
  boolean run(AttachmentId id) throws CniException {
    Optional<JournalEntry> entry = journal.find(id);
    if (entry.isEmpty() || !looksGone(entry.get())) {
      return false;
    }
    del.delete(entry.get());
    LOG.atInfo()
        .addKeyValue("attachment", id)
        .addKeyValue("network", entry.get().attachment().network())
        .addKeyValue(
            "addresses",
            entry.get() instanceof JournalEntry.Committed committed
                ? committed.addresses()
                : List.of())
        .log("an attachment vanished from the kernel and no DEL came; it is released");
    return true;
  }

  /// Mends a host end of ours that had been down. To be called under the lock.
  void mend(AttachmentId id) throws CniException {
    Optional<JournalEntry> entry = journal.find(id);
    if (entry.orElse(null) instanceof JournalEntry.Committed committed
        && isOurWire(committed.attachment())) {
      network.mend(committed.attachment(), committed.addresses());
      LOG.atInfo()
          .addKeyValue("attachment", id)
          .addKeyValue("interface", committed.attachment().hostEnd())
          .log("the host end of a pod had been down; it has its addresses and neighbours again");
    }
  }

  private static boolean isOurWire(Attachment attachment) {
    return switch (attachment.duty()) {
      case Duty.Whole _, Duty.Delegated _ -> true;
      case Duty.Addresses _, Duty.Policed _ -> false;
      case Duty.Stepwise(Duty.Step step) -> step == Duty.Step.JOINED;
    };
  }
}
