package io.margay.cni;

import io.margay.cni.journal.Attachment;
import io.margay.cni.journal.AttachmentJournal;
import io.margay.cni.journal.Duty;
import io.margay.cni.journal.JournalEntry;
import io.margay.cni.spec.AttachmentId;
import java.io.IOException;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Another MTU for a wire that is there: CHECK and a repeated ADD go by what the journal says, so
/// that has to follow.
final class MtuCommand {

  private static final Logger LOG = LoggerFactory.getLogger(MtuCommand.class);

  private final AttachmentJournal journal;

  MtuCommand(AttachmentJournal journal) {
    this.journal = journal;
  }

  /// To be called under the lock.
  ///
  /// @param change makes the change in the kernel, and tells whether it did
  /// @return whether the wire has another MTU now
  boolean run(AttachmentId id, int mtu, Predicate<Attachment> change) {
    if (!(journal.find(id).orElse(null) instanceof JournalEntry.Committed committed)
        || !isOurWire(committed.attachment())
        || !change.test(committed.attachment())) {
      return false;
    }
    try {
      journal.write(
          new JournalEntry.Committed(
              committed.attachment().withMtu(mtu), committed.bootId(), committed.addresses()));
    } catch (IOException unwritable) {
      LOG.atWarn()
          .addKeyValue("attachment", id)
          .addKeyValue("reason", unwritable.getMessage())
          .log("the journal does not take a pod's new MTU; CHECK will find fault with it");
    }
    return true;
  }

  private static boolean isOurWire(Attachment attachment) {
    return attachment.duty() instanceof Duty.Whole || attachment.duty() instanceof Duty.Delegated;
  }
}
