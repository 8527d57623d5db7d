package io.margay.agent.cni;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.margay.cni.PodAddresses;
import io.margay.cni.PodEndpoint;
import io.margay.cni.journal.Attachment;
import io.margay.cni.spec.AttachmentId;
import io.margay.cni.spec.CniError;
import io.margay.cni.spec.CniException;
import io.margay.datastore.CommitResult;
import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.KeyValue;
import io.margay.datastore.Txn;
import io.margay.datastore.json.ResourceJson;
import io.margay.datastore.json.ResourceKeys;
import io.margay.ipam.AddressReserve;
import io.margay.ipam.AssignResult;
import io.margay.ipam.Assignment;
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
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/// Addresses of pods by this cluster's IPAM, each committed together with its WorkloadEndpoint.
public final class EtcdPodAddresses implements PodAddresses {

  private static final ObjectMapper JSON = new ObjectMapper();

  /// How often an endpoint's key may change under us before the runtime is told to retry.
  private static final int MAX_ATTEMPTS = 5;

  /// How long after a lost answer pods get their addresses from the reserve without another try:
  /// each try costs a pod the deadline of a commit.
  static final Duration SILENCE = Duration.ofSeconds(5);

  private final String node;
  private final Datastore datastore;
  private final Ipam ipam;
  private final EndpointDirectory directory;
  private final WishAssigner wishes;
  private final LeasedAddresses leases;
  private final InstantSource clock;
  private final InstantSource steady;
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
    this(node, datastore, ipam, directory, poolByName, clock, clock, Optional.empty());
  }

  /// @param poolByName the CIDR of an IPPool by its name
  /// @param clock the time of day, for what is written
  /// @param steady a clock that nobody sets, for how long a failure is believed
  /// @param reserve what addresses are taken from while the datastore is away; its owner reconciles
  ///   it afterwards
  public EtcdPodAddresses(
      String node,
      Datastore datastore,
      Ipam ipam,
      EndpointDirectory directory,
      Function<String, Optional<Prefix>> poolByName,
      InstantSource clock,
      InstantSource steady,
      Optional<AddressReserve> reserve) {
    this.reserve = reserve;
    this.node = node;
    this.datastore = datastore;
    this.ipam = ipam;
    this.directory = directory;
    this.clock = clock;
    this.steady = steady;
    this.wishes = new WishAssigner(node, ipam, poolByName, clock);
    this.leases = new LeasedAddresses(node, ipam, wishes);
  }

  @Override
  public List<IpAddress> assign(
      Attachment attachment, Wish wish, Function<List<IpAddress>, WorkloadEndpoint> document)
      throws CniException {
    Optional<List<IpAddress>> waiting =
        reserve.flatMap(kept -> kept.addressesOf(attachment.handleId()));
    EndpointWrite write = new EndpointWrite(attachment.id(), clock, document);
    if (waiting.isPresent()) {
      directory.onCommitted(
          attachment.id(),
          write.endpoint(waiting.get()),
          KernelEndpointPolicy.Calculation.UNSTORED);
      return waiting.get();
    }
    Optional<Silence> silent = silence.filter(known -> steady.instant().isBefore(known.until()));
    if (silent.isPresent() && reserve.isPresent() && wish.addresses().isEmpty()) {
      return fromReserve(attachment, wish, write, silent.get().failure());
    }
    AssignResult result;
    // A commit whose answer is lost may have written the endpoint: the release that follows must
    // find it, whether or not the watch has told of it.
    directory.remember(attachment.id(), document.apply(List.of()).ref());
    try {
      for (int attempt = 0; ; attempt++) {
        result = wishes.assign(attachment, wish, write);
        if (!(result instanceof AssignResult.ExtraConflict(Map<String, KeyValue> current))) {
          break;
        }
        if (attempt == MAX_ATTEMPTS) {
          throw AddressErrors.keepsChanging(attachment.id());
        }
        write.onConflict(current);
      }
    } catch (DatastoreException away) {
      if (away.isOutcomeUnknown()) {
        silence = Optional.of(new Silence(away, steady.instant().plus(SILENCE)));
      }
      return fromReserve(attachment, wish, write, away);
    }
    silence = Optional.empty();
    AssignResult.Assigned assigned = AddressErrors.requireAssigned(node, attachment, result);
    List<IpAddress> addresses = assigned.assignments().stream().map(Assignment::address).toList();
    directory.onCommitted(attachment.id(), document.apply(addresses), assigned.revision());
    return addresses;
  }

  /// While the datastore is away. Particular addresses are not to be had then: whether they are
  /// free nobody knows.
  private List<IpAddress> fromReserve(
      Attachment attachment, Wish wish, EndpointWrite write, DatastoreException away)
      throws CniException {
    if (reserve.isEmpty() || !away.isOutcomeUnknown() || !wish.addresses().isEmpty()) {
      throw AddressErrors.unreachable(attachment.id().toString(), away);
    }
    AddressReserve.Taker taker =
        new AddressReserve.Taker(
            attachment.handleId(),
            wish.families(),
            wishes.pools(wish),
            WishAssigner.attributes(node, clock, attachment),
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

  @Override
  public List<IpAddress> hold(Attachment attachment, Wish wish) throws CniException {
    try {
      AssignResult result = wishes.assign(attachment, wish, SameTxn.nothing());
      List<IpAddress> held =
          AddressErrors.requireAssigned(node, attachment, result).assignments().stream()
              .map(Assignment::address)
              .toList();
      Set<IpFamily> asked = EnumSet.noneOf(IpFamily.class);
      asked.addAll(wish.families());
      wish.addresses().forEach(address -> asked.add(address.family()));
      return held.stream().filter(address -> asked.contains(address.family())).toList();
    } catch (DatastoreException away) {
      throw AddressErrors.unreachable(attachment.id().toString(), away);
    }
  }

  @Override
  public List<Lease> lease(Attachment attachment, Wish wish, List<IpAddress> gateways)
      throws CniException {
    try {
      return leases.lease(attachment, wish, gateways);
    } catch (DatastoreException away) {
      throw AddressErrors.unreachable(attachment.id().toString(), away);
    }
  }

  @Override
  public void publish(Attachment attachment, WorkloadEndpoint document) throws CniException {
    EndpointWrite write = new EndpointWrite(attachment.id(), clock, _ -> document);
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
      throw AddressErrors.unreachable(attachment.id().toString(), away);
    }
    throw AddressErrors.keepsChanging(attachment.id());
  }

  private static Txn txn(SameTxn.Extras extras) {
    Txn.Builder txn = Txn.builder();
    extras.conditions().forEach(txn::add);
    extras.writes().forEach(txn::add);
    return txn.build();
  }

  @Override
  public void withdraw(Attachment attachment) throws CniException {
    AttachmentId id = attachment.id();
    ResourceRef endpoint = endpointOf(attachment);
    try {
      for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
        SameTxn.Extras deletion = deletion(endpoint, id);
        if (deletion.writes().isEmpty()
            || datastore.commit(txn(deletion)) instanceof CommitResult.Committed) {
          directory.forget(id);
          return;
        }
      }
    } catch (DatastoreException away) {
      throw AddressErrors.unreachable(id.toString(), away);
    }
    throw AddressErrors.keepsChanging(id);
  }

  @Override
  public void release(Attachment attachment) throws CniException {
    release(attachment.network(), attachment.id(), Optional.of(endpointOf(attachment)));
  }

  /// An endpoint that an earlier process wrote and somebody made invalid since is in no directory,
  /// but where it ought to be.
  private ResourceRef endpointOf(Attachment attachment) {
    return directory.endpointOf(attachment.id()).orElseGet(() -> PodEndpoint.ref(attachment, node));
  }

  @Override
  public void release(String network, AttachmentId id) throws CniException {
    release(network, id, directory.endpointOf(id));
  }

  private void release(String network, AttachmentId id, Optional<ResourceRef> endpoint)
      throws CniException {
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
      throw AddressErrors.unreachable(id.toString(), away);
    }
    throw AddressErrors.keepsChanging(id);
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

  /// Read from the bare JSON: an endpoint that somebody made invalid must go all the same.
  private static boolean isOf(KeyValue stored, AttachmentId id) {
    try {
      return id.containerId()
          .equals(JSON.readTree(stored.value()).path("spec").path("containerID").asText());
    } catch (JsonProcessingException noDocument) {
      return false;
    }
  }
}
