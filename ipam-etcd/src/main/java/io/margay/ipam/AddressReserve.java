package io.margay.ipam;

import io.margay.datastore.DatastoreException;
import io.margay.datastore.KeyValue;
import io.margay.datastore.Txn;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// Addresses kept for times without the store. They are assigned there beforehand, to a handle of
/// the node's own, so that nobody else can have them; while the store is away pods get them from a
/// journal on disk, and when it is back each changes its handle in the transaction that writes the
/// pod's endpoint.
///
/// Safe from any thread. `take` and `release` wait for the disk and never for the store.
public final class AddressReserve implements AutoCloseable {

  /// Addresses kept of each pool.
  public static final int DEFAULT_SIZE = 16;

  /// The part of a pool, one in so many, that one node keeps at most: reserves of many nodes must
  /// not use up a small pool.
  static final int LEAST_POOL_PER_ADDRESS = 16;

  /// How often an endpoint's key may change under a move.
  private static final int MAX_ATTEMPTS = 5;

  private static final Path BOOT_ID = Path.of("/proc/sys/kernel/random/boot_id");
  private static final String HANDLE_PREFIX = "margay-reserve.";
  private static final String ATTRIBUTE_TYPE = "margayReserve";

  private final String node;
  private final int size;
  private final String bootId;
  private final InstantSource clock;
  private final ReserveJournal journal;

  /// Held while the store is asked: what it held a moment ago must still be true when it is written
  /// down. Never taken while `this` is.
  private final ReentrantLock atStore = new ReentrantLock();

  private AddressReserve(
      String node, int size, String bootId, InstantSource clock, ReserveJournal journal) {
    this.node = node;
    this.size = size;
    this.bootId = bootId;
    this.clock = clock;
    this.journal = journal;
  }

  /// Opens the reserve as the disk knows it.
  ///
  /// @param size addresses of each pool, 1..{@link AssignRequest#MAX_ADDRESSES}
  public static AddressReserve open(Path file, String node, int size, InstantSource clock)
      throws IOException {
    return open(file, node, size, clock, Files.readString(BOOT_ID).strip());
  }

  static AddressReserve open(Path file, String node, int size, InstantSource clock, String bootId)
      throws IOException {
    AssignRequest.requireNode(node);
    if (size < 1 || size > AssignRequest.MAX_ADDRESSES) {
      throw new IllegalArgumentException(
          "a reserve of " + size + " addresses; expected 1.." + AssignRequest.MAX_ADDRESSES);
    }
    return new AddressReserve(node, size, bootId, clock, ReserveJournal.open(file, bootId));
  }

  /// The handle a node's reserve is assigned to.
  public static String handle(String node) {
    return HANDLE_PREFIX + node;
  }

  /// The node whose reserve a handle is, if it is one.
  public static Optional<String> nodeOf(String handleId) {
    return handleId.startsWith(HANDLE_PREFIX)
        ? Optional.of(handleId.substring(HANDLE_PREFIX.length()))
        : Optional.empty();
  }

  /// Addresses that could be taken now or after their rest.
  public synchronized int spare(IpFamily family) {
    return (int)
        journal.spares().stream().filter(each -> each.address().family() == family).count();
  }

  /// Whether anything waits for {@link #reconcile}.
  public synchronized boolean isUnsettled() {
    return !journal.entries().isEmpty();
  }

  /// Who wants addresses while the store is away.
  ///
  /// @param pools CIDRs of the only pools to use; a family without one may use any
  /// @param key where the endpoint belongs
  public record Taker(
      String handleId,
      Set<IpFamily> families,
      List<Prefix> pools,
      Map<String, String> attributes,
      String key) {

    public Taker {
      AssignRequest.requireHandle(handleId);
      families = Set.copyOf(families);
      pools = List.copyOf(pools);
      attributes = Map.copyOf(attributes);
    }
  }

  /// What is written beside the addresses, given them: IPv4 first.
  @FunctionalInterface
  public interface Document {
    String of(List<IpAddress> addresses);
  }

  /// Gives a handle an address of each family, or none at all. It has them once this returns, even
  /// if the power goes. The same handle again gets the same.
  ///
  /// @throws IOException when the disk does not take it; nothing was given
  public synchronized ReserveResult take(Taker taker, Document document) throws IOException {
    ReserveJournal.Entry known = journal.entry(taker.handleId());
    if (known != null && !known.doomed()) {
      return new ReserveResult.Taken(known.blockByAddress().keySet().stream().sorted().toList());
    }
    if (known != null) {
      return new ReserveResult.Exhausted(
          taker.families().iterator().next(),
          "handle " + taker.handleId() + " was given back and the datastore has not heard of it");
    }
    Map<IpAddress, Prefix> taken = new LinkedHashMap<>();
    for (IpFamily family : IpFamily.values()) {
      if (taker.families().contains(family)) {
        ReserveJournal.Spare spare = spare(family, taker.pools());
        if (spare == null) {
          return new ReserveResult.Exhausted(family, whyNone(family, taker.pools()));
        }
        taken.put(spare.address(), spare.block());
      }
    }
    List<IpAddress> addresses = List.copyOf(taken.keySet());
    journal.take(
        new ReserveJournal.Entry(
            taker.handleId(),
            bootId,
            taken,
            taker.attributes(),
            taker.key(),
            document.of(addresses),
            false,
            false));
    return new ReserveResult.Taken(addresses);
  }

  /// Why {@link #take} would have nothing to give now; empty when it would.
  ///
  /// @param pools as a taker's
  public synchronized Optional<String> whyNone(Set<IpFamily> families, List<Prefix> pools) {
    return families.stream()
        .sorted()
        .filter(family -> spare(family, pools) == null)
        .map(family -> whyNone(family, pools))
        .findFirst();
  }

  private ReserveJournal.@Nullable Spare spare(IpFamily family, List<Prefix> pools) {
    List<Prefix> named = pools.stream().filter(pool -> pool.family() == family).toList();
    for (ReserveJournal.Spare spare : journal.spares()) {
      if (spare.address().family() == family
          && Block.hasRested(
              spare.freeAt().minus(journal.cooldown()), journal.cooldown(), clock.instant())
          && (named.isEmpty() || named.stream().anyMatch(pool -> pool.contains(spare.block())))) {
        return spare;
      }
    }
    return null;
  }

  private String whyNone(IpFamily family, List<Prefix> pools) {
    return "the reserve of node "
        + node
        + " has no "
        + family
        + " address left"
        + (pools.isEmpty() ? "" : " of " + pools)
        + " ("
        + spare(family)
        + " rest or are of other pools); it is filled again when the datastore answers";
  }

  /// What a handle has of the reserve and the store does not know yet.
  public synchronized Optional<List<IpAddress>> addressesOf(String handleId) {
    ReserveJournal.Entry entry = journal.entry(handleId);
    return entry == null || entry.doomed()
        ? Optional.empty()
        : Optional.of(entry.blockByAddress().keySet().stream().sorted().toList());
  }

  /// What a handle was given while the store was away.
  ///
  /// @param document the endpoint, as it will be written under `key`
  public record Taken(String handleId, String key, String document) {}

  /// Everything given and not yet told to the store: after a restart without it, nothing else knows
  /// of these endpoints.
  public synchronized List<Taken> taken() {
    return journal.entries().stream()
        .filter(entry -> !entry.doomed())
        .map(entry -> new Taken(entry.handleId(), entry.key(), entry.document()))
        .toList();
  }

  /// Takes back what was taken from the reserve.
  ///
  /// @return false if the handle has nothing of the reserve
  /// @throws IOException when the disk does not take it; the handle still has its addresses
  public synchronized boolean release(String handleId) throws IOException {
    if (journal.entry(handleId) == null) {
      return false;
    }
    journal.release(handleId, clock.instant());
    return true;
  }

  /// Tells the store what happened while it was away, one transaction a handle. Then {@link
  /// #topUp}.
  ///
  /// @return what is worth a line in the log
  /// @throws DatastoreException when it is away again; the rest waits
  public List<Reconciled> reconcile(Ipam ipam) throws DatastoreException, IOException {
    List<Reconciled> results = new ArrayList<>();
    atStore.lock();
    try {
      for (ReserveJournal.Entry entry : unsettled()) {
        results.add(reconcile(ipam, entry));
      }
      return withoutStrays(ipam, results);
    } finally {
      atStore.unlock();
    }
  }

  /// What ails one handle's documents keeps no other waiting.
  private Reconciled reconcile(Ipam ipam, ReserveJournal.Entry entry)
      throws DatastoreException, IOException {
    try {
      return entry.doomed() ? drop(ipam, entry) : move(ipam, entry);
    } catch (DatastoreException refused) {
      if (refused.kind() != DatastoreException.Kind.INVALID) {
        throw refused;
      }
      return new Reconciled.Stuck(entry.handleId(), String.valueOf(refused.getMessage()));
    }
  }

  /// The request whose answer never came, for which the reserve stood in, may have been carried out
  /// late: what it assigned to the handle beside the reserve's addresses is given back. One listing
  /// for all, since most rounds have nothing to move.
  private List<Reconciled> withoutStrays(Ipam ipam, List<Reconciled> results)
      throws DatastoreException {
    Map<String, Set<IpAddress>> keptByHandle = new HashMap<>();
    for (Reconciled result : results) {
      if (result instanceof Reconciled.Moved(String handleId, List<Assignment> moved, _)) {
        keptByHandle.put(
            handleId, moved.stream().map(Assignment::address).collect(Collectors.toSet()));
      }
    }
    if (keptByHandle.isEmpty()) {
      return results;
    }
    Map<String, List<Release>> strays = new HashMap<>();
    for (Block block : ipam.listBlocks()) {
      for (Block.Allocation held : block.allocated()) {
        String handleId = held.holder().cleanHandleId().orElse("");
        Set<IpAddress> kept = keptByHandle.get(handleId);
        if (kept != null && !kept.contains(held.address())) {
          strays
              .computeIfAbsent(handleId, _ -> new ArrayList<>())
              .add(
                  new Release(
                      held.address(),
                      Optional.of(handleId),
                      OptionalLong.of(held.sequenceNumber())));
        }
      }
    }
    ipam.releaseIps(strays.values().stream().flatMap(List::stream).toList());
    return results.stream().map(result -> remarked(result, strays)).toList();
  }

  private static Reconciled remarked(Reconciled result, Map<String, List<Release>> strays) {
    if (!(result instanceof Reconciled.Moved moved) || !strays.containsKey(moved.handleId())) {
      return result;
    }
    List<String> remarks = new ArrayList<>(moved.remarks());
    for (Release stray : strays.getOrDefault(moved.handleId(), List.of())) {
      remarks.add(
          stray.address() + " had been assigned too, by a request thought lost; it is free");
    }
    return new Reconciled.Moved(moved.handleId(), moved.assignments(), remarks);
  }

  private synchronized List<ReserveJournal.Entry> unsettled() {
    return journal.entries();
  }

  private Reconciled move(Ipam ipam, ReserveJournal.Entry entry)
      throws DatastoreException, IOException {
    boolean given;
    synchronized (this) {
      given = journal.entry(entry.handleId()) != null;
      if (given) {
        journal.moving(entry.handleId());
      }
    }
    if (!given) {
      return new Reconciled.Dropped(entry.handleId());
    }
    Map<String, KeyValue> current = Map.of();
    for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      MoveResult result =
          ipam.move(
              new MoveRequest(
                  entry.blockByAddress(),
                  handle(node),
                  entry.handleId(),
                  node,
                  entry.attributes(),
                  endpoint(entry, Optional.ofNullable(current.get(entry.key())))));
      switch (result) {
        case MoveResult.Moved(List<Assignment> assignments, List<String> remarks) -> {
          return moved(ipam, entry, assignments, remarks);
        }
        case MoveResult.Elsewhere(IpAddress address, String reason) -> {
          return new Reconciled.Lost(entry.handleId(), address, reason);
        }
        case MoveResult.ExtraConflict(Map<String, KeyValue> found) -> current = found;
      }
    }
    throw new DatastoreException(
        DatastoreException.Kind.OVERLOADED, "ipam", entry.key() + " keeps changing; try again");
  }

  private Reconciled moved(
      Ipam ipam, ReserveJournal.Entry entry, List<Assignment> assignments, List<String> remarks)
      throws DatastoreException, IOException {
    synchronized (this) {
      ReserveJournal.Entry now = journal.entry(entry.handleId());
      if (now == null || !now.doomed()) {
        journal.settle(entry.handleId());
        return new Reconciled.Moved(entry.handleId(), assignments, remarks);
      }
    }
    // It was given back while it was on its way.
    return drop(ipam, entry);
  }

  private static SameTxn endpoint(ReserveJournal.Entry entry, Optional<KeyValue> current) {
    Txn.Condition unchanged =
        current
            .<Txn.Condition>map(
                item -> new Txn.Condition.AtRevision(item.key(), item.modRevision()))
            .orElse(new Txn.Condition.Absent(entry.key()));
    return _ ->
        new SameTxn.Extras(
            List.of(unchanged), List.of(new Txn.Write.Put(entry.key(), entry.document())));
  }

  private Reconciled drop(Ipam ipam, ReserveJournal.Entry entry)
      throws DatastoreException, IOException {
    SameTxn.Extras extras =
        new SameTxn.Extras(List.of(new Txn.Condition.Absent(entry.key())), List.of());
    for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      switch (ipam.releaseByHandle(entry.handleId(), extras)) {
        case ReleaseResult.Released _, ReleaseResult.Refused _ -> {
          synchronized (this) {
            journal.settle(entry.handleId());
          }
          return new Reconciled.Dropped(entry.handleId());
        }
        case ReleaseResult.ExtraConflict(Map<String, KeyValue> current) ->
            extras = withoutEndpoint(entry, Optional.ofNullable(current.get(entry.key())));
      }
    }
    throw new DatastoreException(
        DatastoreException.Kind.OVERLOADED, "ipam", entry.key() + " keeps changing; try again");
  }

  /// The endpoint goes if it is the one we wrote; a later container's stays.
  private static SameTxn.Extras withoutEndpoint(
      ReserveJournal.Entry entry, Optional<KeyValue> current) {
    if (current.isEmpty()) {
      return new SameTxn.Extras(List.of(new Txn.Condition.Absent(entry.key())), List.of());
    }
    Txn.Condition unchanged =
        new Txn.Condition.AtRevision(entry.key(), current.get().modRevision());
    return new SameTxn.Extras(
        List.of(unchanged),
        current.get().value().equals(entry.document())
            ? List.of(new Txn.Write.Delete(entry.key()))
            : List.of());
  }

  /// Fills the reserve up to its size, or a sixteenth of a small pool, from every pool that serves
  /// this node and every namespace, and gives back what lies in pools that do not any more. In the
  /// background, while the store is there.
  public void topUp(Ipam ipam) throws DatastoreException, IOException {
    atStore.lock();
    try {
      List<Pool> usable = usable(ipam.pools());
      Map<IpAddress, Assignment> held = new LinkedHashMap<>();
      for (Pool pool : usable) {
        fill(ipam, pool).forEach(each -> held.put(each.address(), each));
      }
      List<Release> surplus = keep(usable, held.values(), ipam.config().cooldown());
      if (!surplus.isEmpty()) {
        ipam.releaseIps(surplus);
      }
    } finally {
      atStore.unlock();
    }
  }

  private List<Pool> usable(Pools pools) {
    Pools.Asker asker =
        new Pools.Asker(node, Optional.empty(), AssignTerms.WORKLOAD.use(), List.of());
    List<Pool> usable = new ArrayList<>();
    for (IpFamily family : IpFamily.values()) {
      usable.addAll(pools.eligible(family, asker));
    }
    return usable;
  }

  /// Writes down what may be handed out.
  ///
  /// @return what the store should take back: of pools that don't serve the node any more, and of
  ///   blocks that were taken from it while it was away
  private synchronized List<Release> keep(
      List<Pool> usable, Collection<Assignment> held, Duration cooldown) throws IOException {
    Set<IpAddress> inUse = new HashSet<>();
    journal.entries().forEach(entry -> inUse.addAll(entry.blockByAddress().keySet()));
    List<Release> surplus = new ArrayList<>();
    Map<IpAddress, Prefix> kept = new LinkedHashMap<>();
    for (Assignment each : held) {
      boolean served = usable.stream().anyMatch(pool -> pool.cidr().contains(each.block()));
      if (served && !each.borrowed()) {
        kept.put(each.address(), each.block());
      } else if (!inUse.contains(each.address())) {
        surplus.add(
            new Release(
                each.address(), Optional.of(handle(node)), OptionalLong.of(each.sequenceNumber())));
      }
    }
    journal.reserve(kept, cooldown);
    return surplus;
  }

  /// Everything the reserve's handle holds, after this pool gave what it has.
  private List<Assignment> fill(Ipam ipam, Pool pool) throws DatastoreException {
    AssignTerms terms = new AssignTerms(AssignTerms.WORKLOAD.use(), Optional.empty(), 0, true);
    for (int count = share(pool); count > 0; count /= 2) {
      AssignResult result =
          ipam.assign(
              new AssignRequest(
                  handle(node),
                  node,
                  pool.family() == IpFamily.IPV4 ? count : 0,
                  pool.family() == IpFamily.IPV6 ? count : 0,
                  Map.of("node", node, "type", ATTRIBUTE_TYPE),
                  List.of(pool.cidr()),
                  SameTxn.nothing(),
                  terms));
      if (result instanceof AssignResult.Assigned(List<Assignment> assignments, long _)) {
        return assignments;
      }
    }
    return List.of();
  }

  private int share(Pool pool) {
    int bits = pool.family().bits() - pool.cidr().length();
    return bits >= Integer.SIZE - 1 ? size : Math.min(size, (1 << bits) / LEAST_POOL_PER_ADDRESS);
  }

  @Override
  public synchronized void close() throws IOException {
    journal.close();
  }
}
