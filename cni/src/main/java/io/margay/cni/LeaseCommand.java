package io.margay.cni;

import io.margay.cni.journal.Attachment;
import io.margay.cni.journal.AttachmentJournal;
import io.margay.cni.journal.Duty;
import io.margay.cni.journal.JournalEntry;
import io.margay.cni.spec.CniError;
import io.margay.cni.spec.CniException;
import io.margay.cni.spec.CniResult;
import io.margay.cni.spec.Dns;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// ADD and CHECK as the `ipam` of another plugin: addresses and nothing else. The other plugin
/// makes the interface, and nobody polices it unless margay-cni follows in the chain.
final class LeaseCommand {

  /// The largest resolv.conf that is read.
  private static final int MAX_RESOLV_CONF_OCTETS = 64 << 10;

  private final CniNode node;
  private final JournalWriter journal;
  private final PodAddresses addresses;
  private final Release release;
  private final EarlierDebts debts;

  LeaseCommand(
      CniNode node,
      AttachmentJournal journal,
      PodAddresses addresses,
      Release release,
      EarlierDebts debts) {
    this.node = node;
    this.journal = new JournalWriter(journal);
    this.addresses = addresses;
    this.release = release;
    this.debts = debts;
  }

  CniResult add(VerbRequest request) throws CniException {
    Attachment attachment = request.attachmentOnForeignWire(node);
    Dns dns = dns(request);
    Optional<JournalEntry> known = journal.find(attachment.id());
    if (known.isPresent() && known.get() instanceof JournalEntry.Committed committed) {
      if (isSame(committed, attachment)) {
        return result(lease(attachment, request), request, dns);
      }
      if (committed.attachment().hasHostEnd() && committed.bootId().equals(journal.bootId())) {
        throw new CniException(
            CniError.INTERFACE_NOT_OURS,
            "attachment "
                + attachment.id()
                + " exists in network "
                + committed.attachment().network()
                + "; delete it first");
      }
    }
    debts.settle(attachment, !request.wish().addresses().isEmpty());
    try (Undo undo = new Undo()) {
      undo.push("journal", () -> journal.forget(attachment));
      journal.remember(new JournalEntry.Prepared(attachment, journal.bootId()));
      undo.push("addresses", () -> journal.owe(attachment, release));
      List<PodAddresses.Lease> leases = lease(attachment, request);
      request.requireListener();
      journal.remember(
          new JournalEntry.Committed(
              attachment,
              journal.bootId(),
              leases.stream().map(PodAddresses.Lease::address).toList()));
      undo.commit();
      return result(leases, request, dns);
    }
  }

  /// The same attachment, perhaps with its interface policed by now.
  private boolean isSame(JournalEntry.Committed committed, Attachment attachment) {
    Attachment there = committed.attachment();
    return isLease(there)
        && committed.bootId().equals(journal.bootId())
        && there.netns().equals(attachment.netns())
        && there.network().equals(attachment.network());
  }

  private static boolean isLease(Attachment attachment) {
    return attachment.duty() instanceof Duty.Addresses
        || attachment.duty() instanceof Duty.Policed(boolean overAddresses) && overAddresses;
  }

  private List<PodAddresses.Lease> lease(Attachment attachment, VerbRequest request)
      throws CniException {
    return addresses.lease(attachment, request.wish(), request.conf().ipam().gateways());
  }

  private static CniResult result(List<PodAddresses.Lease> leases, VerbRequest request, Dns dns) {
    List<CniResult.Ip> ips = new ArrayList<>();
    for (PodAddresses.Lease lease : leases) {
      ips.add(
          new CniResult.Ip(
              lease.address(),
              lease.pool().length(),
              Optional.of(lease.gateway()),
              CniResult.NO_INTERFACE));
    }
    return new CniResult(List.of(), ips, request.conf().ipam().routes(), dns);
  }

  private static Dns dns(VerbRequest request) throws CniException {
    String file = request.conf().ipam().resolvConf();
    if (file.isEmpty()) {
      return Dns.NONE;
    }
    try (InputStream in = Files.newInputStream(Path.of(file))) {
      return Dns.ofResolvConf(
          new String(in.readNBytes(MAX_RESOLV_CONF_OCTETS), StandardCharsets.UTF_8));
    } catch (IOException | IllegalArgumentException unreadable) {
      throw new CniException(
          CniError.BAD_CONFIG,
          "key ipam.resolvConf: \"" + file + "\" can't be read by the agent; name another file",
          unreadable);
    }
  }

  void check(VerbRequest request) throws CniException {
    CniResult previous = request.requirePrevResult();
    List<String> problems = new ArrayList<>();
    switch (journal.find(request.id()).orElse(null)) {
      case JournalEntry.Committed committed -> {
        Attachment attachment = committed.attachment();
        if (!attachment.network().equals(request.conf().name())) {
          problems.add(CheckCommand.otherNetwork(attachment, request));
        }
        if (!isLease(attachment)) {
          problems.add("what it has is not a lease, but an interface of margay-cni's own");
        }
        committed.addresses().stream()
            .filter(
                address -> previous.ips().stream().noneMatch(ip -> ip.address().equals(address)))
            .forEach(address -> problems.add("prevResult lacks address " + address));
      }
      case JournalEntry.Prepared _ -> problems.add(CheckCommand.UNFINISHED);
      case JournalEntry.Releasing _ -> throw unknown(request);
      case null -> throw unknown(request);
    }
    if (!problems.isEmpty()) {
      throw CheckCommand.differs(request.id(), problems);
    }
  }

  private CniException unknown(VerbRequest request) {
    return new CniException(
        CniError.UNKNOWN_CONTAINER,
        "CHECK of " + request.id() + ": node " + node.name() + " gave it no addresses");
  }
}
