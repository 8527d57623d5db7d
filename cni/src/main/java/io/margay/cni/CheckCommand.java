package io.margay.cni;

import io.margay.cni.journal.Attachment;
import io.margay.cni.journal.AttachmentJournal;
import io.margay.cni.journal.Duty;
import io.margay.cni.journal.JournalEntry;
import io.margay.cni.spec.CniError;
import io.margay.cni.spec.CniException;
import io.margay.cni.spec.CniResult;
import io.margay.cni.spec.CniVerb;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// CHECK: is the attachment as ADD left it, in the kernel and in the runtime's memory
/// (`prevResult`)? Repairs nothing. Extra routes, interfaces and addresses are no fault: plugins
/// after us may add them.
final class CheckCommand {

  private final CniNode node;
  private final AttachmentJournal journal;
  private final Delegates delegates;
  private final PodNetwork network;
  private final EndpointPolicy policy;

  CheckCommand(
      CniNode node,
      AttachmentJournal journal,
      Delegates delegates,
      PodNetwork network,
      EndpointPolicy policy) {
    this.node = node;
    this.journal = journal;
    this.delegates = delegates;
    this.network = network;
    this.policy = policy;
  }

  void run(VerbRequest request) throws CniException {
    CniResult previous = request.requirePrevResult();
    if (!(journal.find(request.id()).orElse(null) instanceof JournalEntry.Committed committed)) {
      throw new CniException(
          CniError.UNKNOWN_CONTAINER,
          "CHECK of " + request.id() + ": node " + node.name() + " has no such attachment");
    }
    Attachment attachment = committed.attachment();
    List<String> problems = new ArrayList<>();
    if (!request.podNetnsId(node).equals(attachment.netns())) {
      problems.add("its namespace is not the one ADD was given");
    } else {
      problems.addAll(wireProblems(committed, request));
    }
    compare(previous, committed, problems);
    problems.addAll(
        policy.problems(
            new PodEndpoint(
                attachment,
                committed.addresses(),
                EndpointDocument.of(attachment, node.name(), committed.addresses()))));
    if (!problems.isEmpty()) {
      throw new CniException(
          new CniError(
              CniError.CHECK_FAILED,
              "CHECK of " + request.id() + ": " + problems.getFirst() + "; repeat ADD to repair",
              String.join("; ", problems)));
    }
  }

  private List<String> wireProblems(JournalEntry.Committed committed, VerbRequest request)
      throws CniException {
    Attachment attachment = committed.attachment();
    return switch (attachment.duty()) {
      case Duty.Whole _ -> network.problems(attachment, committed.addresses(), request.podNetns());
      case Duty.Delegated _ -> {
        // The configuration of this request is the one with a previous result.
        Optional<Duty.Delegate> now = Delegates.of(request.conf(), request.call().request());
        if (now.isPresent()) {
          delegates.run(CniVerb.CHECK, now.get(), attachment);
        }
        yield network.problems(attachment, committed.addresses(), request.podNetns());
      }
      case Duty.Policed _ -> {
        PodNetwork.ForeignWire wire = network.find(attachment.id().ifName(), request.podNetns());
        yield wire.hostEnd().equals(attachment.hostEnd())
            ? List.of()
            : List.of(
                "its host end is "
                    + wire.hostEnd()
                    + " and not "
                    + attachment.hostEnd()
                    + ", which policy applies to");
      }
      case Duty.Addresses _ ->
          List.of("it has addresses of this node, but no interface that margay-cni polices");
      case Duty.Stepwise _ -> List.of("it is an endpoint of Docker's, which no plugin made");
    };
  }

  private static void compare(
      CniResult previous, JournalEntry.Committed committed, List<String> problems) {
    committed.addresses().stream()
        .filter(address -> previous.ips().stream().noneMatch(ip -> ip.address().equals(address)))
        .forEach(address -> problems.add("prevResult lacks address " + address));
    String ifName = committed.attachment().id().ifName().value();
    // Results before 0.3.0 have no interfaces.
    if (!previous.interfaces().isEmpty()
        && previous.interfaces().stream()
            .noneMatch(link -> link.name().equals(ifName) && !link.sandbox().isEmpty())) {
      problems.add("prevResult lacks interface " + ifName + " of the pod");
    }
  }
}
