package io.margay.cni;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.margay.cni.journal.Attachment;
import io.margay.cni.journal.AttachmentJournal;
import io.margay.cni.journal.Duty;
import io.margay.cni.journal.JournalEntry;
import io.margay.cni.protocol.CniCall;
import io.margay.cni.protocol.CniHandler;
import io.margay.cni.protocol.CniReply;
import io.margay.cni.protocol.CniRequest;
import io.margay.cni.protocol.CniVariable;
import io.margay.cni.protocol.DeletionQueue;
import io.margay.cni.spec.AttachmentId;
import io.margay.cni.spec.CniArgs;
import io.margay.cni.spec.CniError;
import io.margay.cni.spec.CniException;
import io.margay.cni.spec.CniJson;
import io.margay.cni.spec.CniVerb;
import io.margay.cni.spec.CniVersion;
import io.margay.cni.spec.IpamConf;
import io.margay.cni.spec.NetConf;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpFamily;
import java.io.IOException;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Answers CNI requests. Checks come in the order runtimes expect: environment (4), JSON (6), name
/// (7), version (1), then the verb. Requests about one container wait for each other; everything
/// else runs side by side.
public final class CniVerbs implements CniHandler {

  private static final Logger LOG = LoggerFactory.getLogger(CniVerbs.class);

  private final Readiness readiness;
  private final AttachmentJournal journal;
  private final AddCommand add;
  private final DelCommand del;
  private final CheckCommand check;
  private final ChainCommand chain;
  private final LeaseCommand lease;
  private final Delegates delegates = new Delegates();
  private final OddKeys oddKeys = new OddKeys();
  private final PodCatalog pods;
  private final GcCommand gc;
  private final ReclaimCommand reclaim;
  private final MtuCommand mtu;
  private final StepVerbs steps;
  private final ReleaseQueue releases;
  private final DeletionQueue queued;
  private final ContainerLocks locks = new ContainerLocks();

  /// @param releases where addresses are given back once DEL has answered
  /// @param queued deletions that clients left on disk
  public CniVerbs(
      CniNode node,
      AttachmentJournal journal,
      PodAddresses addresses,
      PodNetwork network,
      EndpointPolicy policy,
      PodCatalog pods,
      ReleaseQueue releases,
      DeletionQueue queued,
      Readiness readiness) {
    this.readiness = readiness;
    this.journal = journal;
    this.releases = releases;
    this.queued = queued;
    this.pods = pods;
    Release release = new Release(addresses, delegates);
    HostPortClaims hostPorts = new HostPortClaims(journal);
    this.del = new DelCommand(node, journal, addresses, release, network, policy);
    EarlierDebts debts = new EarlierDebts(journal, del, delegates);
    this.add =
        new AddCommand(
            node, journal, addresses, delegates, network, policy, pods, releases, hostPorts, debts);
    this.check = new CheckCommand(node, journal, delegates, network, policy);
    this.chain =
        new ChainCommand(
            node, journal, addresses, release, network, policy, pods, debts, hostPorts);
    this.lease = new LeaseCommand(node, journal, addresses, release, debts);
    this.gc = new GcCommand(journal, locks, del);
    this.reclaim = new ReclaimCommand(journal, network, del);
    this.mtu = new MtuCommand(journal);
    this.steps =
        new StepVerbs(
            node,
            journal,
            addresses,
            release,
            network,
            policy,
            releases,
            hostPorts,
            locks,
            del,
            this::giveBack);
  }

  /// The same for a runtime that asks step by step.
  public StepVerbs steps() {
    return steps;
  }

  @Override
  public CniReply handle(CniCall call) {
    CniVersion version = CniVersion.V1_0_0;
    Optional<String> trace = TraceId.of(call.request());
    try {
      CniVerb verb = verb(call.request());
      Optional<AttachmentId> id = environment(verb, call.request());
      if (verb == CniVerb.VERSION) {
        return version();
      }
      ObjectNode stdin = CniJson.parse(call.request().stdin());
      version = NetConf.answerVersion(stdin);
      NetConf conf = verb == CniVerb.DEL ? NetConf.parseForDel(stdin) : NetConf.parse(stdin);
      if (!conf.version().knows(verb)) {
        throw new CniException(
            CniError.INCOMPATIBLE_VERSION,
            "config version " + conf.version() + " does not allow " + verb);
      }
      CniReply reply = run(verb, call, conf, id);
      trace.ifPresent(
          name ->
              LOG.atInfo()
                  .addKeyValue("request", call.request())
                  .addKeyValue("trace", name)
                  .log("a CNI request of a trace succeeded"));
      return verb == CniVerb.ADD && !VerbRequest.isIpam(call)
          ? reply.withStderr(reply.stderr() + oddKeys(call, conf))
          : reply;
    } catch (CniException failure) {
      CniError error = failure.error();
      if (call.request().get(CniVariable.COMMAND).equals(CniVerb.DEL.name())) {
        error = error.forDel();
      }
      if (trace.isPresent()) {
        error = error.withDetail("trace " + trace.get());
      }
      LOG.atWarn()
          .addKeyValue("request", call.request())
          .addKeyValue("trace", trace.orElse("none"))
          .addKeyValue("code", error.code())
          .addKeyValue("reason", error.msg())
          .log("a CNI request ended in an error");
      return CniReply.failure(CniJson.print(CniJson.errorObject(error, version)));
    }
  }

  private String oddKeys(CniCall call, NetConf conf) throws CniException {
    CniArgs args = CniArgs.parse(call.request().get(CniVariable.ARGS));
    return oddKeys.warning(conf.name(), "keys", conf.unknownKeys())
        + oddKeys.warning(conf.name(), "CNI_ARGS", args.unknownKeys());
  }

  private static CniVerb verb(CniRequest request) throws CniException {
    String command = request.get(CniVariable.COMMAND);
    Optional<CniVerb> verb = CniVerb.find(command);
    if (verb.isEmpty()) {
      throw new CniException(
          CniError.BAD_ENVIRONMENT,
          "CNI_COMMAND \""
              + command
              + "\" is unknown"
              + (command.equals("GET") ? "; use CHECK" : ""));
    }
    return verb.get();
  }

  /// What each verb needs of the environment; the identity of the attachment for verbs that have
  /// one.
  private static Optional<AttachmentId> environment(CniVerb verb, CniRequest request)
      throws CniException {
    List<CniVariable> required =
        switch (verb) {
          case ADD, CHECK ->
              List.of(
                  CniVariable.CONTAINERID, CniVariable.NETNS, CniVariable.IFNAME, CniVariable.PATH);
          case DEL -> List.of(CniVariable.CONTAINERID, CniVariable.IFNAME);
          case GC, STATUS -> List.of(CniVariable.PATH);
          case VERSION -> List.of();
        };
    List<String> missing =
        required.stream()
            .filter(name -> request.get(name).isEmpty())
            .map(CniVariable::variable)
            .toList();
    if (!missing.isEmpty()) {
      throw new CniException(
          CniError.BAD_ENVIRONMENT,
          verb + " needs environment variables that are missing: " + String.join(", ", missing));
    }
    if (!required.contains(CniVariable.CONTAINERID)) {
      return Optional.empty();
    }
    try {
      return Optional.of(
          new AttachmentId(
              request.get(CniVariable.CONTAINERID),
              new InterfaceName(request.get(CniVariable.IFNAME))));
    } catch (IllegalArgumentException invalid) {
      throw new CniException(
          CniError.BAD_ENVIRONMENT, "CNI_CONTAINERID, CNI_IFNAME: " + invalid.getMessage());
    }
  }

  private CniReply run(CniVerb verb, CniCall call, NetConf conf, Optional<AttachmentId> id)
      throws CniException {
    return switch (verb) {
      case ADD -> {
        VerbRequest request = request(call, conf, id);
        try (ContainerLocks.Held _ = locks.take(request.id())) {
          forgetQueued(request.id());
          VerbRequest told = request.told(pods);
          yield CniReply.success(CniJson.print(add(told)))
              .withStderr(told.wishes().warning(told.id()));
        }
      }
      case DEL -> {
        VerbRequest request =
            new VerbRequest(call, conf, argsForDel(call), id.orElseThrow(), PodWishes.NONE);
        try (ContainerLocks.Held _ = locks.take(request.id())) {
          request.requireListener();
          del.run(request);
        }
        giveBack(request.id());
        yield CniReply.success("");
      }
      case CHECK -> {
        VerbRequest request = request(call, conf, id);
        try (ContainerLocks.Held _ = locks.take(request.id())) {
          if (request.isIpam()) {
            lease.check(request);
          } else {
            check.run(request);
          }
          yield CniReply.success("");
        }
      }
      case GC -> {
        String spared;
        try {
          spared = gc.run(conf);
        } finally {
          journal.all().stream()
              .filter(JournalEntry.Releasing.class::isInstance)
              .forEach(owed -> giveBack(owed.attachment().id()));
        }
        if (!conf.isGcDisabled()) {
          askDelegate(verb, call, conf);
        }
        yield CniReply.success("").withStderr(spared);
      }
      case STATUS -> {
        Optional<CniError> trouble = trouble(call, conf);
        if (trouble.isPresent()) {
          throw new CniException(trouble.get());
        }
        askDelegate(verb, call, conf);
        yield CniReply.success("");
      }
      case VERSION -> version();
    };
  }

  /// A deletion that waits on disk is older than the ADD, and must not take the new pod away.
  private void forgetQueued(AttachmentId id) throws CniException {
    try {
      queued.forget(id);
    } catch (IOException refused) {
      throw new CniException(
          CniError.IO_FAILURE,
          "an earlier DEL of " + id + " is queued on disk and can't be dropped; see delq of runDir",
          refused);
    }
  }

  /// Whether an ADD that says nothing of its own would succeed.
  private Optional<CniError> trouble(CniCall call, NetConf conf) {
    IpamConf ipam = conf.ipam();
    boolean leased = VerbRequest.isIpam(call);
    Set<IpFamily> families = EnumSet.noneOf(IpFamily.class);
    if (!leased && !ipam.isOwn()) {
      return readiness.trouble(
          Readiness.Source.FOREIGN,
          new PodAddresses.Wish(families, List.of(), List.of(), List.of()));
    }
    if (ipam.assignIpv4()) {
      families.add(IpFamily.IPV4);
    }
    if (ipam.assignIpv6()) {
      families.add(IpFamily.IPV6);
    }
    return readiness.trouble(
        leased ? Readiness.Source.LEASED : Readiness.Source.OURS,
        new PodAddresses.Wish(families, List.of(), ipam.ipv4Pools(), ipam.ipv6Pools()));
  }

  private ObjectNode add(VerbRequest request) throws CniException {
    if (request.isIpam()) {
      return lease.add(request).toJson(request.conf().version());
    }
    return request.conf().prevResult().isPresent()
        ? chain.add(request)
        : add.run(request).toJson(request.conf().version());
  }

  /// Hands a request about the network on to its IPAM, if that is not ours.
  private void askDelegate(CniVerb verb, CniCall call, NetConf conf) throws CniException {
    Optional<Duty.Delegate> delegate = Delegates.of(conf, call.request());
    if (delegate.isPresent() && !VerbRequest.isIpam(call)) {
      delegates.run(verb, delegate.get());
    }
  }

  private static VerbRequest request(CniCall call, NetConf conf, Optional<AttachmentId> id)
      throws CniException {
    return new VerbRequest(
        call,
        conf,
        CniArgs.parse(call.request().get(CniVariable.ARGS)),
        id.orElseThrow(),
        PodWishes.NONE);
  }

  /// A pod must go whatever its arguments are: they only name its workload, which the journal knows
  /// better.
  private static CniArgs argsForDel(CniCall call) {
    try {
      return CniArgs.parse(call.request().get(CniVariable.ARGS));
    } catch (CniException malformed) {
      LOG.atInfo()
          .addKeyValue("request", call.request())
          .addKeyValue("reason", malformed.getMessage())
          .log("the arguments of a DEL can't be read; it is carried out without them");
      return new CniArgs(Map.of());
    }
  }

  private static CniReply version() {
    String versions = String.join("\",\"", CniVersion.texts());
    return CniReply.success(
        "{\"cniVersion\":\""
            + CniVersion.NEWEST
            + "\",\"supportedVersions\":[\""
            + versions
            + "\"]}\n");
  }

  /// Finishes what an earlier process left: whatever was begun and not committed, and whatever
  /// belongs to another boot, is taken away. What is committed is returned, to be handed to policy
  /// again. Call before serving.
  public List<JournalEntry.Committed> recover() {
    List<JournalEntry.Committed> committed = new ArrayList<>();
    for (JournalEntry entry : journal.all()) {
      switch (entry) {
        case JournalEntry.Committed done when done.bootId().equals(journal.bootId()) ->
            committed.add(done);
        case JournalEntry.Releasing _ -> {}
        case JournalEntry.Committed _, JournalEntry.Prepared _ -> takeAway(entry);
      }
    }
    return committed;
  }

  private void takeAway(JournalEntry entry) {
    try {
      del.delete(entry);
      giveBack(entry.attachment().id());
    } catch (CniException failure) {
      LOG.atWarn()
          .setCause(failure)
          .addKeyValue("attachment", entry.attachment().id())
          .log(
              "an unfinished attachment cannot be taken away now; the next start or a DEL repeats"
                  + " it");
    }
  }

  /// Repeats address releases that the datastore's absence has held up; to be called now and then.
  /// One whose container is being worked on is left for the next time: an ADD may be about to make
  /// the held addresses a pod's again. Those that another plugin has a part in are not waited for.
  ///
  /// @return how many are still owed
  public int repeatReleases() {
    for (JournalEntry entry : journal.all()) {
      if (entry instanceof JournalEntry.Releasing) {
        if (isForeign(entry)) {
          giveBack(entry.attachment().id());
        } else {
          repeatRelease(entry.attachment().id());
        }
      }
    }
    return (int) journal.all().stream().filter(JournalEntry.Releasing.class::isInstance).count();
  }

  private static boolean isForeign(JournalEntry entry) {
    return entry.attachment().duty() instanceof Duty.Delegated;
  }

  private boolean repeatRelease(AttachmentId id) {
    Optional<ContainerLocks.Held> lock = locks.takeIfFree(id);
    if (lock.isEmpty()) {
      return false;
    }
    try (ContainerLocks.Held _ = lock.get()) {
      return del.release(id);
    }
  }

  /// Not under the container's lock: the release takes it.
  private void giveBack(AttachmentId id) {
    Optional<JournalEntry> owed = journal.find(id);
    if (owed.isPresent() && isForeign(owed.get())) {
      releases.submitForeign(id, () -> repeatRelease(id));
    } else {
      releases.submit(() -> repeatRelease(id));
    }
  }

  /// Attachments that look gone from the kernel at this moment.
  List<AttachmentId> lookGone() {
    return reclaim.lookGone();
  }

  boolean looksGone(AttachmentId id) {
    return reclaim.looksGone(id);
  }

  /// Does what DEL would, if the attachment is gone from the kernel and nobody works on it.
  ///
  /// @return whether it was taken away
  boolean reclaim(AttachmentId id) {
    Optional<ContainerLocks.Held> lock = locks.takeIfFree(id);
    if (lock.isEmpty()) {
      return false;
    }
    boolean taken;
    try (ContainerLocks.Held _ = lock.get()) {
      taken = reclaim.run(id);
    } catch (CniException failure) {
      LOG.atWarn()
          .addKeyValue("attachment", id)
          .addKeyValue("reason", failure.getMessage())
          .log("a vanished attachment can't be released now; trying again");
      return false;
    }
    if (taken) {
      giveBack(id);
    }
    return taken;
  }

  /// Mends the host end of an attachment that nobody works on.
  void mend(AttachmentId id) {
    Optional<ContainerLocks.Held> lock = locks.takeIfFree(id);
    if (lock.isEmpty()) {
      return;
    }
    try (ContainerLocks.Held _ = lock.get()) {
      reclaim.mend(id);
    } catch (CniException failure) {
      LOG.atWarn()
          .addKeyValue("attachment", id)
          .addKeyValue("reason", failure.getMessage())
          .log("the host end of a pod was down and can't be mended; CHECK says what it lacks");
    }
  }

  /// Gives the wire of an attachment another MTU while nobody works on it, and remembers that.
  ///
  /// @param change makes the change in the kernel, and tells whether it did
  /// @return whether the wire has another MTU now
  public boolean changeMtu(AttachmentId id, int octets, Predicate<Attachment> change) {
    try (ContainerLocks.Held _ = locks.take(id)) {
      return mtu.run(id, octets, change);
    } catch (CniException busy) {
      LOG.atWarn()
          .addKeyValue("attachment", id)
          .addKeyValue("reason", busy.getMessage())
          .log("a pod is being worked on and keeps its MTU; recreate it if packets get lost");
      return false;
    }
  }
}
