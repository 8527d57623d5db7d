package io.margay.cni;

import io.margay.cni.journal.Attachment;
import io.margay.cni.spec.AttachmentId;
import io.margay.cni.spec.CniError;
import io.margay.cni.spec.CniException;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import io.margay.model.resource.WorkloadEndpoint;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;

/// Handles, addresses and documents as the datastore would keep them.
final class InMemoryAddresses implements PodAddresses {

  final Map<String, List<IpAddress>> handles = new TreeMap<>();
  final Map<String, WorkloadEndpoint> endpoints = new TreeMap<>();
  final List<Wish> wishes = new ArrayList<>();
  Optional<Integer> failure = Optional.empty();
  boolean failsAfterCommit;
  boolean awayForReleases;
  private int next = 1;

  @Override
  public List<IpAddress> assign(
      Attachment attachment, Wish wish, Function<List<IpAddress>, WorkloadEndpoint> document)
      throws CniException {
    if (failure.isPresent()) {
      throw new CniException(failure.get(), "no address");
    }
    wishes.add(wish);
    List<IpAddress> assigned = handles.computeIfAbsent(attachment.handleId(), _ -> fresh(wish));
    WorkloadEndpoint endpoint = document.apply(assigned);
    endpoints.put(key(endpoint), endpoint);
    if (failsAfterCommit) {
      throw new CniException(CniError.DATASTORE_UNREACHABLE, "the answer was lost");
    }
    return assigned;
  }

  /// Those wished for, and the next free one of each other family.
  private List<IpAddress> fresh(Wish wish) {
    List<IpAddress> fresh = new ArrayList<>();
    for (IpFamily family : IpFamily.values()) {
      List<IpAddress> wished =
          wish.addresses().stream().filter(address -> address.family() == family).toList();
      fresh.addAll(wished);
      if (wished.isEmpty() && wish.families().contains(family)) {
        fresh.add(
            IpAddress.parse(
                switch (family) {
                  case IPV4 -> "10.0.0." + next;
                  case IPV6 -> "fd00::" + Integer.toHexString(next);
                }));
      }
    }
    next++;
    return fresh;
  }

  @Override
  public List<IpAddress> hold(Attachment attachment, Wish wish) throws CniException {
    if (failure.isPresent()) {
      throw new CniException(failure.get(), "no address");
    }
    wishes.add(wish);
    List<IpAddress> fresh = fresh(wish);
    handles.computeIfAbsent(attachment.handleId(), _ -> new ArrayList<>()).addAll(fresh);
    if (failsAfterCommit) {
      throw new CniException(CniError.DATASTORE_UNREACHABLE, "the answer was lost");
    }
    return fresh;
  }

  static String key(WorkloadEndpoint endpoint) {
    return endpoint.metadata().namespaceOrEmpty() + "/" + endpoint.metadata().name();
  }

  @Override
  public void release(Attachment attachment) throws CniException {
    release(attachment.network(), attachment.id());
  }

  @Override
  public void release(String network, AttachmentId id) throws CniException {
    if (awayForReleases) {
      throw new CniException(CniError.DATASTORE_UNREACHABLE, "the datastore is away");
    }
    handles.remove(Attachment.handleId(network, id));
    removeEndpoint(id);
  }

  private void removeEndpoint(AttachmentId id) {
    endpoints.values().removeIf(endpoint -> Attachment.of(endpoint).equals(Optional.of(id)));
  }

  @Override
  public List<Lease> lease(Attachment attachment, Wish wish, List<IpAddress> named)
      throws CniException {
    if (failure.isPresent()) {
      throw new CniException(failure.get(), "no address");
    }
    wishes.add(wish);
    List<Lease> leases = new ArrayList<>();
    for (IpAddress address : handles.computeIfAbsent(attachment.handleId(), _ -> fresh(wish))) {
      Prefix pool =
          Prefix.containing(
              address,
              switch (address.family()) {
                case IPV4 -> 16;
                case IPV6 -> 64;
              });
      leases.add(
          new Lease(
              address,
              pool,
              named.stream()
                  .filter(pool::contains)
                  .findFirst()
                  .orElseGet(
                      () ->
                          IpAddress.parse(
                              switch (address.family()) {
                                case IPV4 -> "10.0.255.1";
                                case IPV6 -> "fd00::ffff";
                              }))));
    }
    return leases;
  }

  @Override
  public void publish(Attachment attachment, WorkloadEndpoint document) throws CniException {
    if (failure.isPresent()) {
      throw new CniException(failure.get(), "not published");
    }
    endpoints.put(key(document), document);
  }

  @Override
  public void withdraw(Attachment attachment) throws CniException {
    if (awayForReleases) {
      throw new CniException(CniError.DATASTORE_UNREACHABLE, "the datastore is away");
    }
    removeEndpoint(attachment.id());
  }
}
