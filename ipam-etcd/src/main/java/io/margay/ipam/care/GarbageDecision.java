package io.margay.ipam.care;

import io.margay.ipam.Block;
import io.margay.ipam.IpamKeys;
import io.margay.ipam.care.GarbageLedger.Absence;
import io.margay.ipam.care.GarbageLedger.Beat;
import io.margay.ipam.care.GarbageLedger.Suspect;
import io.margay.ipam.care.GarbageVerdict.Outcome;
import io.margay.ipam.care.IpamState.PoolRange;
import io.margay.ipam.care.IpamState.Use;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;

/// Which addresses, blocks and nodes are garbage: a pure function of one reading of the state, what
/// the deciding process sees itself, and what earlier looks saw.
///
/// Nothing is released on one word. For a pod on a living node the two witnesses are the datastore,
/// which at every look of a whole grace period names no user, and that node's own agent, whose
/// journal and kernel know nothing of it. For a node that is gone they are the missing Node and the
/// missing sign of life, both for a whole grace period; or the word of a person, instead of the
/// second. What has no witness is kept: see docs/ipam.md for the table.
public final class GarbageDecision {

  /// What was decided.
  ///
  /// @param verdicts one for each handle, the longest suspected first
  /// @param emptyBlocks blocks to give back, and whose
  /// @param goneNodes nodes nothing holds an address for any more: their claims go
  /// @param ledger what the next look compares with
  public record Result(
      List<GarbageVerdict> verdicts,
      List<IpamKeys.AffinityKey> emptyBlocks,
      Set<String> goneNodes,
      GarbageLedger ledger) {

    /// How many verdicts have this outcome.
    public int count(Outcome outcome) {
      return (int) verdicts.stream().filter(verdict -> verdict.outcome() == outcome).count();
    }
  }

  /// All addresses of one handle.
  private record Held(Holder holder, SortedMap<IpAddress, Long> addresses, List<Block> blocks) {}

  private final IpamState state;
  private final GarbageRole role;
  private final GarbageLedger before;
  private final GarbageLimits limits;
  private final Instant now;

  private final Map<String, Held> heldByHandle = new TreeMap<>();
  private final Map<String, Suspect> suspects = new HashMap<>();
  private final Set<String> missing = new TreeSet<>();
  private final Map<String, Absence> absences = new HashMap<>();
  private final Map<String, Beat> beats = new HashMap<>();
  private final Map<Prefix, Long> seenEmpty = new HashMap<>();
  private final List<GarbageVerdict> verdicts = new ArrayList<>();

  private GarbageDecision(
      IpamState state, GarbageRole role, GarbageLedger before, GarbageLimits limits, Instant now) {
    this.state = state;
    this.role = role;
    this.before = before;
    this.limits = limits;
    this.now = now;
  }

  /// Judges everything once.
  public static Result decide(
      IpamState state, GarbageRole role, GarbageLedger before, GarbageLimits limits, Instant now) {
    return new GarbageDecision(state, role, before, limits, now).decide();
  }

  private Result decide() {
    gather();
    lookAtNodes();
    heldByHandle.forEach(
        (_, held) -> {
          if (!isOfNodeItself(held)) {
            verdicts.add(judge(held));
          }
        });
    heldByHandle.forEach(
        (_, held) -> {
          if (isOfNodeItself(held)) {
            verdicts.add(judgeNodesOwn(held));
          }
        });
    verdicts.sort(
        Comparator.comparing((GarbageVerdict verdict) -> verdict.since().orElse(now))
            .thenComparing(GarbageVerdict::handle));
    Set<String> gone = new TreeSet<>();
    for (String node : absences.keySet()) {
      if (isGone(node)
          && role.judgesVanished()
          && hasClaims(node)
          && heldByHandle.values().stream().noneMatch(held -> isHeldFor(held, node))) {
        gone.add(node);
      }
    }
    return new Result(
        List.copyOf(verdicts),
        emptyBlocks(),
        Set.copyOf(gone),
        new GarbageLedger(suspects, absences, seenEmpty, beats));
  }

  private void gather() {
    Map<String, List<Block.Allocation>> allocations = new TreeMap<>();
    Map<String, List<Block>> blocks = new HashMap<>();
    for (Stored<Block> stored : state.blocks.values()) {
      for (Block.Allocation allocation : stored.value().allocated()) {
        String handle =
            allocation
                .holder()
                .cleanHandleId()
                .filter(id -> !id.isEmpty())
                .orElse("(no handle) " + allocation.address());
        allocations.computeIfAbsent(handle, _ -> new ArrayList<>()).add(allocation);
        blocks.computeIfAbsent(handle, _ -> new ArrayList<>()).add(stored.value());
      }
    }
    allocations.forEach(
        (handle, list) -> {
          SortedMap<IpAddress, Long> addresses = new TreeMap<>();
          list.forEach(one -> addresses.put(one.address(), one.sequenceNumber()));
          Holder holder = Holder.of(list.getFirst());
          boolean agree = list.stream().map(Holder::of).allMatch(holder::equals);
          heldByHandle.put(
              handle,
              new Held(
                  new Holder(
                      agree ? holder.sort() : Holder.Sort.UNKNOWN,
                      handle,
                      agree ? holder.node() : ""),
                  addresses,
                  blocks.getOrDefault(handle, List.of())));
        });
  }

  /// Notes who shows life, and which of the nodes that somebody or something names are not there.
  private void lookAtNodes() {
    state.beats.forEach(
        (node, beat) -> {
          Beat known = before.beats().get(node);
          beats.put(
              node,
              known != null && known.modRevision() == beat.modRevision()
                  ? known
                  : new Beat(beat.modRevision(), now));
        });
    Set<String> named = new TreeSet<>();
    heldByHandle.values().forEach(held -> named.add(held.holder().node()));
    state.claims.keySet().forEach(claim -> named.add(claim.node()));
    named.remove("");
    for (String node : named) {
      if (state.knowsNodes() && !state.hasNode(node) && !isAlive(node)) {
        missing.add(node);
        // Who does not judge does not read every sign of life: its time does not count.
        if (role.judgesVanished()) {
          Absence known = before.absences().get(node);
          absences.put(
              node,
              known == null ? new Absence(now, 1) : new Absence(known.since(), known.looks() + 1));
        }
      }
    }
  }

  private boolean isAlive(String node) {
    if (role.declaredGone().contains(node)) {
      return false;
    }
    Beat beat = beats.get(node);
    return state.felixNodes.contains(node)
        || beat != null && beat.changed().plus(AgentBeat.ALIVE).isAfter(now);
  }

  /// No Node and no sign of life for long enough; or no Node, and a person says so.
  private boolean isGone(String node) {
    Absence absence = absences.get(node);
    return absence != null
        && (role.declaredGone().contains(node)
            || absence.looks() >= limits.looks()
                && !absence.since().plus(limits.grace()).isAfter(now));
  }

  private static boolean isOfNodeItself(Held held) {
    return switch (held.holder().sort()) {
      case TUNNEL, RESERVE -> true;
      case POD, UNKNOWN -> false;
    };
  }

  private GarbageVerdict judge(Held held) {
    Holder holder = held.holder();
    if (holder.sort() == Holder.Sort.UNKNOWN) {
      return keep(held, "nobody could witness that it is unused: no pod, tunnel or reserve");
    }
    Optional<String> doubt = doubt(held);
    if (doubt.isPresent()) {
      return keep(held, doubt.get());
    }
    List<Use> own = new ArrayList<>();
    for (IpAddress address : held.addresses().keySet()) {
      for (Use use : state.usesOf(address)) {
        if (!isOwn(use, held)) {
          return keep(held, "endpoint " + use.name() + " of another container uses " + address);
        }
        own.add(use);
      }
    }
    return missing.contains(holder.node()) ? judgeOnGoneNode(held, own) : judgeOnNode(held, own);
  }

  /// Reasons not to believe what is seen.
  private Optional<String> doubt(Held held) {
    if (held.holder().node().isEmpty()) {
      return Optional.of("it does not say for which node");
    }
    if (!state.knowsNodes()) {
      return Optional.of("the datastore shows no Node at all");
    }
    for (Block block : held.blocks()) {
      if (state.faulty.containsKey(block.cidr())) {
        return Optional.of("block " + block.cidr() + " contradicts itself; repair it first");
      }
    }
    return Optional.empty();
  }

  private boolean isOwn(Use use, Held held) {
    String handle = held.holder().handle();
    String container = "." + use.containerId();
    return use.node().equals(held.holder().node())
        && !use.containerId().isEmpty()
        && (handle.endsWith(container) || handle.contains(container + "."));
  }

  private GarbageVerdict judgeOnGoneNode(Held held, List<Use> own) {
    String node = held.holder().node();
    if (!role.judgesVanished()) {
      return keep(held, "node " + node + " is not there; another agent judges that");
    }
    if (!isGone(node)) {
      Absence absence = absences.getOrDefault(node, new Absence(now, 1));
      return verdict(
          held,
          Outcome.SUSPECT,
          "no Node " + node + " and no sign of life, not for long enough",
          Optional.of(absence.since()),
          own,
          true);
    }
    return verdict(held, Outcome.RELEASE, goneText(node), Optional.of(sinceGone(node)), own, true);
  }

  private Instant sinceGone(String node) {
    return absences.getOrDefault(node, new Absence(now, 1)).since();
  }

  private String goneText(String node) {
    return role.declaredGone().contains(node)
        ? "no Node " + node + ", and you say that it is gone"
        : "no Node " + node + " and no sign of life since " + sinceGone(node);
  }

  private GarbageVerdict judgeOnNode(Held held, List<Use> own) {
    String handle = held.holder().handle();
    String node = held.holder().node();
    Optional<NodeWitness> witness = role.witness().filter(one -> one.node().equals(node));
    if (witness.isEmpty()) {
      return own.isEmpty()
          ? keep(
              held,
              state.beats.containsKey(node)
                  ? "no endpoint uses it; the agent of node " + node + " judges that"
                  : "no endpoint uses it, but node " + node + " has no agent to witness that")
          : keep(held, "endpoint " + own.getFirst().name() + " uses it");
    }
    if (!witness.get().isComplete()) {
      return keep(held, "the node's journal or kernel can't be read in full");
    }
    boolean isWired =
        witness.get().knows(handle)
            || own.stream()
                .anyMatch(use -> witness.get().interfaces().contains(use.interfaceName()));
    if (isWired) {
      return keep(
          held,
          own.isEmpty()
              ? "no endpoint uses it, but the node has the attachment"
              : "endpoint " + own.getFirst().name() + " uses it");
    }
    Suspect known = before.suspects().get(handle);
    Suspect suspect =
        known != null && known.addresses().equals(held.addresses())
            ? new Suspect(known.since(), known.looks() + 1, held.addresses())
            : new Suspect(now, 1, held.addresses());
    suspects.put(handle, suspect);
    boolean isRipe =
        suspect.looks() >= limits.looks() && !suspect.since().plus(limits.grace()).isAfter(now);
    String seen =
        own.isEmpty()
            ? "no endpoint uses it, and node " + node + " has neither journal entry nor wire of it"
            : "endpoint "
                + own.getFirst().name()
                + " uses it, but node "
                + node
                + " has neither journal entry nor wire of it";
    return verdict(
        held,
        isRipe ? Outcome.RELEASE : Outcome.SUSPECT,
        seen + ", since " + suspect.since(),
        Optional.of(suspect.since()),
        own,
        false);
  }

  /// Addresses of the node itself are kept while it is there, and while anything else is held for
  /// it.
  private GarbageVerdict judgeNodesOwn(Held held) {
    String node = held.holder().node();
    Optional<String> doubt = doubt(held);
    if (doubt.isPresent()) {
      return keep(held, doubt.get());
    }
    if (!missing.contains(node)) {
      return keep(held, "node " + node + " is there and looks after it itself");
    }
    if (!role.judgesVanished()) {
      return keep(held, "node " + node + " is not there; another agent judges that");
    }
    if (!isGone(node)) {
      return verdict(
          held,
          Outcome.SUSPECT,
          "no Node " + node + " and no sign of life, not for long enough",
          Optional.of(sinceGone(node)),
          List.of(),
          true);
    }
    boolean isBusy =
        heldByHandle.values().stream()
            .anyMatch(other -> !isOfNodeItself(other) && isHeldFor(other, node));
    return isBusy
        ? keep(held, "node " + node + " is gone, but other addresses are still held for it")
        : verdict(
            held, Outcome.RELEASE, goneText(node), Optional.of(sinceGone(node)), List.of(), true);
  }

  /// What nobody knows anything about may be the block owner's: it keeps that node's blocks.
  private static boolean isHeldFor(Held held, String node) {
    return held.holder().node().equals(node)
        || held.holder().sort() == Holder.Sort.UNKNOWN
            && held.blocks().stream()
                .anyMatch(block -> IpamState.nodeOf(block).equals(Optional.of(node)));
  }

  private GarbageVerdict keep(Held held, String reason) {
    return verdict(held, Outcome.KEEP, reason, Optional.empty(), List.of(), false);
  }

  private static GarbageVerdict verdict(
      Held held,
      Outcome outcome,
      String reason,
      Optional<Instant> since,
      List<Use> own,
      boolean ofVanishedNode) {
    return new GarbageVerdict(
        held.holder().handle(),
        held.holder().node(),
        held.addresses(),
        outcome,
        reason,
        since,
        own.stream().map(Use::key).distinct().toList(),
        ofVanishedNode);
  }

  private boolean hasClaims(String node) {
    return state.claims.keySet().stream().anyMatch(claim -> claim.node().equals(node));
  }

  /// Blocks of the witness's own node that were empty at two looks running, unwritten between, and
  /// of which the node has another in the same pool.
  private List<IpamKeys.AffinityKey> emptyBlocks() {
    if (role.witness().isEmpty()) {
      return List.of();
    }
    String node = role.witness().get().node();
    Map<String, Integer> ownedByPool = new HashMap<>();
    List<IpamKeys.AffinityKey> empty = new ArrayList<>();
    for (IpamKeys.AffinityKey claim : state.claims.keySet()) {
      Stored<Block> block = state.blocks.get(claim.block());
      if (!claim.node().equals(node) || block == null || !block.value().isAffineTo(node)) {
        continue;
      }
      ownedByPool.merge(poolName(claim.block()), 1, Integer::sum);
      if (BlockChecks.isUnused(block.value()) && !state.faulty.containsKey(claim.block())) {
        seenEmpty.put(claim.block(), block.modRevision());
        Long revision = before.emptyBlocks().get(claim.block());
        if (revision != null && revision == block.modRevision()) {
          empty.add(claim);
        }
      }
    }
    List<IpamKeys.AffinityKey> surplus = new ArrayList<>();
    for (IpamKeys.AffinityKey claim : empty.reversed()) {
      String pool = poolName(claim.block());
      if (surplus.size() < limits.maxBlocks() && ownedByPool.merge(pool, -1, Integer::sum) >= 1) {
        surplus.add(claim);
      }
    }
    return surplus;
  }

  private String poolName(Prefix block) {
    return state.poolOf(block).map(PoolRange::name).orElse("");
  }
}
