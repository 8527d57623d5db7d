package io.margay.agent.care;

import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.KeyValue;
import io.margay.datastore.Txn;
import io.margay.ipam.IpamKeys;
import io.margay.ipam.Unreadable;
import io.margay.ipam.care.AgentBeat;
import io.margay.ipam.care.GarbageCollector;
import io.margay.ipam.care.GarbageCollector.Mode;
import io.margay.ipam.care.GarbageLimits;
import io.margay.ipam.care.GarbageRole;
import io.margay.ipam.care.GarbageVerdict;
import io.margay.ipam.care.IpamState;
import io.margay.ipam.care.JudgedPart;
import io.margay.ipam.care.NodeWitness;
import io.margay.ipam.care.PoolConditions;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One node's turn: show life, judge, tell. Every node judges its own pods; the living node whose
/// name comes first also judges nodes that are gone and writes pools' conditions. Should two
/// believe to be first, each still frees only what nobody has changed. Owned by the care thread.
final class CareRound {

  /// What a node besides its own state must read to judge others: little.
  private static final List<String> JUDGES_PREFIXES =
      List.of(AgentBeat.PREFIX, "/calico/felix/v2/", IpamKeys.HOSTS);

  private static final Logger LOG = LoggerFactory.getLogger(CareRound.class);

  /// Something that can be asked, and may fail.
  @FunctionalInterface
  interface Known {
    void forEach(Consumer<KeyValue> each) throws DatastoreException;
  }

  private record Sign(long modRevision, Instant changed) {}

  private final String node;
  private final Supplier<Mode> mode;
  private final Datastore datastore;
  private final Known known;
  private final Supplier<NodeWitness> witness;
  private final InstantSource clock;
  private final InstantSource steady;
  private final GarbageCollector collector;
  private final Map<String, Sign> signs = new HashMap<>();
  private Set<Unreadable> told = Set.of();
  private boolean isFirst;
  private List<KeyValue> extra = List.of();

  /// @param known what the syncer knows: resources, blocks and this node's claims; nothing while it
  ///   is not in sync
  /// @param clock the time of day, for what is written
  /// @param steady a clock that nobody sets, for how long something lasts
  CareRound(
      String node,
      Supplier<Mode> mode,
      Datastore datastore,
      Known known,
      Supplier<NodeWitness> witness,
      InstantSource clock,
      InstantSource steady,
      GarbageLimits limits) {
    this.node = node;
    this.mode = mode;
    this.datastore = datastore;
    this.known = known;
    this.witness = witness;
    this.clock = clock;
    this.steady = steady;
    this.collector = new GarbageCollector(datastore, this::read, clock, steady, limits);
  }

  /// Says that this node's agent is alive.
  void showLife() throws DatastoreException {
    datastore.commit(
        Txn.builder().put(AgentBeat.key(node), new AgentBeat(clock.instant()).toJson()).build());
  }

  /// Judges once.
  ///
  /// @return empty when nothing was judged
  Optional<GarbageCollector.Round> run() throws DatastoreException {
    isFirst = isFirstAlive();
    if (isFirst) {
      int written = PoolConditions.write(datastore, clock.instant());
      if (written > 0) {
        LOG.atInfo().addKeyValue("pools", written).log("conditions of pools were written");
      }
    }
    Mode now = mode.get();
    if (now == Mode.OFF) {
      return Optional.empty();
    }
    extra = isFirst ? judgesDocuments() : List.of();
    GarbageCollector.Round round =
        collector.round(new GarbageRole(Optional.of(witness.get()), isFirst, Set.of()), now);
    tell(round, now);
    return Optional.of(round);
  }

  private IpamState read() throws DatastoreException {
    return JudgedPart.read(
        each -> {
          known.forEach(each);
          extra.forEach(each);
        },
        node,
        isFirst);
  }

  private List<KeyValue> judgesDocuments() throws DatastoreException {
    List<KeyValue> documents = new ArrayList<>();
    for (String prefix : JUDGES_PREFIXES) {
      documents.addAll(datastore.list(prefix).items());
    }
    return documents;
  }

  /// Whether no living agent's node has a name before this one's. An agent just seen for the first
  /// time is taken to be alive, so that nobody judges until it is clear who does.
  private boolean isFirstAlive() throws DatastoreException {
    Instant now = steady.instant();
    boolean isFirst = true;
    for (KeyValue item : datastore.list(AgentBeat.PREFIX).items()) {
      String other = item.key().substring(AgentBeat.PREFIX.length());
      Sign sign = signs.get(other);
      if (sign == null || sign.modRevision() != item.modRevision()) {
        sign = new Sign(item.modRevision(), now);
        signs.put(other, sign);
      }
      if (other.compareTo(node) < 0 && sign.changed().plus(AgentBeat.ALIVE).isAfter(now)) {
        isFirst = false;
      }
    }
    return isFirst;
  }

  private void tell(GarbageCollector.Round round, Mode now) {
    for (GarbageVerdict verdict : round.released()) {
      LOG.atWarn()
          .addKeyValue("handle", verdict.handle())
          .addKeyValue("node", verdict.node())
          .addKeyValue("addresses", verdict.addresses().keySet())
          .addKeyValue("reason", verdict.reason())
          .log("addresses that nobody uses were freed");
    }
    round
        .blocks()
        .forEach(
            claim ->
                LOG.atInfo()
                    .addKeyValue("block", claim.block())
                    .addKeyValue("node", claim.node())
                    .log("a block was given back"));
    for (Unreadable document : round.left()) {
      // One line for as long as it lasts.
      if (!told.contains(document)) {
        LOG.atWarn()
            .addKeyValue("key", document.key())
            .addKeyValue("reason", document.sentence())
            .log("what should be freed stays: unreadable");
      }
    }
    told = Set.copyOf(round.left());
    int due = round.decision().count(GarbageVerdict.Outcome.RELEASE) - round.released().size();
    if (due > 0) {
      LOG.atInfo()
          .addKeyValue("handles", due)
          .addKeyValue("gc", now)
          .addKeyValue("overtaken", round.overtaken())
          .log(
              now == Mode.DRY_RUN
                  ? "addresses that nobody uses would be freed with gc: on"
                  : "addresses that nobody uses are left for the next round");
    }
  }
}
