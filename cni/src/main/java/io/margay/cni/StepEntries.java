package io.margay.cni;

import io.margay.cni.journal.Attachment;
import io.margay.cni.journal.AttachmentJournal;
import io.margay.cni.journal.Duty;
import io.margay.cni.journal.JournalEntry;
import io.margay.cni.journal.Workload;
import io.margay.model.net.IpFamily;
import io.margay.model.net.MacAddress;
import java.util.Optional;
import java.util.function.Predicate;

/// Journal entries of endpoints that come step by step.
final class StepEntries {

  private final AttachmentJournal journal;

  StepEntries(AttachmentJournal journal) {
    this.journal = journal;
  }

  Optional<JournalEntry.Committed> find(Predicate<JournalEntry.Committed> predicate) {
    for (JournalEntry entry : journal.all()) {
      if (entry instanceof JournalEntry.Committed committed
          && isStepwise(entry)
          && predicate.test(committed)) {
        return Optional.of(committed);
      }
    }
    return Optional.empty();
  }

  static boolean isStepwise(JournalEntry entry) {
    return entry.attachment().duty() instanceof Duty.Stepwise;
  }

  static Duty.Step stepOf(Attachment attachment) {
    return attachment.duty() instanceof Duty.Stepwise(Duty.Step step) ? step : Duty.Step.LEASED;
  }

  /// Addresses that wait for their endpoint, and have not had one.
  static boolean isLease(JournalEntry.Committed entry) {
    return entry.attachment().workload() instanceof Workload.Container;
  }

  static boolean has(JournalEntry.Committed entry, MacAddress mac) {
    return entry.attachment().podMac().equals(mac);
  }

  static boolean has(JournalEntry.Committed entry, IpFamily family) {
    return entry.addresses().stream().anyMatch(address -> address.family() == family);
  }

  static boolean isOf(JournalEntry.Committed entry, String endpoint) {
    return entry.attachment().workload() instanceof Workload.Endpoint(String id, String _)
        && id.equals(endpoint);
  }
}
