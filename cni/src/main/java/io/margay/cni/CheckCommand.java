package io.margay.cni;

import io.margay.cni.journal.Attachment;
import io.margay.cni.journal.AttachmentJournal;
import io.margay.cni.journal.Duty;
import io.margay.cni.journal.JournalEntry;
import io.margay.cni.spec.AttachmentId;
import io.margay.cni.spec.CniError;
import io.margay.cni.spec.CniException;
import io.margay.cni.spec.CniResult;
import io.margay.cni.spec.CniVerb;
import io.margay.linux.socket.OwnedFd;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// CHECK: is the attachment as ADD left it, in the kernel and in the runtime's memory
/// (`prevResult`)? Repairs nothing. Extra routes, interfaces and addresses are no fault: plugins
/// after us may add them.
///
/// A runtime takes "unknown container" (3) for leave to forget it, so that is the answer only where
/// nothing of it is on this node; whatever else is not as it was is a difference (109).
final class CheckCommand {

  static final String UNFINISHED = "its ADD was not finished";

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
    JournalEntry.Committed committed = committed(request);
    Attachment attachment = committed.attachment();
    List<String> problems = new ArrayList<>();
    if (!attachment.network().equals(request.conf().name())) {
      problems.add(otherNetwork(attachment, request));
    }
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
      throw differs(request.id(), problems);
    }
  }

  private JournalEntry.Committed committed(VerbRequest request) throws CniException {
    Optional<JournalEntry> entry = journal.find(request.id());
    if (entry.isPresent() && entry.get() instanceof JournalEntry.Committed committed) {
      return committed;
    }
    if (entry.isPresent() && entry.get() instanceof JournalEntry.Prepared) {
      throw differs(request.id(), List.of(UNFINISHED));
    }
    Attachment remains = request.remains(node);
    if (network.isThere(remains)) {
      throw differs(
          request.id(),
          List.of(
              "host interface "
                  + remains.hostEnd()
                  + " is its wire, but the node's journal does not know of it"));
    }
    throw new CniException(
        CniError.UNKNOWN_CONTAINER,
        "CHECK of " + request.id() + ": node " + node.name() + " has no such attachment");
  }

  static String otherNetwork(Attachment attachment, VerbRequest request) {
    return "it is in network " + attachment.network() + ", not " + request.conf().name();
  }

  /// What CHECK answers of a container that is there and not as ADD left it.
  static CniException differs(AttachmentId id, List<String> problems) {
    return new CniException(
        new CniError(
            CniError.CHECK_FAILED,
            "CHECK of " + id + ": " + problems.getFirst() + "; repeat ADD to repair",
            String.join("; ", problems)));
  }

  private List<String> wireProblems(JournalEntry.Committed committed, VerbRequest request)
      throws CniException {
    Attachment attachment = committed.attachment();
    return switch (attachment.duty()) {
      case Duty.Whole _ -> network.problems(attachment, committed.addresses(), request.podNetns());
      case Duty.Delegated _ -> {
        // The configuration of this request is the one with a previous result.
        Optional<Duty.Delegate> now = Delegates.of(request.conf(), request.call().request());
        List<String> problems = new ArrayList<>();
        if (now.isPresent()) {
          problems.addAll(
              problem(
                  CniError.UNKNOWN_CONTAINER,
                  () -> delegates.run(CniVerb.CHECK, now.get(), attachment)));
        }
        problems.addAll(network.problems(attachment, committed.addresses(), request.podNetns()));
        yield problems;
      }
      case Duty.Policed _ -> {
        List<String> problems = new ArrayList<>();
        problems.addAll(
            problem(CniError.BAD_CONFIG, () -> requirePoliced(attachment, request.podNetns())));
        problems.addAll(network.equipmentProblems(attachment));
        yield problems;
      }
      case Duty.Addresses _ ->
          List.of("it has addresses of this node, but no interface that margay-cni polices");
      case Duty.Stepwise _ -> List.of("it is an endpoint of Docker's, which no plugin made");
    };
  }

  /// Something asked on the way.
  @FunctionalInterface
  private interface Question {
    void ask() throws CniException;
  }

  /// @param code of an answer that means a difference here, where we know the container
  private static List<String> problem(int code, Question question) throws CniException {
    try {
      question.ask();
      return List.of();
    } catch (CniException answer) {
      if (answer.error().code() != code && answer.error().code() != CniError.CHECK_FAILED) {
        throw answer;
      }
      return List.of(answer.error().msg());
    }
  }

  private void requirePoliced(Attachment attachment, OwnedFd podNetns) throws CniException {
    PodNetwork.ForeignWire wire = network.find(attachment.id().ifName(), podNetns);
    if (!wire.hostEnd().equals(attachment.hostEnd())) {
      throw new CniException(
          CniError.CHECK_FAILED,
          "its host end is "
              + wire.hostEnd()
              + " and not "
              + attachment.hostEnd()
              + ", which policy applies to");
    }
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
