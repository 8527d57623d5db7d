package io.margay.agent.cni;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.margay.cni.PodAddresses;
import io.margay.cni.journal.Attachment;
import io.margay.cni.journal.Workload;
import io.margay.cni.spec.AttachmentId;
import io.margay.cni.spec.CniError;
import io.margay.cni.spec.CniException;
import io.margay.datastore.CommitResult;
import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.KeyValue;
import io.margay.datastore.Txn;
import io.margay.datastore.json.Decoded;
import io.margay.datastore.json.ResourceJson;
import io.margay.datastore.json.ResourceKeys;
import io.margay.ipam.AddressReserve;
import io.margay.ipam.AssignIpRequest;
import io.margay.ipam.AssignRequest;
import io.margay.ipam.AssignResult;
import io.margay.ipam.AssignTerms;
import io.margay.ipam.Assignment;
import io.margay.ipam.Block;
import io.margay.ipam.Ipam;
import io.margay.ipam.ReleaseResult;
import io.margay.ipam.ReserveResult;
import io.margay.ipam.SameTxn;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import io.margay.model.resource.ResourceRef;
import io.margay.model.resource.WorkloadEndpoint;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;

/// Addresses of pods by this cluster's IPAM, each committed together with its WorkloadEndpoint.
public final class EtcdPodAddresses implements PodAddresses {

  /// How often an endpoint's key may change under us before the runtime is told to retry.
  private static final int MAX_ATTEMPTS = 5;

  /// How long after a lost answer pods get their addresses from the reserve without another try:
  /// each try costs a pod the deadline of a commit.
  static final Duration SILENCE = Duration.ofSeconds(5);

  /// How many addresses of a pool no pod on a shared wire can have: the first and the last.
  private static final int MAX_UNUSABLE = 2;

  private final String node;
  private final Datastore datastore;
  private final Ipam ipam;
  private final EndpointDirectory directory;
  private final Function<String, Optional<Prefix>> poolByName;
  private final InstantSource clock;
  private final Optional<AddressReserve> reserve;

  /// The last failure and how long it is believed; nothing once the datastore has answered.
  private volatile Optional<Silence> silence = Optional.empty();

  private record Silence(DatastoreException failure, Instant until) {}

  /// Without a reserve: no datastore, no address.
  ///
  /// @param poolByName the CIDR of an IPPool by its name
  public EtcdPodAddresses(
      String node,
      Datastore datastore,
      Ipam ipam,
      EndpointDirectory directory,
      Function<String, Optional<Prefix>> poolByName,
      InstantSource clock) {
    this(node, datastore, ipam, directory, poolByName, clock, Optional.empty());
  }

  /// @param poolByName the CIDR of an IPPool by its name
  /// @param reserve what addresses are taken from while the datastore is away; its owner reconciles
  ///   it afterwards
  public EtcdPodAddresses(
      String node,
      Datastore datastore,
      Ipam ipam,
      EndpointDirectory directory,
      Function<String, Optional<Prefix>> poolByName,
      InstantSource clock,
      Optional<AddressReserve> reserve) {
    this.reserve = reserve;
    this.node = node;
    this.datastore = datastore;
    this.ipam = ipam;
    this.directory = directory;
    this.poolByName = poolByName;
    this.clock = clock;
  }

  @Override
  public List<IpAddress> assign(
      Attachment attachment, Wish wish, Function<List<IpAddress>, WorkloadEndpoint> document)
      throws CniException {
    Optional<List<IpAddress>> waiting =
        reserve.flatMap(kept -> kept.addressesOf(attachment.handleId()));
    EndpointWrite write = new EndpointWrite(attachment.id(), document);
    if (waiting.isPresent()) {
      directory.onCommitted(
          attachment.id(),
          write.endpoint(waiting.get()),
          KernelEndpointPolicy.Calculation.UNSTORED);
      return waiting.get();
    }
    Optional<Silence> silent = silence.filter(known -> clock.instant().isBefore(known.until()));
    if (silent.isPresent() && reserve.isPresent() && wish.addresses().isEmpty()) {
      return fromReserve(attachment, wish, write, silent.get().failure());
    }
    AssignResult result;
    // A commit whose answer is lost may have written the endpoint: the release that follows must
    // find it, whether or not the watch has told of it.
    directory.remember(attachment.id(), document.apply(List.of()).ref());
    try {
      for (int attempt = 0; ; attempt++) {
        result = assignOnce(attachment, wish, write);
        if (!(result instanceof AssignResult.ExtraConflict(Map<String, KeyValue> current))) {
          break;
        }
        if (attempt == MAX_ATTEMPTS) {
          throw keepsChanging(attachment.id());
        }
        write.onConflict(current);
      }
    } catch (DatastoreException away) {
      if (away.isOutcomeUnknown()) {
        silence = Optional.of(new Silence(away, clock.instant().plus(SILENCE)));
      }
      return fromReserve(attachment, wish, write, away);
    }
    silence = Optional.empty();
    AssignResult.Assigned assigned = assigned(attachment, result);
    List<IpAddress> addresses = assigned.assignments().stream().map(Assignment::address).toList();
    directory.onCommitted(attachment.id(), document.apply(addresses), assigned.revision());
    return addresses;
  }

  private AssignResult.Assigned assigned(Attachment attachment, AssignResult result)
      throws CniException {
    return switch (result) {
      case AssignResult.Assigned assigned -> assigned;
      case AssignResult.NoPool(IpFamily family, String reason) ->
          throw exhausted(attachment, "no IPPool for " + family + ": " + reason);
      case AssignResult.PoolExhausted(IpFamily family, String reason) ->
          throw exhausted(attachment, "every eligible " + family + " pool is used up: " + reason);
      case AssignResult.BlockLimit(IpFamily family, int limit) ->
          throw exhausted(
              attachment,
              "node "
                  + node
                  + " owns "
                  + limit
                  + " "
                  + family
                  + " blocks, its limit, and all are full");
      case AssignResult.Unavailable(IpAddress address, String reason) ->
          throw new CniException(
              CniError.ADDRESS_UNAVAILABLE,
              "address " + address + " for " + attachment.id() + ": " + reason);
      case AssignResult.ExtraConflict _ -> throw new IllegalStateException("handled above");
    };
  }

  /// While the datastore is away. Particular addresses are not to be had then: whether they are
  /// free nobody knows.
  private List<IpAddress> fromReserve(
      Attachment attachment, Wish wish, EndpointWrite write, DatastoreException away)
      throws CniException {
    if (reserve.isEmpty() || !away.isOutcomeUnknown() || !wish.addresses().isEmpty()) {
      throw unreachable(attachment.id().toString(), away);
    }
    AddressReserve.Taker taker =
        new AddressReserve.Taker(
            attachment.handleId(),
            wish.families(),
            pools(wish),
            attributes(attachment),
            ResourceKeys.key(write.endpoint(List.of()).ref()));
    try {
      return switch (reserve
          .get()
          .take(taker, addresses -> ResourceJson.encode(write.endpoint(addresses)))) {
        case ReserveResult.Taken(List<IpAddress> addresses) -> {
          directory.onCommitted(
              attachment.id(),
              write.endpoint(addresses),
              KernelEndpointPolicy.Calculation.UNSTORED);
          yield addresses;
        }
        case ReserveResult.Exhausted(IpFamily _, String reason) ->
            throw new CniException(
                CniError.DATASTORE_UNREACHABLE,
                "no address for "
                    + attachment.id()
                    + " while the datastore is away: "
                    + reason
                    + "; "
                    + away.getMessage(),
                away);
      };
    } catch (IOException disk) {
      throw new CniException(
          CniError.IO_FAILURE,
          "the address reserve's journal did not take "
              + attachment.id()
              + ": "
              + disk.getMessage(),
          disk);
    }
  }

  private List<Prefix> pools(Wish wish) throws CniException {
    List<Prefix> pools = new ArrayList<>(pools(wish.ipv4Pools()));
    pools.addAll(pools(wish.ipv6Pools()));
    return pools;
  }

  private AssignResult assignOnce(Attachment attachment, Wish wish, EndpointWrite write)
      throws DatastoreException, CniException {
    return assignOnce(attachment, wish, 1, attributes(attachment), write);
  }

  private AssignResult assignOnce(
      Attachment attachment, Wish wish, int count, Map<String, String> attributes, SameTxn write)
      throws DatastoreException, CniException {
    Map<IpFamily, Integer> counts = new HashMap<>();
    wish.families().forEach(family -> counts.put(family, count));
    for (IpAddress wanted : wish.addresses()) {
      counts.putIfAbsent(wanted.family(), 1);
      AssignResult one =
          ipam.assignIp(
              new AssignIpRequest(
                  wanted, attachment.handleId(), node, attributes, SameTxn.nothing()));
      if (!(one instanceof AssignResult.Assigned)) {
        return one;
      }
    }
    List<Prefix> pools = pools(wish);
    // What the handle holds counts, so the explicit addresses above come back here with the
    // document.
    return ipam.assign(
        new AssignRequest(
            attachment.handleId(),
            node,
            counts.getOrDefault(IpFamily.IPV4, 0),
            counts.getOrDefault(IpFamily.IPV6, 0),
            attributes,
            pools,
            write,
            terms(attachment)));
  }

  private static AssignTerms terms(Attachment attachment) {
    return switch (attachment.workload()) {
      case Workload.Pod(String namespace, String _) -> AssignTerms.pod(namespace);
      case Workload.Container _ -> AssignTerms.WORKLOAD;
    };
  }

  private List<Prefix> pools(List<String> namesOrCidrs) throws CniException {
    List<Prefix> pools = new ArrayList<>();
    for (String text : namesOrCidrs) {
      pools.add(pool(text));
    }
    return pools;
  }

  private Prefix pool(String text) throws CniException {
    Optional<Prefix> named = poolByName.apply(text);
    if (named.isPresent()) {
      return named.get();
    }
    try {
      return Prefix.parse(text);
    } catch (IllegalArgumentException notCidr) {
      throw new CniException(
          CniError.BAD_CONFIG,
          "\"" + text + "\" is neither the name of an IPPool nor a CIDR; see margay get ippools");
    }
  }

  private Map<String, String> attributes(Attachment attachment) {
    return attributes(node, clock, attachment);
  }

  /// What is stored beside a pod's addresses, as Calico's plugin does.
  static Map<String, String> attributes(String node, InstantSource clock, Attachment attachment) {
    Map<String, String> attributes = new HashMap<>();
    attributes.put("node", node);
    attributes.put("timestamp", clock.instant().toString());
    switch (attachment.workload()) {
      case Workload.Pod(String namespace, String name) -> {
        attributes.put("namespace", namespace);
        attributes.put("pod", name);
      }
      case Workload.Container _ -> {}
    }
    return attributes;
  }

  @Override
  public List<Lease> lease(Attachment attachment, Wish wish, List<IpAddress> gateways)
      throws CniException {
    Map<String, String> attributes = attributes(attachment);
    attributes.put(Block.Attribute.ROLE, Block.Attribute.ROLE_IPAM);
    try {
      for (IpAddress gateway : gateways) {
        keepFromPods(attachment, gateway);
      }
      List<IpAddress> usable = List.of();
      for (int count = 1; count <= MAX_UNUSABLE + 1; count++) {
        usable =
            assigned(attachment, assignOnce(attachment, wish, count, attributes, SameTxn.nothing()))
                .assignments()
                .stream()
                .map(Assignment::address)
                .filter(address -> !isEdge(address))
                .toList();
        if (hasAll(usable, wish)) {
          break;
        }
      }
      List<Lease> leases = new ArrayList<>();
      for (IpAddress address : usable) {
        Prefix pool = ipam.poolAround(address).orElseGet(address::toHostPrefix);
        leases.add(new Lease(address, pool, gateway(attachment, pool, gateways)));
      }
      return leases;
    } catch (DatastoreException away) {
      throw unreachable(attachment.id().toString(), away);
    }
  }

  private static boolean hasAll(List<IpAddress> usable, Wish wish) {
    return wish.families().stream()
        .allMatch(family -> usable.stream().anyMatch(address -> address.family() == family));
  }

  /// On a wire that others share, the first and last address of a subnet are not a pod's.
  private boolean isEdge(IpAddress address) {
    Optional<Prefix> pool = ipam.poolAround(address);
    return pool.isPresent()
        && pool.get().length() < address.family().bits() - 1
        && (address.equals(pool.get().address())
            || address.family() == IpFamily.IPV4 && address.equals(pool.get().lastAddress()));
  }

  /// The gateway of a pool: one that the configuration names, else an address that is held for this
  /// and is the same on every node.
  private IpAddress gateway(Attachment attachment, Prefix pool, List<IpAddress> named)
      throws DatastoreException, CniException {
    for (IpAddress gateway : named) {
      if (pool.contains(gateway)) {
        return gateway;
      }
    }
    for (int count = 1; ; count++) {
      AssignResult.Assigned assigned =
          assigned(
              attachment,
              ipam.assign(
                  new AssignRequest(
                      gatewayHandle(pool),
                      node,
                      pool.family() == IpFamily.IPV4 ? count : 0,
                      pool.family() == IpFamily.IPV6 ? count : 0,
                      gatewayAttributes(),
                      List.of(pool),
                      SameTxn.nothing())));
      for (Assignment assignment : assigned.assignments()) {
        if (!isEdge(assignment.address()) || count > MAX_UNUSABLE) {
          return assignment.address();
        }
      }
    }
  }

  /// An address outside every pool is nobody's to keep.
  private void keepFromPods(Attachment attachment, IpAddress gateway)
      throws DatastoreException, CniException {
    Optional<Prefix> pool = ipam.poolAround(gateway);
    if (pool.isPresent()) {
      AssignResult result =
          ipam.assignIp(
              new AssignIpRequest(
                  gateway,
                  gatewayHandle(pool.get()),
                  node,
                  gatewayAttributes(),
                  SameTxn.nothing()));
      assigned(attachment, result);
    }
  }

  private static String gatewayHandle(Prefix pool) {
    return "margay-gateway." + pool.toString().replace('/', '-');
  }

  /// A type that address care knows nothing of, and so never frees.
  private Map<String, String> gatewayAttributes() {
    return Map.of("node", node, "type", "margayGateway");
  }

  @Override
  public void publish(Attachment attachment, WorkloadEndpoint document) throws CniException {
    EndpointWrite write = new EndpointWrite(attachment.id(), _ -> document);
    directory.remember(attachment.id(), document.ref());
    try {
      for (int attempt = 0; attempt <= MAX_ATTEMPTS; attempt++) {
        switch (datastore.commit(txn(write.with(List.of())))) {
          case CommitResult.Committed(long revision) -> {
            directory.onCommitted(attachment.id(), document, revision);
            return;
          }
          case CommitResult.Conflict(long _, Map<String, KeyValue> current) ->
              write.onConflict(current);
        }
      }
    } catch (DatastoreException away) {
      throw unreachable(attachment.id().toString(), away);
    }
    throw keepsChanging(attachment.id());
  }

  private static Txn txn(SameTxn.Extras extras) {
    Txn.Builder txn = Txn.builder();
    extras.conditions().forEach(txn::add);
    extras.writes().forEach(txn::add);
    return txn.build();
  }

  private static CniException keepsChanging(AttachmentId id) {
    return new CniException(
        CniError.TRY_LATER, "the WorkloadEndpoint of " + id + " keeps changing; try again");
  }

  @Override
  public void withdraw(Attachment attachment) throws CniException {
    AttachmentId id = attachment.id();
    Optional<ResourceRef> endpoint = directory.endpointOf(id);
    if (endpoint.isEmpty()) {
      return;
    }
    try {
      for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
        SameTxn.Extras deletion = deletion(endpoint.get(), id);
        if (deletion.writes().isEmpty()
            || datastore.commit(txn(deletion)) instanceof CommitResult.Committed) {
          directory.forget(id);
          return;
        }
      }
    } catch (DatastoreException away) {
      throw unreachable(id.toString(), away);
    }
    throw keepsChanging(id);
  }

  @Override
  public void release(Attachment attachment) throws CniException {
    release(attachment.network(), attachment.id());
  }

  @Override
  public void release(String network, AttachmentId id) throws CniException {
    Optional<ResourceRef> endpoint = directory.endpointOf(id);
    giveBackToReserve(network, id);
    try {
      SameTxn.Extras extras =
          endpoint.isPresent() ? deletion(endpoint.get(), id) : SameTxn.Extras.NONE;
      for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
        switch (ipam.releaseByHandle(Attachment.handleId(network, id), extras)) {
          case ReleaseResult.Released _ -> {
            directory.forget(id);
            return;
          }
          case ReleaseResult.Refused(IpAddress address, String reason) ->
              throw new CniException(
                  CniError.ADDRESS_UNAVAILABLE,
                  "address " + address + " of " + id + " was not given back: " + reason);
          case ReleaseResult.ExtraConflict _ -> extras = deletion(endpoint.orElseThrow(), id);
        }
      }
    } catch (DatastoreException away) {
      throw unreachable(id.toString(), away);
    }
    throw keepsChanging(id);
  }

  /// What the datastore has not heard of goes back on the disk; what it may have heard of is freed
  /// there, now or when the caller repeats.
  private void giveBackToReserve(String network, AttachmentId id) throws CniException {
    if (reserve.isEmpty()) {
      return;
    }
    try {
      reserve.get().release(Attachment.handleId(network, id));
    } catch (IOException disk) {
      throw new CniException(
          CniError.IO_FAILURE,
          "the address reserve's journal did not take the release of "
              + id
              + ": "
              + disk.getMessage(),
          disk);
    }
  }

  /// Deletes the endpoint if it is still this container's.
  private SameTxn.Extras deletion(ResourceRef endpoint, AttachmentId id) throws DatastoreException {
    Optional<KeyValue> stored = datastore.get(ResourceKeys.key(endpoint));
    if (stored.isEmpty() || !isOf(stored.get(), id)) {
      return SameTxn.Extras.NONE;
    }
    return new SameTxn.Extras(
        List.of(new Txn.Condition.AtRevision(stored.get().key(), stored.get().modRevision())),
        List.of(new Txn.Write.Delete(stored.get().key())));
  }

  private static boolean isOf(KeyValue stored, AttachmentId id) {
    return ResourceJson.decode(stored.key(), stored.value(), stored.modRevision()).orElseThrow()
            instanceof Decoded.Valid(WorkloadEndpoint endpoint)
        && id.containerId().equals(endpoint.spec().containerID());
  }

  private static CniException exhausted(Attachment attachment, String why) {
    return new CniException(
        CniError.POOL_EXHAUSTED,
        "no address for " + attachment.id() + ": " + why + "; see margay ipam show");
  }

  private static CniException unreachable(String what, DatastoreException away) {
    return new CniException(
        CniError.DATASTORE_UNREACHABLE,
        "the datastore did not take the change for " + what + ": " + away.getMessage(),
        away);
  }

  /// Writes the endpoint beside its addresses, over what an earlier container of the same pod may
  /// have left under the key.
  private final class EndpointWrite implements SameTxn {
    private final AttachmentId id;
    private final Function<List<IpAddress>, WorkloadEndpoint> document;
    private Map<String, KeyValue> current = Map.of();

    EndpointWrite(AttachmentId id, Function<List<IpAddress>, WorkloadEndpoint> document) {
      this.id = id;
      this.document = document;
    }

    void onConflict(Map<String, KeyValue> found) {
      current = found;
    }

    /// As it is stored: with an identity of its own.
    WorkloadEndpoint endpoint(List<IpAddress> addresses) {
      WorkloadEndpoint endpoint = document.apply(addresses);
      String uid = UUID.nameUUIDFromBytes(id.toString().getBytes(UTF_8)).toString();
      return endpoint.withMetadata(endpoint.metadata().withIdentity(uid, clock.instant()));
    }

    @Override
    public Extras with(List<Assignment> assignments) {
      WorkloadEndpoint endpoint = endpoint(assignments.stream().map(Assignment::address).toList());
      String key = ResourceKeys.key(endpoint.ref());
      KeyValue before = current.get(key);
      Txn.Condition condition =
          before == null
              ? new Txn.Condition.Absent(key)
              : new Txn.Condition.AtRevision(key, before.modRevision());
      return new Extras(
          List.of(condition), List.of(new Txn.Write.Put(key, ResourceJson.encode(endpoint))));
    }
  }
}
