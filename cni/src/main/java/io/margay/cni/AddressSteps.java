package io.margay.cni;

import io.margay.cni.journal.Attachment;
import io.margay.cni.journal.AttachmentJournal;
import io.margay.cni.journal.Duty;
import io.margay.cni.journal.JournalEntry;
import io.margay.cni.journal.Workload;
import io.margay.cni.spec.AttachmentId;
import io.margay.cni.spec.CniError;
import io.margay.cni.spec.CniException;
import io.margay.linux.netns.Netns;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.MacAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/// The first step and the last: addresses that are not an endpoint's yet, or no more.
final class AddressSteps {

  private static final InterfaceName INTERFACE = new InterfaceName("eth0");

  /// How long a request for addresses waits for those of containers just stopped.
  private static final Duration RELEASE_PATIENCE = Duration.ofSeconds(2);

  private final CniNode node;
  private final JournalWriter journal;
  private final StepEntries entries;
  private final PodAddresses addresses;
  private final Release release;
  private final ReleaseQueue releases;
  private final ContainerLocks locks;
  private final DelCommand del;

  AddressSteps(
      CniNode node,
      AttachmentJournal journal,
      PodAddresses addresses,
      Release release,
      ReleaseQueue releases,
      ContainerLocks locks,
      DelCommand del) {
    this.node = node;
    this.journal = new JournalWriter(journal);
    this.entries = new StepEntries(journal);
    this.addresses = addresses;
    this.release = release;
    this.releases = releases;
    this.locks = locks;
    this.del = del;
  }

  /// As [StepVerbs#lease].
  IpAddress lease(MacAddress mac, PodAddresses.Wish wish) throws CniException {
    IpFamily family = family(wish);
    Optional<JournalEntry.Committed> half =
        entries.find(
            entry ->
                StepEntries.isLease(entry)
                    && StepEntries.has(entry, mac)
                    && !StepEntries.has(entry, family));
    AttachmentId id =
        half.map(entry -> entry.attachment().id())
            .orElseGet(() -> new AttachmentId(freshName(mac), INTERFACE));
    try (ContainerLocks.Held _ = locks.take(id)) {
      if (half.isPresent()
          && journal.find(id).orElse(null) instanceof JournalEntry.Committed now
          && StepEntries.isLease(now)
          && !StepEntries.has(now, family)) {
        return extend(now, wish);
      }
      return first(half.isPresent() ? new AttachmentId(freshName(mac), INTERFACE) : id, mac, wish);
    }
  }

  private static IpFamily family(PodAddresses.Wish wish) {
    return wish.addresses().isEmpty()
        ? wish.families().iterator().next()
        : wish.addresses().getFirst().family();
  }

  /// MAC addresses repeat, on other nodes and in time.
  private static String freshName(MacAddress mac) {
    return mac.toString().replace(":", "") + "-" + UUID.randomUUID().toString().substring(0, 8);
  }

  private IpAddress first(AttachmentId id, MacAddress mac, PodAddresses.Wish wish)
      throws CniException {
    Workload workload = new Workload.Container(id.containerId());
    Attachment attachment =
        new Attachment(
                id,
                StepVerbs.NETWORK,
                workload,
                new Netns.NetnsId(0, 0),
                "",
                HostEnd.name(node.interfacePrefix(), workload, id),
                mac,
                node.mtu(),
                Map.of())
            .with(new Duty.Stepwise(Duty.Step.LEASED));
    try (Undo undo = new Undo()) {
      undo.push("journal", () -> journal.forget(attachment));
      journal.remember(new JournalEntry.Prepared(attachment, journal.bootId()));
      undo.push("addresses", () -> journal.owe(attachment, release));
      IpAddress address = hold(attachment, wish);
      journal.remember(new JournalEntry.Committed(attachment, journal.bootId(), List.of(address)));
      undo.commit();
      return address;
    }
  }

  /// What is held when this fails, the release of the whole gives back.
  private IpAddress extend(JournalEntry.Committed entry, PodAddresses.Wish wish)
      throws CniException {
    IpAddress address = hold(entry.attachment(), wish);
    List<IpAddress> all = new ArrayList<>(entry.addresses());
    all.add(address);
    all.sort((one, other) -> one.family().compareTo(other.family()));
    journal.remember(new JournalEntry.Committed(entry.attachment(), entry.bootId(), all));
    return address;
  }

  private IpAddress hold(Attachment attachment, PodAddresses.Wish wish) throws CniException {
    try {
      return addresses.hold(attachment, wish).getFirst();
    } catch (CniException refused) {
      boolean mayHelp =
          refused.error().code() == CniError.POOL_EXHAUSTED
              || refused.error().code() == CniError.ADDRESS_UNAVAILABLE;
      if (mayHelp && releases.settle(RELEASE_PATIENCE)) {
        return addresses.hold(attachment, wish).getFirst();
      }
      throw refused;
    }
  }

  /// As [StepVerbs#giveBack].
  ///
  /// @return the attachment that owes its addresses now
  Optional<AttachmentId> giveBack(IpAddress address) throws CniException {
    Optional<JournalEntry.Committed> holder =
        entries.find(entry -> entry.addresses().contains(address));
    if (holder.isEmpty()) {
      return Optional.empty();
    }
    AttachmentId id = holder.get().attachment().id();
    try (ContainerLocks.Held _ = locks.take(id)) {
      Optional<JournalEntry> now = journal.find(id);
      if (now.isPresent() && StepEntries.isStepwise(now.get())) {
        del.delete(now.get());
      }
    }
    return Optional.of(id);
  }
}
